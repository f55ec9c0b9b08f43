"""A disk that says no to a command: a fault at every n-th system call of each one that writes.

Run as `python -m torture.commands import` (or others of COMMANDS) with tests/ on the path. A calm
run under strace shows which calls touch the command's folder; then the command runs again from the
same start for each of them, and that call fails. Afterwards:

- it ended with 0 and all of its work done, or with one of labelkit's own errors and another code;
- the store is sound (doctor, and a look with the bare driver), and is the old or the new one;
- a file that has its final name is the old or the new one, whole, and nothing else lies about;
- the same command, undisturbed, comes to what the calm run came to.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from helpers import bare, write_jsonl
from torture import stage
from torture.budget import Budget
from torture.faults import ERRORS, Faults
from torture.plants import PLANTS

from labelkit.domain.pairs import PairOptions
from labelkit.services import backup, bundling, doctor
from labelkit.services.desk import Desk
from labelkit.services.exporting import ExportOptions, export
from labelkit.services.importing import import_file
from labelkit.store import schema

TESTS = Path(__file__).parent.parent
CALLS = (
    *("openat", "read", "pread64", "write", "pwrite64", "ftruncate", "fsync", "fdatasync"),
    *("link", "rename", "unlink", "mkdir"),
)
STORE = "labelkit.db"
_LINE = re.compile(r"^(\d+)\s+(\w+)\((.*)$")
_OF_FD = re.compile(r"^\d+<([^>]*)>")
_QUOTED = re.compile(r'"([^"]*)"')
_CODES = (1, 5)


@dataclass(frozen=True)
class Command:
    """What to run, in a folder that `stage` has filled.

    `outcome` says what it came to, in words that do not depend on the moment.
    """

    stage: Callable[[Path], object]
    argv: tuple[str, ...]
    outcome: Callable[[Path], Any] = lambda _folder: None


# -- the commands --------------------------------------------------------------------------------


def _filled(folder: Path) -> None:
    stage.build(folder / STORE, prompts=8)


def _with_records(folder: Path) -> None:
    _filled(folder)
    rows: list[Any] = [*stage.said(40, "more"), {"prompt": ""}]
    write_jsonl(folder / "more.jsonl", rows)


def _with_an_export(folder: Path, format: str = "rm") -> None:
    stage.build(folder / STORE, prompts=30)
    old = ExportOptions(format, pairs=PairOptions("best-worst", seed="old"))
    export(folder / STORE, old, folder / "out")


def _with_bundles(folder: Path) -> None:
    stage.build(folder / STORE, prompts=12, overlap=1)
    for who in stage.LABELERS[:2]:
        out = folder / f"{who}.bundle"
        bundling.make(folder / STORE, out, bundling.BundleOptions(who, 4))
        with Desk(out, who) as desk:
            while view := desk.next_task():
                desk.submit(view, stage.answer(view, random.Random(who)))


def _with_backups(folder: Path) -> None:
    _filled(folder)
    made = [backup.backup(folder / STORE).path.name for _ in range(3)]
    (folder / "were.txt").write_text("\n".join(made))


def _with_a_past(folder: Path) -> None:
    _filled(folder)
    stage.copy_to(folder / STORE, folder / "past.db")
    import_file(folder / STORE, str(write_jsonl(folder / "in.jsonl", stage.said(20, "more"))))


def _old(version: Path) -> Callable[[Path], object]:
    return lambda folder: stage.copy_to(version, folder / STORE)


def _bundle(folder: Path) -> Any:
    """A bundle with a name is whole; nobody else has its places."""
    out = folder / "new.bundle"
    if not out.exists():
        return None
    problems = [f.what for f in doctor.examine(out).findings]
    return stage.look(out), problems, [loan.out for loan in bundling.listed(folder / STORE)][-1:]


def _backups(folder: Path) -> Any:
    """Whether there is a new one, and one to fall back on."""
    were = (folder / "were.txt").read_text().split()
    there = [b.path.name for b in backup.listed(folder / STORE)]
    return bool(set(there) - set(were)), len(there) > 1


COMMANDS: dict[str, Command] = {
    "import": Command(
        _with_records, ("import", "{}/more.jsonl", "--max-bad", "1", "--rejects", "{}/bad.jsonl")
    ),
    "export": Command(_with_an_export, ("export", "--format", "rm", "--out", "{}/out")),
    "export-kto": Command(
        lambda folder: _with_an_export(folder, "kto"),
        ("export", "--format", "kto", "--out", "{}/out"),
    ),
    "merge": Command(_with_bundles, ("merge", "{}/ana.bundle", "{}/ben.bundle")),
    "backup": Command(_with_backups, ("backup", "--keep", "2"), _backups),
    "restore": Command(_with_a_past, ("restore", "{}/past.db")),
    "bundle": Command(
        _filled, ("bundle", "make", "--labeler=ana", "-n4", "--out", "{}/new.bundle"), _bundle
    ),
    "purge": Command(_with_backups, ("purge", "--user", "u1", "--yes")),
    "report": Command(_with_records, ("report", "--out", "{}/report.html")),
    "init": Command(lambda _folder: None, ("init", "{}/labelkit.db")),
    **{
        f"upgrade-{path.stem}": Command(_old(path), ("db", "upgrade"))
        for path in stage.old_versions()
    },
}


# -- what is there -------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """A command's folder: what the store says, the files that have their names, and the outcome."""

    store: Any
    files: dict[str, str]
    outcome: Any


def state_of(folder: Path, command: Command) -> State:
    return State(_said(folder / STORE), _files(folder), command.outcome(folder))


def _said(store: Path) -> Any:
    if not store.exists():
        return None
    version, _ = stage.schema_of(store)
    if version != schema.SCHEMA_VERSION:
        return version, sorted(stage.look(store)[0])
    with closing(sqlite3.connect(store, timeout=30)) as connection:
        rules = connection.execute("SELECT name, version, text FROM guideline").fetchall()
    if not stage.prompts_in(store):
        return version, rules
    return version, rules, stage.records_digest(store, Path(f"{store}.said"))


def _problems(path: Path) -> list[str]:
    """What is wrong with a store that may be no store at all."""
    try:
        return stage.look(path)[1]
    except sqlite3.Error as error:
        return [str(error)]


def _files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file with a final name that is not a store: those differ by the moment."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".") and not _of_a_store(path)
    }


def _of_a_store(path: Path) -> bool:
    """A store, what stands beside it, and what the harness itself wrote."""
    return path.suffix in (".db", ".lock", ".said", ".bundle", ".log") or ".db-" in path.name


def unfinished(folder: Path, *, claims: bool = True) -> list[str]:
    """What nobody gave its name. A manifest that waits says whose the files of an export are."""
    there = (str(p.relative_to(folder)) for p in folder.rglob(".*"))
    return [name for name in there if claims or not name.startswith("out/.manifest.json.")]


# -- points at which something can fail ----------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """The n-th call of a name by the command's own process."""

    call: str
    n: int


def points(log: Path, folder: Path) -> Iterator[Point]:
    """Read strace's log of a calm run for the calls that touch the folder."""
    seen: dict[str, int] = {}
    first = ""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        first = first or match[1]
        if match[1] != first:
            continue
        call = match[2]
        seen[call] = seen.get(call, 0) + 1
        if touches(call, match[3], folder):
            yield Point(call, seen[call])


def touches(call: str, args: str, folder: Path) -> bool:
    of_fd = _OF_FD.match(args)
    names = [of_fd[1]] if of_fd else _QUOTED.findall(args)
    return any(name.startswith(f"{folder}/") or name == str(folder) for name in names)


def traced(folder: Path, argv: list[str], plant: str | None, *more: str) -> tuple[Any, Path]:
    """Run a command under strace; return how it ended, and strace's log."""
    log = folder.parent / "strace.log"
    command = ["strace", "-f", "-qq", "-y", "--seccomp-bpf", "-s", "0", "-o", str(log), *more]
    command += [sys.executable, "-m", "torture.commands", "--work", plant or "", "--"]
    command += argv
    # Modules are not compiled on the way: every run makes the same calls.
    env = {**os.environ, "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        command, cwd=TESTS, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    return ran, log


def work(plant: str, argv: list[str]) -> None:
    """Be the command line; runs under strace."""
    if plant:
        PLANTS[plant]()
    from labelkit.cli.app import app

    app(argv, prog_name="labelkit")


# -- one fault, and all of them ------------------------------------------------------------------


@dataclass
class Harness:
    """One command, the folder it starts from, and what it comes to when nothing fails."""

    name: str
    root: Path
    plant: str | None = None
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.command = COMMANDS[self.name]
        self.base, self.folder = self.root / "base", self.root / "work"
        self.base.mkdir()
        self.command.stage(self.base)
        self.before = state_of(self._fresh(), self.command)
        folder = self._fresh()
        calls = f"trace={','.join(CALLS)}"
        ran, log = traced(folder, self._argv(), self.plant, "-e", calls)
        assert ran.returncode == 0, ran.stderr
        self.points = list(points(log, self.folder))
        self.calm = state_of(folder, self.command)
        assert self.calm != self.before
        assert not unfinished(folder)

    def _fresh(self) -> Path:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.base, self.folder)
        return self.folder

    def _argv(self) -> list[str]:
        """The command line, with the folder where it says `{}`."""
        store = [] if self.name == "init" else ["--db", str(self.folder / STORE)]
        return [*store, *(part.format(self.folder) for part in self.command.argv)]

    def inject(self, point: Point, error: str) -> None:
        """Let one call fail, and look at what came of it."""
        folder = self._fresh()
        more = ("-e", f"trace={point.call}")
        more += ("-e", f"inject={point.call}:error={error}:when={point.n}")
        ran, log = traced(folder, self._argv(), self.plant, *more)
        hit = re.search(r"^\d+\s+\w+\((.*)\(INJECTED\)", log.read_text(errors="replace"), re.M)
        if not hit or not touches(point.call, hit[1], self.folder):
            self.faults.missed += 1
            return
        self.faults.injected += 1
        where = f"{self.name}: {error} at {point.call} {point.n} ({hit[1].strip()})"
        self._judge_end(ran, where, state_of(folder, self.command))
        if ran.returncode and point.call != "unlink" and (left := unfinished(folder, claims=False)):
            self.faults.note("torn", f"{where}: left {left}")
        self._judge_store(where)
        self._judge_files(where)
        self._judge_second_try(where)

    def _judge_end(self, ran: Any, where: str, now: State) -> None:
        """It is done and says so, or it is not and says so."""
        said = ran.stderr[-400:]
        if ran.returncode == 0:
            if now != self.calm:
                self.faults.note("lost", f"{where}: exit 0 and not all done: {said}")
            return
        self.faults.refused += 1
        if ran.returncode not in _CODES or "error: " not in said or "Traceback" in ran.stderr:
            self.faults.note("rude", f"{where}: exit {ran.returncode}: {said}")
        if now.store not in (self.before.store, self.calm.store):
            self.faults.note("torn", f"{where}: the store is neither the old nor the new one")

    def _judge_store(self, where: str) -> None:
        store = self.folder / STORE
        if not store.exists():
            if self.before.store is not None:
                self.faults.note("lost", f"{where}: the store is gone")
            return
        labels, problems = stage.look(store)
        kept, _ = stage.look(self.base / STORE) if self.before.store else (set(), [])
        if self.name != "restore" and self.name != "purge" and kept - labels:
            self.faults.note("lost", f"{where}: labels")
        if stage.schema_of(store)[0] == schema.SCHEMA_VERSION:
            problems += [f"{f.where} {f.what}" for f in doctor.examine(store).findings if f.serious]
        for each in backup.listed(store):
            problems += [f"backup: {p}" for p in _problems(each.path)]
        if problems:
            self.faults.note("torn", f"{where}: {problems[:3]}")

    def _judge_files(self, where: str) -> None:
        """Every file with a final name is the old or the new one."""
        for name, digest in _files(self.folder).items():
            if digest not in (self.before.files.get(name), self.calm.files.get(name)):
                self.faults.note("torn", f"{where}: {name}")
        for name in self.before.files.keys() & self.calm.files.keys():
            if not (self.folder / name).exists() and Path(name).name != "manifest.json":
                self.faults.note("lost", f"{where}: {name}")

    def _judge_second_try(self, where: str) -> None:
        done = state_of(self.folder, self.command) == self.calm
        ran = bare(*self._argv())
        if ran.code and not (done and self.name in ("init", "purge", "bundle")):
            self.faults.note("rude", f"{where}: the second try ended with {ran.code}: {ran.err}")
        now = state_of(self.folder, self.command)
        if now != self.calm:
            self.faults.note("torn", f"{where}: the second try came to something else")
        if left := unfinished(self.folder):
            self.faults.note("torn", f"{where}: not swept: {left}")


def run(
    name: str,
    root: Path,
    most: int | None = None,
    plant: str | None = None,
    budget: Budget | None = None,
    seed: int = 0,
) -> Faults:
    """Fail every call of a command in turn, or `most` of them from start to end.

    With a plant, until that is seen; when the time is limited, in any order.
    """
    harness, budget = Harness(name, root, plant), budget or Budget()
    wanted = spread(harness.points, most)
    if budget.seconds is not None:
        random.Random(seed).shuffle(wanted)
    harness.faults.of = len(wanted)
    for turn, point in enumerate(wanted):
        harness.inject(point, ERRORS[turn % len(ERRORS)])
        seen = plant and harness.faults.failures
        if seen or not budget.goes_on(turn + 1, len(wanted)):
            break
    return harness.faults


def spread(points: list[Point], most: int | None) -> list[Point]:
    """Up to `most` points, evenly spread over all of them."""
    if most is None or most >= len(points):
        return points
    return [points[(2 * i + 1) * len(points) // (2 * most)] for i in range(most)]


def main() -> None:
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], sys.argv[4:])
    parser = argparse.ArgumentParser()
    parser.add_argument("commands", nargs="*", help="all of them when left out")
    parser.add_argument("--most", type=int)
    parser.add_argument("--seconds", type=float, help="for each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plant", choices=[*PLANTS])
    args = parser.parse_args()
    wrong = False
    for name in args.commands or COMMANDS:
        with tempfile.TemporaryDirectory() as folder:
            budget = Budget(args.seconds, said_every=30)
            faults = run(name, Path(folder).resolve(), args.most, args.plant, budget, args.seed)
        sys.stdout.write(json.dumps({"command": name, **asdict(faults)}) + "\n")
        sys.stdout.flush()
        wrong = wrong or bool(faults.failures) or not faults.injected
    if wrong and not args.plant:
        sys.exit("a fault cost something, or ended in a traceback")


if __name__ == "__main__":
    main()
