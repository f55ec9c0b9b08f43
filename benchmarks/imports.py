"""Completions into the store, with every check, uid and index, against tools that check nothing.

python -m benchmarks.imports [PROMPTS [ROUNDS]]
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from zlib import crc32

import orjson

from benchmarks import _made
from benchmarks._peers import installed, script
from benchmarks._report import FULL, Goals, growth
from benchmarks._rounds import Timing, rounds, table

LABELKIT = str(Path(sys.executable).parent / "labelkit")
EACH = 5
"""Completions of every prompt."""
MORE = "labelkit, one record more"
RAW = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[2], isolation_level=None)
db.executescript("PRAGMA synchronous=EXTRA; CREATE TABLE t (line BLOB); BEGIN")
with open(sys.argv[1], "rb") as file:
    db.executemany("INSERT INTO t VALUES (?)", ((line,) for line in file))
db.execute("COMMIT")
"""


def files(folder: Path, prompts: int) -> tuple[Path, Path]:
    """The same completions as records and as flat lines that repeat their prompt."""
    records, flat = folder / f"records{prompts}.jsonl", folder / f"flat{prompts}.jsonl"
    _made.write(records, _made.prompts(prompts, (EACH, EACH)))
    _made.write_flat(flat, _made.prompts(prompts, (EACH, EACH)))
    return records, flat


def commands(folder: Path, records: Path, flat: Path) -> dict[str, list[str]]:
    """Each fills a file of its own, named after it; the second and third find the records there.

    `again` knows the file by its bytes; with one record more it has to look at every row.
    """
    empty = folder / "empty.db"
    if not empty.exists():
        subprocess.run([LABELKIT, "-q", "--db", str(empty), "init"], check=True, cwd=folder)

    def into(name: str, *argv: str, start: str = "") -> list[str]:
        first = f"rm -f {folder / name}; {start}"
        return ["sh", "-c", f'{first} exec "$@"', "sh", *argv]

    own = folder / "labelkit.db"
    load = [LABELKIT, "-q", "--db", str(own), "import", str(records)]
    more = records.with_suffix(".more")
    one = next(_made.prompts(1, (EACH, EACH), seed=8))
    more.write_bytes(records.read_bytes() + orjson.dumps(one) + b"\n")
    found = {
        "labelkit": into("labelkit.db", *load, start=f"cp {empty} {own};"),
        "labelkit again": load,
        MORE: [*load[:-1], str(more)],
        "raw lines": into("raw.db", sys.executable, "-c", RAW, str(flat), str(folder / "raw.db")),
    }
    if "sqlite-utils" in installed():
        argv = (script("sqlite-utils"), "insert", str(folder / "utils.db"), "t", str(flat), "--nl")
        found["sqlite-utils"] = into("utils.db", *argv)
    return found


def check(folder: Path, found: Mapping[str, list[str]]) -> None:
    """The tables must hold the same completions, or nothing is timed."""
    for name, argv in found.items():
        if name != MORE:
            subprocess.run(argv, check=True, capture_output=True)
    held = {"labelkit": _held(_column(folder / "labelkit.db", "SELECT text FROM completion"))}
    lines = _column(folder / "raw.db", "SELECT line FROM t")
    held["raw lines"] = _held(orjson.loads(line)["response"] for line in lines)
    if "sqlite-utils" in found:
        held["sqlite-utils"] = _held(_column(folder / "utils.db", "SELECT response FROM t"))
    if len(set(held.values())) != 1:
        raise SystemExit(f"the tables differ: {held}")
    n, letters, _ = held["labelkit"]
    print(f"\nChecked first: {', '.join(held)} hold {n:,} completions, {letters:,} characters.")


def _column(path: Path, query: str) -> Iterable[str]:
    db = sqlite3.connect(path)
    for (value,) in db.execute(query):
        yield value
    db.close()


def _held(texts: Iterable[str]) -> tuple[int, int, int]:
    """How many, how long, and a sum that no other texts have, in whatever order they come."""
    n = letters = sums = 0
    for text in texts:
        n, letters, sums = n + 1, letters + len(text), sums + crc32(text.encode())
    return n, letters, sums


def goals(found: Mapping[str, Timing]) -> None:
    table = Goals()
    if "sqlite-utils" in found:
        table.most("wall / sqlite-utils", 1 / found["sqlite-utils"].wall_ratio, 0.8)
        table.most("CPU / sqlite-utils", 1 / found["sqlite-utils"].cpu_ratio, 0.8)
    table.most("wall / raw lines", 1 / found["raw lines"].wall_ratio, 3)
    table.most("CPU / raw lines", 1 / found["raw lines"].cpu_ratio, 3)
    table.most("memory", found["labelkit"].rss, 400, " MiB")
    again = found["labelkit"].wall / found["labelkit again"].wall
    table.least("first import / second, of nothing new, wall", again, 3)
    again = found["labelkit"].cpu / found["labelkit again"].cpu
    table.least("first import / second, of nothing new, CPU", again, 3)


def main(prompts: int = 200_000 if FULL else 10_000, n: int = 3) -> int:
    print(f"\n## Import of {prompts * EACH:,} completions of {prompts:,} prompts\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = [prompts // 4, prompts // 2, prompts]
        costs, memory = [], []
        start = rounds({"": commands(folder, *files(folder, 10))["labelkit"]}, n)[""].cpu
        for size in sizes:
            made = files(folder, size)
            run = commands(folder, *made)
            one = rounds({"": run["labelkit"]}, max(1, n - 1))[""]
            costs.append(one.cpu - start)
            memory.append(one.rss)
        check(folder, run)
        found = rounds(run, n)
        print(f"\n{table(found)}")
        goals(found)
        growth("the import", sizes, costs)
        told = ", ".join(f"{s * EACH:,}: {m:.0f} MiB" for s, m in zip(sizes, memory, strict=True))
        print(f"\nMemory by completions: {told}.")
    return 0


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
