"""Power cuts while an export takes the place of another: its files are the old or the new ones.

The same replay as torture.power, on the folder of an export. Run as
`python -m torture.power_export` with tests/ on the path; `--plant no-fsync` must be seen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from torture import stage
from torture.plants import PLANTS
from torture.power import TRACED, Disk, Event, events

from labelkit.domain.pairs import PairOptions
from labelkit.services.exporting import ExportOptions, export

MANIFEST = "manifest.json"
OLD = ExportOptions("rm", pairs=PairOptions("best-worst"))
NEW = ExportOptions("rm", pairs=PairOptions("all"))


def work(store: Path, out: Path, plant: str) -> None:
    """Export over what is there, and say when it is done."""
    if plant:
        PLANTS[plant]()
    export(store, NEW, out)
    fd = os.open(out / "ack", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(fd, b"done")
    os._exit(0)


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def record(folder: Path, plant: str) -> tuple[Disk, list[Event], list[dict[str, str]]]:
    """Export under strace; return the folder it began with, what was done, and both exports."""
    store, out = stage.build(folder / "labelkit.db", prompts=6), folder / "out"
    export(store, OLD, out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    log = folder / "log"
    subprocess.run(
        [*TRACED, "-o", log, sys.executable, "-m", "torture.power_export", "--work", store, out,
         plant],
        check=True, capture_output=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    after = {p.name: p.read_bytes() for p in out.iterdir()}
    return Disk(before), list(events(log, out, "ack")), [digests(before), digests(after)]


def verdict(files: dict[str, bytes], done: bool, known: list[dict[str, str]]) -> str:
    """Every file with its name is one of the two, and a manifest speaks of those beside it."""
    there = digests({n: d for n, d in files.items() if not n.startswith(".") and n != "ack"})
    if any(digest not in {each.get(name) for each in known} for name, digest in there.items()):
        return "torn"
    if MANIFEST not in files:
        return "lost" if done else "fine"
    said = json.loads(files[MANIFEST])
    if any(there.get(f["name"]) != f["sha256"] for f in [*said["files"], *said["documents"]]):
        return "torn"
    return "lost" if done and there[MANIFEST] != known[1][MANIFEST] else "fine"


def run(folder: Path, seed: int, repeats: int, plant: str = "") -> Counter[str]:
    """Cut the power after every event, in several ways, and count what came of it."""
    disk, log, known = record(folder.resolve(), plant)
    rnd, done = random.Random(seed), False
    result: Counter[str] = Counter(states=0, lost=0, torn=0)
    for event in log:
        done = done or event[0] == "ack"
        disk.play(event)
        for kept in (0.0, 1.0, *([None] * repeats)):
            result["states"] += 1
            result[verdict(disk.after_a_cut(rnd, kept), done, known)] += 1
    assert done
    return result


def main() -> None:
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plant", choices=[*PLANTS], default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), args.seed, args.repeats, args.plant)
    sys.stdout.write(json.dumps({"plant": args.plant, **found}) + "\n")
    if not args.plant and found["lost"] + found["torn"]:
        sys.exit("a power cut would lose something")


if __name__ == "__main__":
    main()
