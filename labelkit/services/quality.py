"""Evidence about each labeler: never a verdict, and nobody is left out because of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from labelkit.agreement import gold, leave_one_out
from labelkit.agreement._bootstrap import Means, cells_measured
from labelkit.agreement._chance import binomial_tail, chi_square_tail
from labelkit.agreement._collect import Collector
from labelkit.agreement._habits import Habits, Share
from labelkit.agreement._transitive import consistency
from labelkit.domain.models import Bundle, LabelerKind, Ranking, current
from labelkit.domain.pairs import comparisons
from labelkit.plugins import Measured
from labelkit.services.project import opened
from labelkit.services.selection import Progress, Selection, selected
from labelkit.store import golds
from labelkit.store.bundles import Parts
from labelkit.store.core import Store

SCHEMA = "labelkit.quality/1"

LEAST_RANKINGS = 10
"""Fewer rankings than this say nothing about a person."""

_EVIDENCE = Parts(aliases=False, sources=False)

RARE = 0.001
LIKE_TEAM = 0.05
GOLD_PASS = 0.75


@dataclass(frozen=True, slots=True)
class Evidence:
    """One finding about one labeler, beside the same for everybody else.

    `stands_out` says that it is both beyond chance and large enough to talk about; `why` is the
    half sentence that says so.
    """

    name: str
    value: float | None
    team: float | None
    n: int
    low: float | None = None
    high: float | None = None
    stands_out: bool = False
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "team": self.team,
            "stands_out": self.stands_out,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class LabelerQuality:
    """One labeler's evidence."""

    name: str
    rankings: int
    evidence: Sequence[Evidence]
    skips: Mapping[str, int]

    @property
    def standing_out(self) -> list[Evidence]:
        return [e for e in self.evidence if e.stands_out]

    def as_json(self) -> dict[str, Any]:
        return {
            "labeler": self.name,
            "rankings": self.rankings,
            "skips": dict(self.skips),
            "evidence": {e.name: e.as_json() for e in self.evidence},
        }


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What `labelkit quality` says."""

    selection: Selection
    labelers: Sequence[LabelerQuality]

    def sentence(self) -> str:
        """Who to talk to first, and why."""
        if not any(x.rankings for x in self.labelers):
            return "There are no rankings yet."
        if len(self.labelers) == 1:
            return f"Only {self.labelers[0].name} has ranked: there is nobody to compare with."
        told = [x for x in self.labelers if x.standing_out]
        if not told and all(x.rankings < LEAST_RANKINGS for x in self.labelers):
            return f"Too early to tell: nobody has {LEAST_RANKINGS} rankings yet."
        if not told:
            return "Nobody stands out."
        first = max(told, key=lambda x: len(x.standing_out))
        reasons = "; ".join(e.why for e in first.standing_out[:3])
        others = [x.name for x in told if x is not first]
        rest = f" Then: {', '.join(others)}." if others else ""
        return f"Talk to {first.name} first: {reasons}.{rest}"

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "sentence": self.sentence(),
            "labelers": [x.as_json() for x in self.labelers],
            "selection": self.selection.as_json(),
        }


@dataclass
class Everything:
    """What is read about the labelers, in one pass."""

    habits: dict[str, Habits] = field(default_factory=lambda: defaultdict(Habits))
    circles: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    turned: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    length: list[tuple[int, str, int, int]] = field(default_factory=list)
    collector: Collector = field(default_factory=Collector)

    def add(self, bundle: Bundle, rankings: Sequence[Ranking], known: Sequence[Any]) -> None:
        lengths = {c.uid: len(c.text) for c in bundle.completions}
        asked = sum(len(m.content) for m in bundle.prompt.messages)
        mine: dict[str, list[Ranking]] = defaultdict(list)
        for ranking in rankings:
            if ranking.labeler is not None:
                mine[ranking.labeler].append(ranking)
        for name, own in mine.items():
            for ranking in own:
                self.habits[name].add(ranking, lengths, asked)
            found = consistency(own)
            self.circles[name].add(found.circle)
            self.turned[name].add(found.opposite, found.again)
            longer, n = _longer(own[0], lengths)
            self.length.append((self.collector.prompts, name, longer, n))
        self.collector.add(bundle, rankings, gold=known)

    def add_skips(self, bundle: Bundle, selection: Selection) -> None:
        for skip in current(bundle.skips):
            model = skip.labeler_kind == LabelerKind.MODEL
            if skip.labeler and selection.kinds in ("all", "model" if model else "human"):
                self.habits[skip.labeler].skips[skip.reason] += 1


def _longer(ranking: Ranking, lengths: Mapping[str, int]) -> tuple[int, int]:
    """Count preferences between texts of different length, and those for the longer one."""
    longer = n = 0
    for a, b, value in comparisons(ranking.tiers):
        if value and lengths[a] != lengths[b]:
            n += 1
            longer += (lengths[a] - lengths[b]) * value > 0
    return longer, n


def quality(
    store: Path, selection: Selection | None = None, progress: Progress | None = None
) -> QualityReport:
    """Collect the evidence on every labeler."""
    selection = selection or Selection()
    with opened(store) as opened_store:
        said = read(opened_store, selection, progress)
    names = sorted(said.habits)
    shared = _shared(said)
    return QualityReport(selection, [_labeler(name, names, said, shared) for name in names])


def read(store: Store, selection: Selection, progress: Progress | None) -> Everything:
    """Read the store once."""
    said = Everything()
    with store.read() as tx:
        known = golds.by_prompt(tx)
    for bundle, rankings in selected(store, selection, progress, _EVIDENCE):
        said.add(bundle, rankings, known.get(bundle.prompt.uid, ()))
        said.add_skips(bundle, selection)
    return said


def _shared(said: Everything) -> dict[str, Mapping[str, Any]]:
    """Measure what needs everybody: agreement with the others and gold, the pull of length."""
    units, means = said.collector.units(), Means()
    found: dict[str, Mapping[str, Any]] = {}
    for module, name in ((leave_one_out, "agreement"), (gold, "gold")):
        whole: Any = module.PLUGIN.compute(units, means)
        found[name] = whole.parts["labelers"]
    names = list(units.labelers)
    rows = [(p, names.index(who), longer, n) for p, who, longer, n in said.length if n]
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    prompt, who, longer, n = table.T
    measured = cells_measured(
        means, prompt, who, longer.astype(float), n.astype(float), len(names), "no preferences"
    )
    found["length"] = dict(zip(names, measured, strict=True))
    return found


def _labeler(
    name: str, names: Sequence[str], said: Everything, shared: Mapping[str, Mapping[str, Any]]
) -> LabelerQuality:
    habits = said.habits[name]
    others = [other for other in names if other != name]
    evidence = [
        _with_others("agreement", name, shared["agreement"], "agreement with the others",
                     below=True),
        _speed(habits, [said.habits[o] for o in others]),
        _share("hurried", habits.hurried, [said.habits[o].hurried for o in others], 0.25,
               "of the rankings are faster than anybody reads"),
        _share("all_tied", habits.tied, [said.habits[o].tied for o in others], 0.2,
               "of the rankings tie everything"),
        _copies(habits, [said.habits[o] for o in others]),
        _position(habits),
        _with_others("longer_preferred", name, shared["length"], "preference for the longer text",
                     margin=0.1),
        _share("contradictions", habits.contradicted,
               [said.habits[o].contradicted for o in others], 0.1,
               "of the pairs are ranked against their own ratings"),
        _share("circles", said.circles[name], [said.circles[o] for o in others], 0.05,
               "of the prompts have a circle in their rankings"),
        _share("turned_round", said.turned[name], [said.turned[o] for o in others], 0.2,
               "of the pairs judged again were turned round"),
        _gold(shared["gold"].get(name)),
        _share("skipped", _skips(habits), [_skips(said.habits[o]) for o in others], 0.2,
               "of the tasks were skipped"),
    ]  # fmt: skip
    enough = habits.rankings >= LEAST_RANKINGS
    kept = [e if enough else _quiet(e) for e in evidence]
    return LabelerQuality(name, habits.rankings, kept, dict(sorted(habits.skips.items())))


def _quiet(evidence: Evidence) -> Evidence:
    """Evidence from too few rankings to name anybody."""
    return replace(evidence, stands_out=False, why="")


def _pooled(shares: Iterable[Share]) -> Share:
    total = Share()
    for share in shares:
        total.add(share.part, share.n)
    return total


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _share(name: str, own: Share, others: Sequence[Share], least: float, what: str) -> Evidence:
    """A share that stands out when it is large, twice the team's and not there by chance."""
    team, value = _pooled(others).value, own.value
    out = (
        value is not None
        and team is not None
        and value >= max(least, 2 * team)
        and binomial_tail(round(own.part), own.n, max(team, 0.01)) < RARE
    )
    why = f"{_percent(value)} {what} (team {_percent(team)})" if out else ""
    return Evidence(name, value, team, own.n, stands_out=out, why=why)


def _skips(habits: Habits) -> Share:
    skipped = sum(habits.skips.values())
    return Share(skipped, skipped + habits.rankings)


def _speed(habits: Habits, others: Sequence[Habits]) -> Evidence:
    """Median active seconds; far under the team's is worth a talk only beside `hurried`."""
    own = habits.median_seconds
    pool = [s for other in others for s in other.seconds]
    team = median(pool) if pool else None
    out = own is not None and team is not None and own < team / 3
    why = f"a median of {own:.0f} s a ranking (team {team:.0f} s)" if out else ""
    return Evidence("seconds", own, team, len(habits.seconds), stands_out=out, why=why)


def _copies(habits: Habits, others: Sequence[Habits]) -> Evidence:
    """Rankings that follow the order shown, or its reverse, against what chance makes (2 / K!)."""
    own = habits.copied
    expected = habits.by_chance / own.n if own.n else 0.0
    value = own.value
    out = (
        value is not None
        and value >= max(0.05, 2 * expected)
        and binomial_tail(round(own.part), own.n, expected) < RARE
    )
    team = _pooled([o.copied for o in others]).value
    why = (
        f"{_percent(value)} of the rankings copy the order shown (by chance {_percent(expected)})"
        if out
        else ""
    )
    return Evidence("copies_of_shown", value, team, own.n, stands_out=out, why=why)


def _position(habits: Habits) -> Evidence:
    """How unevenly first places fall on the positions shown: the p of a chi-square test."""
    found = habits.position_effect()
    n = round(sum(habits.fair.values()))
    if found is None:
        return Evidence("position_p", None, None, n)
    p = chi_square_tail(*found)
    out = p < RARE
    best = max(habits.fair, key=lambda at: habits.firsts[at] / habits.fair[at])
    times = habits.firsts[best] / habits.fair[best]
    why = f"position {best + 1} comes first {times:.1f} times as often as it should" if out else ""
    return Evidence("position_p", p, None, n, stands_out=out, why=why)


def _with_others(
    name: str,
    labeler: str,
    found: Mapping[str, Measured],
    what: str,
    *,
    below: bool = False,
    margin: float = LIKE_TEAM,
) -> Evidence:
    """A measured share whose whole interval is away from the median of the others."""
    own = found.get(labeler, Measured(value=None))
    rest = [m.value for who, m in found.items() if who != labeler and m.value is not None]
    team = median(rest) if rest else None  # one odd labeler must not make the others look odd
    out = False
    if own.low is not None and own.high is not None and team is not None:
        under, over = own.high < team - margin, own.low > team + margin
        out = under or (over and not below)
    interval = f", 95 % {_percent(own.low)} to {_percent(own.high)}" if out else ""
    why = f"{what} is {_percent(own.value)} (team {_percent(team)}{interval})" if out else ""
    return Evidence(name, own.value, team, own.n, own.low, own.high, out, why)


def _gold(found: Measured | None) -> Evidence:
    """Agreement with gold whose whole interval is under the pass mark."""
    own = found or Measured(value=None)
    out = own.high is not None and own.high < GOLD_PASS
    why = f"agreement with gold is {_percent(own.value)}" if out else ""
    return Evidence("gold", own.value, None, own.n, own.low, own.high, out, why)
