"""A disk that says no: every n-th system call on the store fails, once, and nothing is lost by it.

Run as `python -m torture.faults` with tests/ on the path. A labeler works under strace, which makes
one call on the store's files fail with ENOSPC, EIO or EDQUOT. What was acknowledged must be there
afterwards, whole; a refusal must be one of labelkit's own; and the next labeler must get on.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torture import stage
from torture.budget import Budget
from torture.plants import PLANTS

from labelkit.errors import LabelkitError, NothingToDo
from labelkit.services.desk import Desk

CALLS = ("pwrite64", "fdatasync,fsync", "unlink,unlinkat", "ftruncate", "openat", "pread64")
ERRORS = ("ENOSPC", "EIO", "EDQUOT")
LABELS = 3


@dataclass
class Faults:
    """What a run of faults did. `lost`, `torn` and `rude` are failures.

    `of` is how many places were chosen; `missed` are calls that the second run did not make there.
    """

    of: int = 0
    injected: int = 0
    missed: int = 0
    refused: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    rude: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def failures(self) -> int:
        return self.lost + self.torn + self.rude

    def note(self, kind: str, what: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < 5:
            self.examples.append(f"{kind}: {what}")


def work(path: Path, plant: str | None) -> None:
    """Rank a few tasks and say what is safe; go on after a refusal. Runs under strace."""
    if plant:
        PLANTS[plant]()
    rnd = random.Random(1)
    for _ in range(LABELS):
        try:
            with Desk(path, "ana") as desk:
                if view := desk.next_task():
                    sys.stdout.write(desk.submit(view, stage.answer(view, rnd)).uid + "\n")
                    sys.stdout.flush()
        except LabelkitError as error:
            sys.stdout.write(f"refused {type(error).__name__}: {error}\n")


def traced(base: Path, plant: str | None, call: str, *more: str) -> tuple[Any, str, Path]:
    """Let the worker run under strace; return how it ended, strace's log, and the store."""
    path = stage.copy_to(base, base.with_name("labelkit.db"))
    log = base.with_name("strace.log")
    files = [path, Path(f"{path}-journal"), path.parent]
    argv = ["strace", "-f", "-qq", "-o", str(log), *(f"-P{file}" for file in files)]
    argv += ["-e", f"trace={call}", *more]
    argv += [sys.executable, "-m", "torture.faults", "--work", str(path)]
    argv += ["--plant", plant] if plant else []
    tests = Path(__file__).parent.parent
    ran = subprocess.run(argv, cwd=tests, capture_output=True, text=True, timeout=120, check=False)
    return ran, log.read_text(), path


def points(base: Path, plant: str | None, step: int, most: int | None) -> list[tuple[str, int]]:
    """Every `step`-th call of each kind that a calm run makes; `most` of each kind."""
    found = []
    for call in CALLS:
        ran, log, _ = traced(base, plant, call)
        assert ran.returncode == 0, ran.stderr
        made = len(re.findall(rf"^\d+\s+(?:{call.replace(',', '|')})\(", log, re.M))
        found += [(call, n) for n in [*range(1, made + 1, step)][:most]]
    return found


def inject(
    base: Path, call: str, error: str, n: int, faults: Faults, plant: str | None = None
) -> None:
    """Let the n-th call fail, and look at what came of it."""
    before, _ = stage.look(base)
    ran, log, path = traced(base, plant, call, "-e", f"inject={call}:error={error}:when={n}")
    if "(INJECTED)" not in log:
        assert ran.returncode == 0, ran.stderr
        faults.missed += 1
        return
    faults.injected += 1
    where = f"{error} at {call} {n}"
    lines = ran.stdout.split("\n")[:-1]
    acked = {line for line in lines if not line.startswith("refused")}
    faults.refused += len(lines) - len(acked)
    faults.acknowledged += len(acked)
    if ran.returncode:
        faults.note("rude", f"{where}: {ran.stderr[-300:]}")
    _judge(path, acked | before, where, faults)


def _judge(path: Path, safe: set[str], where: str, faults: Faults) -> None:
    there, problems = stage.look(path)
    if safe - there:
        faults.note("lost", where)
    if problems or len(there - safe) > 1:
        faults.note("torn", f"{where}: {problems}")
    with Desk(path, "ben") as desk:
        view = desk.next_task()
        assert view is not None
        if desk.submit(view, stage.answer(view, random.Random(2))).uid not in stage.look(path)[0]:
            faults.note("lost", f"{where}: the label after it")


def run(
    folder: Path,
    step: int = 1,
    most: int | None = None,
    plant: str | None = None,
    budget: Budget | None = None,
    seed: int = 0,
) -> Faults:
    """Fail every `step`-th call of each kind, with each error in turn; `most` of each kind.

    With a plant, until that is seen; when the time is limited, in any order.
    """
    faults, budget = Faults(), budget or Budget()
    base = stage.build(folder / "base.store", prompts=6)
    wanted = points(base, plant, step, most)
    if budget.seconds is not None:
        random.Random(seed).shuffle(wanted)
    faults.of = len(wanted)
    for turn, (call, n) in enumerate(wanted):
        inject(base, call, ERRORS[turn % len(ERRORS)], n, faults, plant)
        if (plant and faults.failures) or not budget.goes_on(turn + 1, len(wanted)):
            break
    if not faults.injected:
        raise NothingToDo("no call was made to fail")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plant", choices=[*PLANTS])
    args = parser.parse_args()
    if args.work:
        work(args.work, args.plant)
        return
    with tempfile.TemporaryDirectory() as folder:
        budget = Budget(args.seconds, said_every=30)
        faults = run(Path(folder), args.step, None, args.plant, budget, args.seed)
    sys.stdout.write(json.dumps(asdict(faults)) + "\n")
    if faults.failures:
        sys.exit("a fault cost something, or ended in a traceback")


if __name__ == "__main__":
    main()
