"""InstructGPT's labeler screening (arXiv 2203.02155, B.1): four looks at each candidate.

Agreement with a key on sensitive-speech flags, agreement with researchers on rankings, scores that
leads gave to demonstrations, and what candidates say of themselves. Cut-offs are soft: a report
says how far each candidate is from them, and people decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from labelkit.agreement._bootstrap import Means, ratio_measured
from labelkit.agreement._collect import Collector
from labelkit.agreement._consensus_of_others import half_agreement
from labelkit.agreement._units import Judgements
from labelkit.domain.models import Labeler
from labelkit.errors import InputError, NotFound, UsageError
from labelkit.plugins import Measured
from labelkit.services.project import opened
from labelkit.services.screen_files import number_from, rows_of, yes_or_no
from labelkit.services.selection import Selection, selected
from labelkit.store import people
from labelkit.store.core import Store
from labelkit.store.engine import Tx

SCHEMA = "labelkit.screen/1"
TRAINING, HELD_OUT = "training", "held-out"
MEETS, CLOSE, BELOW, MISSING = "meets", "close", "below", "not measured"
NOT_MEASURED = Measured(value=None, reason="not measured")


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """What to read, and the soft cut-offs."""

    flags: Path | None = None
    key: Path | None = None
    demonstrations: Path | None = None
    self_assessment: Path | None = None
    candidates: str = "candidate"
    researchers: str = "researcher"
    flags_cutoff: float = 0.75
    rankings_cutoff: float = 0.75
    demonstrations_cutoff: float = 6.0


@dataclass(frozen=True, slots=True)
class Criterion:
    """One look at one candidate: the number, the cut-off, and where it stands."""

    name: str
    measured: Measured
    cutoff: float

    @property
    def standing(self) -> str:
        """`meets` at or over the cut-off, `close` when the interval reaches it, else `below`."""
        value, high = self.measured.value, self.measured.high
        if value is None:
            return MISSING
        if value >= self.cutoff:
            return MEETS
        return CLOSE if high is not None and high >= self.cutoff else BELOW

    def as_json(self) -> dict[str, Any]:
        return {**self.measured.as_json(), "cutoff": self.cutoff, "standing": self.standing}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Everything known about one candidate."""

    name: str
    criteria: Sequence[Criterion]
    able: Sequence[str]
    unable: Sequence[str]

    @property
    def suggestion(self) -> str:
        """`suggest` where everything measured meets its cut-off, `no` where something is below."""
        standings = {c.standing for c in self.criteria} - {MISSING}
        if not standings:
            return "nothing measured"
        if BELOW in standings:
            return "no"
        return "suggest" if standings == {MEETS} else "look again"

    def as_json(self) -> dict[str, Any]:
        return {
            "candidate": self.name,
            "suggestion": self.suggestion,
            "criteria": {c.name: c.as_json() for c in self.criteria},
            "self_assessment": {"able": list(self.able), "unable": list(self.unable)},
        }


@dataclass(frozen=True, slots=True)
class ScreenReport:
    """What `labelkit screen` says."""

    candidates: Sequence[Candidate]
    uncovered: Sequence[str]

    def sentence(self) -> str:
        """How many to take, in one line."""
        if not self.candidates:
            return "There are no candidates: give --flags, --demonstrations or a cohort."
        good = [c.name for c in self.candidates if c.suggestion == "suggest"]
        who = f": {', '.join(good)}" if good else ""
        said = f"{len(good)} of {len(self.candidates)} meet every cut-off that was measured{who}."
        if self.uncovered:
            said += f" Nobody feels able to judge: {', '.join(self.uncovered)}."
        return said + " Cut-offs are soft: the choice is yours."

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "sentence": self.sentence(),
            "candidates": [c.as_json() for c in self.candidates],
            "uncovered_groups": list(self.uncovered),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """Who goes where, on top of what the report suggests."""

    accept: tuple[str, ...] = ()
    hold_out: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass
class _Files:
    """The answers in the files, by candidate: (item, value) rows."""

    flags: dict[str, list[tuple[str, float]]] = field(default_factory=lambda: defaultdict(list))
    scores: dict[str, list[tuple[str, float]]] = field(default_factory=lambda: defaultdict(list))
    groups: dict[str, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def names(self) -> set[str]:
        return {*self.flags, *self.scores, *self.groups}


def decision(
    set_cohort: bool, accept: Sequence[str], hold_out: Sequence[str], dry_run: bool
) -> Decision | None:
    """Read a decision as it is typed; None where there is none. Raises UsageError."""
    if not set_cohort and (accept or hold_out or dry_run):
        raise UsageError("--accept, --hold-out and --dry-run go with --set-cohort")
    return Decision(tuple(accept), tuple(hold_out), dry_run) if set_cohort else None


def screen(store: Path, options: ScreenOptions) -> ScreenReport:
    """Look at every candidate. Raises InputError for a bad row, UsageError for a missing key."""
    files = _read_files(options)
    with opened(store) as opened_store:
        with opened_store.read() as tx:
            everyone = people.everyone(tx)
        cohort = [x.name for x in everyone if x.cohort == options.candidates]
        leads = [x.name for x in everyone if x.cohort == options.researchers]
        rankings = _against_researchers(opened_store, cohort, leads) if cohort and leads else {}
    names = sorted({*files.names, *cohort})
    candidates = [_candidate(name, files, rankings, options) for name in names]
    groups = {group for said in files.groups.values() for group in said}
    covered = {g for said in files.groups.values() for g, able in said.items() if able}
    return ScreenReport(candidates, sorted(groups - covered))


def _candidate(
    name: str, files: _Files, rankings: Mapping[str, Measured], options: ScreenOptions
) -> Candidate:
    said = files.groups.get(name, {})
    return Candidate(
        name,
        (
            Criterion("flags", _mean(files.flags.get(name)), options.flags_cutoff),
            Criterion("rankings", rankings.get(name, NOT_MEASURED), options.rankings_cutoff),
            Criterion(
                "demonstrations", _mean(files.scores.get(name)), options.demonstrations_cutoff
            ),
        ),
        sorted(group for group, able in said.items() if able),
        sorted(group for group, able in said.items() if not able),
    )


def _mean(rows: Sequence[tuple[str, float]] | None) -> Measured:
    """Return the mean of values, with an interval that resamples items."""
    if not rows:
        return NOT_MEASURED
    items = sorted({item for item, _ in rows})
    at = np.array([items.index(item) for item, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows])
    return ratio_measured(Means(), at, values, np.ones(len(values)), "")


def _read_files(options: ScreenOptions) -> _Files:
    if (options.flags is None) != (options.key is None):
        raise UsageError("flags need a key, and a key needs flags", hint="--flags FILE --key FILE")
    files = _Files()
    if options.flags and options.key:
        _read_flags(files, options.flags, _read_key(options.key))
    if options.demonstrations:
        for where, row in rows_of(options.demonstrations, ("candidate", "item", "score")):
            score = number_from(row, "score", where, 1, 7)
            files.scores[str(row["candidate"])].append((str(row["item"]), score))
    if options.self_assessment:
        for where, row in rows_of(options.self_assessment, ("candidate", "group", "able")):
            able = yes_or_no(row, "able", where)
            files.groups[str(row["candidate"])][str(row["group"])] = able
    return files


def _mark(row: Mapping[str, Any]) -> tuple[str, str]:
    """What a flag row is about: an item, and the flag where a file has several."""
    return str(row["item"]), str(row.get("flag") or "")


def _read_key(path: Path) -> dict[tuple[str, str], bool]:
    key: dict[tuple[str, str], bool] = {}
    for where, row in rows_of(path, ("item", "value")):
        value = yes_or_no(row, "value", where)
        if key.setdefault(_mark(row), value) != value:
            raise InputError(f"{where}: item: {row['item']!r} has two different answers")
    return key


def _read_flags(files: _Files, path: Path, key: Mapping[tuple[str, str], bool]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for where, row in rows_of(path, ("candidate", "item", "value")):
        mark, name = _mark(row), str(row["candidate"])
        if mark not in key:
            raise InputError(f"{where}: item: {row['item']!r} is not in the key")
        if (name, *mark) in seen:
            raise InputError(f"{where}: item: {name!r} answered {row['item']!r} twice")
        seen.add((name, *mark))
        agrees = yes_or_no(row, "value", where) == key[mark]
        files.flags[name].append((mark[0], float(agrees)))


def _against_researchers(
    store: Store, cohort: Sequence[str], leads: Sequence[str]
) -> dict[str, Measured]:
    """Measure each candidate against the researchers' mean margin, pair by pair.

    Pairs that split the researchers evenly are left out; a tie against a preference agrees by half.
    """
    collector = Collector()
    for bundle, rankings in selected(store, Selection(labelers=(*cohort, *leads))):
        collector.add(bundle, rankings)
    units = collector.units()
    names = list(units.labelers)
    lead_numbers = [names.index(name) for name in leads if name in names]
    standard = _standard(units.pairs, lead_numbers)
    found = {}
    for name in set(cohort) & set(names):
        pairs = units.pairs
        rows = np.flatnonzero((pairs.labeler == names.index(name)) & (standard[pairs.unit] < 2))
        agree = half_agreement(pairs.value[rows], standard[pairs.unit[rows]])
        prompt = pairs.unit_prompt[pairs.unit[rows]]
        reason = "shares no pair with the researchers"
        found[name] = ratio_measured(Means(), prompt, agree, np.ones(len(rows)), reason)
    return found


def _standard(pairs: Judgements, leads: Sequence[int]) -> Any:
    """Return the researchers' answer on each unit: -1, 0, +1, or 2 where they have none."""
    rows = np.isin(pairs.labeler, leads)
    unit, value = pairs.unit[rows], pairs.value[rows]
    margin = np.bincount(unit, value, minlength=pairs.n_units)
    judged = np.bincount(unit, minlength=pairs.n_units)
    decided = np.bincount(unit, value != 0, minlength=pairs.n_units)
    none = (judged == 0) | ((margin == 0) & (decided > 0))
    return np.where(none, 2, np.sign(margin)).astype(np.int64)


def set_cohorts(store: Path, report: ScreenReport, decision: Decision) -> dict[str, str]:
    """Put candidates into cohorts and return {name: cohort}; with `dry_run` only return it.

    Training: whoever is suggested, and whoever is accepted by name. Held-out: whoever is named.
    Candidates who are no labelers yet become some. Raises NotFound for an unknown name.
    """
    known = {c.name for c in report.candidates}
    if strange := sorted({*decision.accept, *decision.hold_out} - known):
        raise NotFound(f"there is no candidate {strange[0]!r}", hint="labelkit screen")
    if both := sorted(set(decision.accept) & set(decision.hold_out)):
        raise UsageError(f"{both[0]!r} is both accepted and held out")
    suggested = {c.name for c in report.candidates if c.suggestion == "suggest"}
    chosen = dict.fromkeys(sorted(suggested | set(decision.accept)), TRAINING)
    chosen |= dict.fromkeys(decision.hold_out, HELD_OUT)
    if not decision.dry_run:
        with opened(store) as opened_store, opened_store.write() as tx:
            for name, cohort in chosen.items():
                _put(tx, name, cohort)
    return chosen


def _put(tx: Tx, name: str, cohort: str) -> None:
    if people.find(tx, name) is None:
        people.add(tx, Labeler(name, cohort=cohort))
    else:
        people.change(tx, name, cohort=cohort)
