"""Pairs for a reward model, as JSON lines and as Parquet, against what else could write them.

python -m benchmarks.export [RANKINGS [ROUNDS]]
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from benchmarks import _made
from benchmarks._peers import PYTHON as PEERS
from benchmarks._peers import installed
from benchmarks._report import FULL, Goals, growth
from benchmarks._rounds import Timing, rounds, table

LABELKIT = str(Path(sys.executable).parent / "labelkit")
SCRIPT = str(Path(__file__).with_name("_export_peers.py"))
CHECKED = 500
NEXT_TO_NOTHING = 5
"""Rankings whose export takes what it takes to start, and no more that could be measured."""
JSONL, PARQUET = "pairs.jsonl", "pairs.parquet"


def a_store(folder: Path, rankings: int) -> Path:
    """A store with one ranking a prompt, and its snapshot for those that cannot read it."""
    folder.mkdir()
    store, file = folder / "labelkit.db", folder / "in.jsonl"
    _made.write(file, _made.prompts(rankings, (4, 9), rankings=1))
    for words in (["init"], ["import", str(file)]):
        subprocess.run([LABELKIT, "-q", "--db", str(store), *words], check=True, cwd=folder)
    file.unlink()
    if installed():
        subprocess.run([PEERS, SCRIPT, "snapshot", str(store), str(folder / "snap")], check=True)
    gc.collect()
    return store


def ours(store: Path, *more: str) -> list[str]:
    out = store.parent / "out"
    argv = [LABELKIT, "-q", "--db", str(store), "export", "--format", "rm", "--out", str(out)]
    return [*argv, *more]


def theirs(store: Path, method: str, name: str, needs: str = "") -> dict[str, list[str]]:
    """One peer's command, under its name; nothing where it is not installed."""
    if (needs or method) not in installed():
        return {}
    source = store.parent / "snap" if method.startswith(("duckdb", "polars")) else store
    return {method: [PEERS, SCRIPT, method, str(source), str(store.parent / name)]}


def jsonl_commands(store: Path) -> dict[str, list[str]]:
    return {
        "labelkit": ours(store),
        "labelkit --jobs 1": ours(store, "--jobs", "1"),
        "scan of the store": [sys.executable, SCRIPT, "scan", str(store), ""],
        **theirs(store, "duckdb", JSONL),
        **theirs(store, "polars", JSONL),
        **theirs(store, "jsonlines", JSONL),
        **theirs(store, "datasets", JSONL),
    }


def parquet_commands(store: Path) -> dict[str, list[str]]:
    return {
        "labelkit": ours(store, "--container", "parquet"),
        **theirs(store, "duckdb_parquet", PARQUET, "duckdb"),
        **theirs(store, "polars_parquet", PARQUET, "polars"),
    }


def tidy(store: Path) -> None:
    """Remove what the last run left: datasets would only look into its cache.

    Nobody's time should hold the removal of somebody else's file, or the writing of its pages.
    """
    shutil.rmtree(store.parent / "out", ignore_errors=True)
    shutil.rmtree(store.parent / f"{JSONL}.cache", ignore_errors=True)
    for name in (JSONL, PARQUET):
        (store.parent / name).unlink(missing_ok=True)
    os.sync()  # the disk is told of what is gone, and is free again


def check(store: Path, commands: Mapping[str, Sequence[str]], name: str) -> None:
    """Everybody must write the same rows, in whatever order, or nothing is timed."""
    found = {}
    for method, argv in commands.items():
        if method.startswith("scan"):
            continue
        tidy(store)
        subprocess.run(argv, check=True, capture_output=True)
        mine = method.startswith("labelkit")
        path = store.parent / "out" / f"train{Path(name).suffix}" if mine else store.parent / name
        found[method] = _sum(path)
    if len(set(found.values())) != 1:
        raise SystemExit(f"the rows differ: {found}")
    n = found["labelkit"][0]
    print(f"\nChecked first: {', '.join(found)} write the same {n:,} rows of {CHECKED} rankings.")


def _sum(path: Path) -> tuple[int, int]:
    """How many rows, and a number that does not depend on their order."""
    n = total = 0
    for row in _rows(path):
        text = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
        total += int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
        n += 1
    return n, total % (1 << 64)


def _rows(path: Path) -> Any:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return pq.read_table(path).to_pylist()
    return map(orjson.loads, path.open("rb"))


Commands = Callable[[Path], Mapping[str, Sequence[str]]]


def timed(store: Path, tiny: Path, commands: Commands, n: int) -> dict[str, Timing]:
    """Time everybody, and beside it what each takes for a store with next to nothing in it."""
    found = rounds(commands(store), n, lambda: tidy(store))
    start = rounds(commands(tiny), n, lambda: tidy(tiny))
    print(f"\n{table(found)}")
    print("\n| command | CPU ms of the start | CPU ms after it | x CPU after it |")
    print("|---|---|---|---|")
    rest = {name: max(found[name].cpu - start[name].cpu, 0.001) for name in found}
    for name, cpu in rest.items():
        ratio = cpu / next(iter(rest.values()))
        print(f"| {name} | {start[name].cpu * 1e3:.0f} | {cpu * 1e3:.0f} | {ratio:.2f} |")
    return found


def jsonl_goals(found: Mapping[str, Timing], memory: float) -> None:
    goals = Goals()
    for peer, most in (("duckdb", 0.6), ("jsonlines", 0.2), ("datasets", 0.1)):
        if peer in found:
            goals.most(f"wall / {peer}", 1 / found[peer].wall_ratio, most)
            print(f"| CPU / {peer} | {1 / found[peer].cpu_ratio:.2f} | | |")
    goals.most("CPU / scan of the store", 1 / found["scan of the store"].cpu_ratio, 2.5)
    goals.most("memory of all processes", memory, 150, " MiB")


def limits(out: Path, found: Mapping[str, Timing]) -> None:
    """What of our time no way of writing the same file gets around, and peers do not pay."""
    argv = [sys.executable, "-m", "benchmarks._export_limits", str(out)]
    told = subprocess.run(argv, check=True, capture_output=True, text=True)
    hashing, writing, waiting = map(float, told.stdout.split())
    scan = found["scan of the store"].cpu
    least = (scan + hashing + writing) / scan
    size = out.stat().st_size / 1e6
    print(
        f"\nThe limit: of {found['labelkit'].cpu:.2f} s of CPU reading rows takes {scan:.2f} s, "
        f"the SHA-256 of {size:,.0f} MB {hashing:.2f} s, writing them {writing:.2f} s: "
        f"{least:.1f} scans before a row is made. Until all is on the disk {waiting:.2f} s pass. "
        "Peers make no SHA-256 and wait for no disk."
    )


def grown(folder: Path, tiny: Path, sizes: Sequence[int], n: int) -> Path:
    """Measure three sizes, say how cost and memory grow, and return the largest store."""
    costs, memory = [], []
    for size in sizes:
        store = a_store(folder / str(size), size)
        runs = {"start": ours(tiny), "all": ours(store)}
        found = rounds(runs, n, lambda store=store: tidy(store))  # type: ignore[misc]
        costs.append(found["all"].cpu - found["start"].cpu)
        memory.append(found["all"].rss)
        tidy(tiny)
        if size < sizes[-1]:
            shutil.rmtree(store.parent)
    growth("the export", sizes, costs)
    told = ", ".join(f"{s:,}: {m:.0f} MiB" for s, m in zip(sizes, memory, strict=True))
    print(f"\nMemory of all processes by size: {told}.")
    return store


def main(rankings: int = 200_000 if FULL else 20_000, n: int = 3 if FULL else 2) -> int:
    print(f"\n## Export of {rankings:,} rankings\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, tiny = a_store(folder / "small", CHECKED), a_store(folder / "tiny", NEXT_TO_NOTHING)
        check(small, jsonl_commands(small), JSONL)
        check(small, parquet_commands(small), PARQUET)
        store = grown(folder, tiny, [rankings // 4, rankings // 2, rankings], n)
        found = timed(store, tiny, jsonl_commands, n)
        jsonl_goals(found, found["labelkit"].rss)
        tidy(store)
        subprocess.run(ours(store), check=True)
        limits(store.parent / "out" / "train.jsonl", found)
        print("\n### Parquet")
        found = timed(store, tiny, parquet_commands, n)
        goals = Goals()
        for peer in ("duckdb_parquet", "polars_parquet"):
            if peer in found:
                goals.most(f"CPU / {peer}", 1 / found[peer].cpu_ratio, 0.8)
        goals.most("memory", found["labelkit"].rss, 350, " MiB")
    return 0


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
