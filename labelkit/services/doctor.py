"""Look a store over, say what is wrong with it and what to run."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labelkit.errors import CheckFailed, LabelkitError, StoreBusy, StoreMissing, command
from labelkit.services import backup
from labelkit.services.project import opened
from labelkit.store import core, integrity
from labelkit.store.disk import network_filesystem
from labelkit.store.integrity import Finding
from labelkit.store.integrity.desk import recount, sweep_drafts

SCHEMA = "labelkit.doctor/1"
SHOWN = 20
"""Findings of one check that are shown; the rest are counted."""


@dataclass(slots=True)
class Diagnosis:
    """What was found. `counts` has every finding of each check, `findings` the first few.

    `fixed` counts the tasks whose counters were set right, `swept` the drafts that were removed.
    """

    store: str
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    problems: int = 0
    fixed: int = 0
    swept: int = 0

    def add(self, finding: Finding) -> None:
        self.problems += finding.serious
        self.counts[finding.check] += 1
        if self.counts[finding.check] <= SHOWN:
            self.findings.append(finding)

    @property
    def hidden(self) -> dict[str, int]:
        """How many findings of a check are not shown."""
        return {check: n - SHOWN for check, n in self.counts.items() if n > SHOWN}

    @property
    def cures(self) -> list[str]:
        """What to run, each once, in the order of the findings."""
        return list(dict.fromkeys(f.cure for f in self.findings if f.cure))

    def headline(self) -> str:
        if self.problems:
            return f"{self.store}: {self.problems:,} {_plural(self.problems, 'problem')}"
        notes = len(self.findings)
        more = f", {notes:,} worth knowing" if notes else ""
        return f"{self.store}: no problems{more}"

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "store": self.store,
            "ok": not self.problems,
            "problems": self.problems,
            "fixed": self.fixed,
            "swept": self.swept,
            "findings": [asdict(finding) for finding in self.findings],
            "not_shown": self.hidden,
        }


def _plural(n: int, noun: str) -> str:
    return noun if n == 1 else f"{noun}s"


def examine(path: Path, *, fix: bool = False) -> Diagnosis:
    """Run every check. Raises StoreMissing when there is nothing to look at, and StoreBusy.

    `fix` sets right what can be worked out from the rest, the counters of tasks, and removes the
    drafts of answers that are stored.
    """
    diagnosis = Diagnosis(str(path))
    if fix:
        with opened(path) as store:
            with store.write() as tx:
                diagnosis.fixed = recount(tx)
            diagnosis.swept = sweep_drafts(store)
    rescue = _rescue(path)
    store = integrity.lenient(path)
    try:
        core.check_version(path, core.version_of(store))
        for finding in integrity.examine(store):
            diagnosis.add(_with_cure(finding, rescue))
    except (StoreMissing, StoreBusy):
        raise
    except LabelkitError as error:
        cure = error.hint if error.hint != "labelkit doctor" else rescue
        diagnosis.add(Finding("file", str(path), str(error), cure=cure))
    finally:
        store.close()
    _surroundings(path, diagnosis)
    return diagnosis


def check(diagnosis: Diagnosis) -> None:
    """Raise CheckFailed when something is wrong, with the first thing to run."""
    if diagnosis.problems:
        cures = diagnosis.cures
        raise CheckFailed(diagnosis.headline(), hint="\n     ".join(cures) if cures else None)


def _rescue(path: Path) -> str:
    """What to do about damage: the newest backup, and what was said since."""
    newest = next(iter(backup.listed(path)), None)
    if newest is None:
        return "labelkit export --format records saves what can be read; keep the damaged file"
    return command("labelkit", "restore", newest.path)


def _with_cure(finding: Finding, rescue: str) -> Finding:
    if finding.cure or not finding.serious:
        return finding
    return Finding(finding.check, finding.where, finding.what, finding.serious, rescue)


def _surroundings(path: Path, diagnosis: Diagnosis) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        what = f"can be read by others (mode {mode:04o})"
        cure = command("chmod", "600", path)
        diagnosis.add(Finding("file", str(path), what, serious=False, cure=cure))
    if kind := network_filesystem(path):
        what = f"is on a network file system ({kind}), where locks may not hold"
        diagnosis.add(Finding("file", str(path), what, serious=False))
