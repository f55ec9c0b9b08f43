"""Pairs for a reward model, as JSON lines and as Parquet, against what else could write them.

python -m benchmarks.export [RANKINGS [ROUNDS]]
"""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from benchmarks import _made
from benchmarks._peers import PYTHON as PEERS
from benchmarks._peers import installed
from benchmarks._report import FULL, Goals, growth
from benchmarks._rounds import Timing, in_all, rounds, table

LABELKIT = str(Path(sys.executable).parent / "labelkit")
SCRIPT = str(Path(__file__).with_name("_export_peers.py"))
CHECKED = 500
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


def fresh(command: Sequence[str], store: Path) -> list[str]:
    """Start without what the last run left: datasets would only look into its cache."""
    left = ("out", JSONL, f"{JSONL}.cache", PARQUET)
    paths = " ".join(str(store.parent / name) for name in left)
    return ["sh", "-c", f'rm -rf {paths}; exec "$@"', "sh", *command]


def check(store: Path, commands: Mapping[str, Sequence[str]], name: str) -> None:
    """Everybody must write the same rows, in whatever order, or nothing is timed."""
    found = {}
    for method, argv in commands.items():
        if method.startswith("scan"):
            continue
        subprocess.run(fresh(argv, store), check=True, capture_output=True)
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


def timed(store: Path, commands: Mapping[str, Sequence[str]], n: int) -> dict[str, Timing]:
    found = rounds({name: fresh(argv, store) for name, argv in commands.items()}, n)
    print(f"\n{table(found)}")
    return found


def jsonl_goals(found: Mapping[str, Timing], memory: float) -> None:
    goals, own = Goals(), found["labelkit"]
    for peer, most in (("duckdb", 0.6), ("jsonlines", 0.2), ("datasets", 0.1)):
        if peer in found:
            goals.most(f"wall / {peer}", 1 / found[peer].wall_ratio, most)
            print(f"| CPU / {peer} | {1 / found[peer].cpu_ratio:.2f} | | |")
    goals.most("CPU / scan of the store", 1 / found["scan of the store"].cpu_ratio, 2.5)
    goals.most("memory of all processes", memory, 150, " MiB")
    print(f"\nOf the CPU, {own.cpu:.2f} s, one scan takes {found['scan of the store'].cpu:.2f} s.")


def limits(out: Path) -> None:
    """What no way of writing the same file with its SHA-256 gets around."""
    code = (
        "import hashlib,os,sys,time;t=time.process_time;d=open(sys.argv[1],'rb').read(1<<20);"
        "n=os.path.getsize(sys.argv[1])>>20;a=t();h=hashlib.sha256();"
        "[h.update(d) for _ in range(n)];b=t();f=open(sys.argv[1]+'.copy','wb',0);"
        "[f.write(d) for _ in range(n)];c=t();print(f'{b-a:.2f} s for its SHA-256 and "
        "{c-b:.2f} s for writing it')"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(out)], check=True, capture_output=True, text=True
    )
    out.with_name(f"{out.name}.copy").unlink()
    size = out.stat().st_size / 1e6
    print(f"\nThe limit: a file of {size:,.0f} MB takes {told.stdout.strip()}, in CPU.")


def main(rankings: int = 200_000 if FULL else 20_000, n: int = 3 if FULL else 2) -> int:
    print(f"\n## Export of {rankings:,} rankings\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = a_store(folder / "small", CHECKED)
        check(small, jsonl_commands(small), JSONL)
        check(small, parquet_commands(small), PARQUET)
        sizes = [rankings // 4, rankings // 2, rankings]
        costs, memory = [], []
        for size in sizes:
            store = a_store(folder / str(size), size)
            start = rounds({"": ours(small)}, n)[""].cpu
            costs.append(rounds({"": fresh(ours(store), store)}, n)[""].cpu - start)
            memory.append(in_all(fresh(ours(store), store)))
            if size < rankings:
                shutil.rmtree(store.parent)
        found = timed(store, jsonl_commands(store), n)
        jsonl_goals(found, memory[-1])
        subprocess.run(fresh(ours(store), store), check=True)
        limits(store.parent / "out" / "train.jsonl")
        growth("the export", sizes, costs)
        told = ", ".join(f"{s:,}: {m:.0f} MiB" for s, m in zip(sizes, memory, strict=True))
        print(f"\nMemory of all processes by size: {told}.")
        print("\n### Parquet")
        found = timed(store, parquet_commands(store), n)
        goals = Goals()
        for peer in ("duckdb_parquet", "polars_parquet"):
            if peer in found:
                goals.most(f"CPU / {peer}", 1 / found[peer].cpu_ratio, 0.8)
        goals.most(
            "memory", in_all(fresh(ours(store, "--container", "parquet"), store)), 350, " MiB"
        )
    return 0


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
