"""kill -9 at random moments: nothing acknowledged is lost, nothing is half there.

Run as `python -m torture.kills JOB --kills 200` with tests/ on the path. A child works and writes
down a pipe what it has been told is safe; it is killed; what is left is looked at. Prints a tally.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torture import stage
from torture.budget import Budget
from torture.plants import PLANTS

from labelkit.services import backup, bundling, merging, upgrade
from labelkit.services.desk import Desk
from labelkit.services.export_options import Container
from labelkit.services.exporting import ExportOptions, export
from labelkit.services.importing import import_file

Ack = Callable[[str], None]


@dataclass
class Tally:
    """What a run of kills did. Only `lost` and `torn` are failures."""

    job: str
    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, kind: str, what: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < 5:
            self.examples.append(f"{kind}: {what}")


class Job(ABC):
    """Something to do while being killed."""

    def __init__(self, folder: Path, rnd: random.Random) -> None:
        self.folder = folder
        self.rnd = rnd
        self.path = folder / "labelkit.db"

    @abstractmethod
    def prepare(self, turn: int) -> None:
        """Set the stage for the next kill."""

    @abstractmethod
    def work(self, ack: Ack) -> None:
        """Work until done or killed; runs in the child."""

    @abstractmethod
    def judge(self, acked: list[str], tally: Tally) -> None:
        """Look at what is left."""

    def strays(self) -> list[str]:
        """Do the work once more, undisturbed, and return what is still lying about."""
        return []

    @property
    def said_before(self) -> int:
        """How many acknowledgements to wait for, so that a busy machine is no excuse."""
        return 0

    def longest(self, plant: str | None) -> float:
        """How long a child may live after that, in seconds: a little longer than its work takes."""
        self.prepare(-1)
        started = time.monotonic()
        _reap(_child(self, lambda _: None, plant))
        return (time.monotonic() - started) * 1.05


class Ranking(Job):
    """Labelers draw tasks, save drafts, submit, skip and revise."""

    known: set[str]

    @property
    def said_before(self) -> int:
        return self.rnd.randrange(20)  # four to a label

    def longest(self, plant: str | None) -> float:
        return 0.02

    def prepare(self, turn: int) -> None:
        if turn % 25 == 0:
            stage.clear(self.path)
            stage.build(self.path)
        self.known, _ = stage.look(self.path)
        self.who = self.rnd.choice(stage.LABELERS)
        self.seed = self.rnd.random()

    def work(self, ack: Ack) -> None:
        rnd = random.Random(self.seed)
        with Desk(self.path, self.who) as desk:
            while view := desk.next_task():
                for n in range(3):
                    desk.save_draft(view, {"n": n, "filling": "x" * 50})
                    ack(f"draft {view.task} {n}")
                if rnd.random() < 0.1:
                    ack("label " + desk.skip(view, "other", seconds=1.0, note="x").uid)
                    continue
                ack("label " + desk.submit(view, stage.answer(view, rnd)).uid)
                if rnd.random() < 0.2 and (last := desk.previous()):
                    ack("label " + desk.submit(last[0], stage.answer(last[0], rnd)).uid)

    def judge(self, acked: list[str], tally: Tally) -> None:
        labels = {a.split()[1] for a in acked if a.startswith("label")}
        tally.acknowledged += len(labels)
        there, problems = stage.look(self.path)
        for uid in (labels | self.known) - there:
            tally.note("lost", uid)
        if len(there - labels - self.known) > 1:
            tally.note("torn", "more than one label that nobody was told about")
        for problem in problems:
            tally.note("torn", problem)
        if acked and acked[-1].startswith("draft"):
            self._judge_draft(acked[-1].split(), tally)

    def strays(self) -> list[str]:
        """Unfinished drafts of tasks that are done."""
        for who in stage.LABELERS:
            with Desk(self.path, who) as desk:
                while view := desk.next_task():
                    desk.submit(view, stage.answer(view, self.rnd))
        return [p.name for p in self.path.with_name(f"{self.path.name}.drafts").rglob(".*")]

    def _judge_draft(self, last: list[str], tally: Tally) -> None:
        """The last draft that was kept, or the one after it, comes up again."""
        with Desk(self.path, self.who) as desk:
            view = desk.next_task()
            if view is None or view.task != last[1]:
                return  # it was submitted just before the kill
            body = desk.draft(view)
        if body is None or body["n"] < int(last[2]):
            tally.note("torn", f"draft {last[2]} came up as {body}")


class Importing(Job):
    """A file of more than a block comes in: all of it or nothing of it."""

    ROWS = 1000

    def prepare(self, turn: int) -> None:
        base = self.folder / "base.store"
        if not base.exists():
            stage.build(base, prompts=10)
            self.source = self.folder / "more.jsonl"
            stage.write_jsonl(self.source, stage.said(self.ROWS, "more"))
        self.known = stage.prompts_in(base)
        self.labels, _ = stage.look(base)
        stage.copy_to(base, self.path)

    def work(self, ack: Ack) -> None:
        import_file(self.path, str(self.source))
        ack("all")

    def judge(self, acked: list[str], tally: Tally) -> None:
        tally.acknowledged += len(acked)
        labels, problems = stage.look(self.path)
        more = (stage.prompts_in(self.path) - self.known, len(labels - self.labels))
        if more not in ((0, 0), (self.ROWS, self.ROWS)):
            tally.note("torn", f"{more} of {self.ROWS} came in")
        if acked and more[0] != self.ROWS:
            tally.note("lost", "an import that was reported")
        if self.labels - labels:
            tally.note("lost", "labels from before")
        for problem in problems:
            tally.note("torn", problem)


class Exporting(Job):
    """An export takes the place of another: every file is one or the other, whole."""

    container: Container = "jsonl"

    def prepare(self, turn: int) -> None:
        self.out = self.folder / "out"
        if not self.path.exists():
            stage.build(self.path, prompts=150)
            self.whole = {self._name(self._write(v)) for v in (0, 1)}
        self.version = turn % 2
        self._write(1 - self.version)

    def _write(self, version: int) -> Path:
        from labelkit.domain.pairs import PairOptions

        pairs = PairOptions(scheme=("all", "best-worst")[version])
        export(self.path, ExportOptions("rm", pairs=pairs, container=self.container), self.out)
        return self.out / f"train.{self.container}"

    @staticmethod
    def _name(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def work(self, ack: Ack) -> None:
        self._write(self.version)
        ack("done")

    def judge(self, acked: list[str], tally: Tally) -> None:
        tally.acknowledged += len(acked)
        target = self.out / f"train.{self.container}"
        if not target.exists() or self._name(target) not in self.whole:
            tally.note("torn", f"{target.name} is neither the old file nor the new one")
        manifest = self.out / "manifest.json"
        if manifest.exists():
            try:
                (file,) = json.loads(manifest.read_bytes())["files"]
                right = file["sha256"] == self._name(target)
            except (ValueError, KeyError):
                right = False
            if not right:
                tally.note("torn", "the manifest does not speak of the file beside it")
        elif acked:
            tally.note("lost", "an export that was reported")

    def strays(self) -> list[str]:
        self._write(0)
        return [p.name for p in self.out.iterdir() if p.name.startswith(".")]


class ExportingParquet(Exporting):
    """The same for a file whose end says where everything in it is."""

    container = "parquet"


class Migrating(Job):
    """A store of any older version comes up to date: it is old and whole, or new and whole."""

    def __init__(self, folder: Path, rnd: random.Random) -> None:
        super().__init__(folder, rnd)
        self.known: dict[Path, Any] = {}

    def prepare(self, turn: int) -> None:
        old = stage.old_versions()[turn % len(stage.old_versions())]
        base = self.folder / f"{old.stem}.store"
        if not base.exists():
            stage.copy_to(old, base)
            done = stage.copy_to(base, self.folder / "done.store")
            upgrade.upgrade(done)
            labels, schemas = stage.look(base)[0], (stage.schema_of(base), stage.schema_of(done))
            self.known[base] = labels, schemas, stage.records_digest(done)
        self.labels, (self.old, self.new), self.digest = self.known[base]
        stage.copy_to(base, self.path)

    def work(self, ack: Ack) -> None:
        upgrade.upgrade(self.path)
        ack("done")

    def judge(self, acked: list[str], tally: Tally) -> None:
        tally.acknowledged += len(acked)
        labels, problems = stage.look(self.path)
        found = stage.schema_of(self.path)
        if found not in (self.old, self.new):
            tally.note("torn", f"the schema is neither old nor new (version {found[0]})")
            return
        if acked and found != self.new:
            tally.note("lost", "an upgrade that was reported")
        if labels != self.labels:
            tally.note("lost", "labels")
        for problem in problems:
            tally.note("torn", problem)
        upgrade.upgrade(self.path)
        if stage.records_digest(self.path) != self.digest:
            tally.note("torn", "the second upgrade came out different")
        for kept in backup.listed(self.path):
            if stage.look(kept.path)[0] != self.labels:
                tally.note("torn", "a backup that is not whole")


class Restoring(Job):
    """Backups are made and put back: every file is whole, the store is one state or the other."""

    def prepare(self, turn: int) -> None:
        first, second = self.folder / "first.store", self.folder / "second.store"
        if not first.exists():
            stage.build(first, prompts=60)
            stage.copy_to(first, second)
            more = stage.write_jsonl(self.folder / "more.jsonl", stage.said(60, "more"))
            import_file(second, str(more))
            self.states = [stage.look(p)[0] for p in (first, second)]
        self.first = first
        stage.copy_to(second, self.path)

    def work(self, ack: Ack) -> None:
        backup.backup(self.path)
        ack("kept")
        backup.restore(self.path, self.first)
        ack("restored")

    def judge(self, acked: list[str], tally: Tally) -> None:
        tally.acknowledged += len(acked)
        labels, problems = stage.look(self.path)
        if labels not in self.states or problems:
            tally.note("torn", f"the store is neither state: {problems}")
        if "restored" in acked and labels != self.states[0]:
            tally.note("lost", "a restore that was reported")
        kept = backup.listed(self.path)
        for each in kept:
            try:
                whole = stage.look(each.path) == (self.states[1], [])
            except Exception as error:  # whatever a torn file makes of itself
                whole = False
                tally.examples.append(repr(error))
            if not whole:
                tally.note("torn", f"backup {each.path.name}")
        if acked and not kept:
            tally.note("lost", "a backup that was reported")

    def strays(self) -> list[str]:
        backup.backup(self.path)
        return [p.name for p in backup.folder_of(self.path).glob(".*")]


class Merging(Job):
    """Bundles go out and come back: all of them or nothing, and never a place given twice."""

    def prepare(self, turn: int) -> None:
        base = self.folder / "base.store"
        if not base.exists():
            self._first(base)
        stage.copy_to(base, self.path)
        for left in self.folder.glob("*new-bundle.db*"):
            left.unlink()

    def _first(self, base: Path) -> None:
        stage.build(base, prompts=60, overlap=1)
        self.before, _ = stage.look(base)
        self.files = []
        for who in stage.LABELERS[:2]:
            out = self.folder / f"{who}.bundle"
            bundling.make(base, out, bundling.BundleOptions(who, 20))
            with Desk(out, who) as desk:
                while view := desk.next_task():
                    desk.submit(view, stage.answer(view, self.rnd))
            self.files.append(out)
        away = set.union(*(stage.look(f)[0] for f in self.files))
        self.after = self.before | away

    def work(self, ack: Ack) -> None:
        new = self.folder / "new-bundle.db"
        bundling.make(self.path, new, bundling.BundleOptions(stage.LABELERS[2], 15))
        ack("made")
        merging.merge(self.path, self.files)
        ack("merged")

    def judge(self, acked: list[str], tally: Tally) -> None:
        tally.acknowledged += len(acked)
        labels, problems = stage.look(self.path)
        if labels not in (self.before, self.after):
            tally.note("torn", f"{len(labels - self.before)} of {len(self.after - self.before)}")
        if "merged" in acked and labels != self.after:
            tally.note("lost", "a merge that was reported")
        for problem in problems:
            tally.note("torn", problem)
        self._judge_bundle(bool(acked), tally)
        for kept in backup.listed(self.path):
            if stage.look(kept.path)[0] != self.before:
                tally.note("torn", "a backup that is not whole")
        again = merging.merge(self.path, self.files, dry_run=True).came.counts["rankings"]
        if (again["added"] == 0) != (labels == self.after):
            tally.note("torn", f"merging again would add {again['added']}")

    def _judge_bundle(self, reported: bool, tally: Tally) -> None:
        """A bundle with a name is whole, and its places are kept."""
        new = self.folder / "new-bundle.db"
        if not new.exists():
            if reported:
                tally.note("lost", "a bundle that was reported")
            return
        lent = [loan.out for loan in bundling.listed(self.path)]
        if stage.look(new) != (set(), []) or lent.count(15) != 1:
            tally.note("torn", f"a bundle is half there, or its places are not kept: {lent}")

    def strays(self) -> list[str]:
        merging.merge(self.path, self.files)
        return [p.name for p in self.folder.glob(".*")]


JOBS: dict[str, type[Job]] = {
    "ranking": Ranking,
    "importing": Importing,
    "exporting": Exporting,
    "exporting-parquet": ExportingParquet,
    "migrating": Migrating,
    "restoring": Restoring,
    "merging": Merging,
}


def run(
    name: str, kills: int, seed: int, folder: Path, budget: Budget, plant: str | None = None
) -> Tally:
    """Kill a job `kills` times and return what became of it; with a plant, until that is seen."""
    rnd = random.Random(seed)
    job = JOBS[name](folder, rnd)
    tally = Tally(name)
    longest = job.longest(plant)
    for turn in range(4 * kills):  # some finish before they are killed
        if tally.kills >= kills or not budget.goes_on(tally.kills, kills):
            break
        job.prepare(turn)
        # Every fifth time upon an acknowledgement, when most is at stake.
        said, more = (1, 0.0) if turn % 5 == 0 else (job.said_before, rnd.random() * longest)
        acked = _killed(job, said, more, plant, tally)
        job.judge(acked, tally)
        if plant and tally.lost + tally.torn:
            return tally  # seen
    for stray in job.strays():
        tally.note("torn", f"not swept: {stray}")
    return tally


def _child(job: Job, ack: Ack, plant: str | None) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if plant:
            PLANTS[plant]()
        job.work(ack)
        code = 0
    finally:
        os._exit(code)


def _reap(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _killed(job: Job, said: int, more: float, plant: str | None, tally: Tally) -> list[str]:
    """Let a child work until it has acknowledged so much, and for some seconds more; kill it."""
    read, write = os.pipe()
    pid = _child(job, lambda text: _tell(write, text), plant)
    os.close(write)
    heard = b""
    while heard.count(b"\n") < said and (piece := _heard(read)):
        heard += piece
    time.sleep(more)
    os.kill(pid, signal.SIGKILL)
    code = _reap(pid)
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the child failed by itself with {code}")
    tally.kills += code != 0
    with os.fdopen(read, "rb") as pipe:
        lines = (heard + pipe.read()).split(b"\n")
    return [line.decode() for line in lines[:-1]]


def _heard(fd: int) -> bytes:
    """What comes next down the pipe; nothing when the child is through, or stuck."""
    ready, _, _ = select.select([fd], [], [], 60)
    return os.read(fd, 1 << 16) if ready else b""


def _tell(fd: int, text: str) -> None:
    os.write(fd, text.encode() + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=[*JOBS])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--plant", choices=[*PLANTS])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        budget = Budget(args.seconds, said_every=30)
        tally = run(args.job, args.kills, args.seed, Path(folder), budget, args.plant)
    sys.stdout.write(json.dumps(asdict(tally)) + "\n")
    if not args.plant and tally.lost + tally.torn:
        sys.exit("something acknowledged was lost, or something is half there")


if __name__ == "__main__":
    main()
