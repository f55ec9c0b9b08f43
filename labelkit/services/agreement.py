"""How far labelers agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from labelkit import plugins
from labelkit.agreement._bootstrap import LEVEL, REPLICATES, Means
from labelkit.agreement._collect import Collector, FlagsOf
from labelkit.agreement._units import Units
from labelkit.agreement.pairwise import RULES
from labelkit.errors import CheckFailed
from labelkit.plugins import Finding, Measured, Statistic
from labelkit.services.choices import one_of
from labelkit.services.project import opened
from labelkit.services.selection import Field, Progress, Selection, groups_of, selected
from labelkit.store import golds, rules
from labelkit.store.bundles import Parts
from labelkit.store.core import Store

SCHEMA = "labelkit.agreement/1"

PLACES = Parts(aliases=False, texts=False, sources=False, skips=False)
"""Agreement is about places, ratings and flags, not about words."""

INSTRUCTGPT: Mapping[str, Any] = {
    "training_labelers": {"rate": 0.726, "plus_minus": 0.015},
    "held_out_labelers": {"rate": 0.773, "plus_minus": 0.013},
    "source": "Ouyang et al. (2022), arXiv 2203.02155, section 5.2",
    "warning": "the paper does not say what it does with ties, so compare with care",
}
REFERENCE = (
    "For reference, InstructGPT: 72.6 ± 1.5 % among training labelers, 77.3 ± 1.3 % among held-out "
    "ones; the paper does not say what it does with ties."
)


@dataclass(frozen=True, slots=True)
class AgreementOptions:
    """Which labels to look at, and how to resample."""

    selection: Selection = field(default_factory=Selection)
    by: Field | None = None
    min_overlap: int = 30
    replicates: int = REPLICATES
    seed: int = 0

    def means(self) -> Means:
        return Means(self.replicates, self.seed, self.min_overlap)


@dataclass(frozen=True, slots=True)
class Counted:
    """What the findings stand on, and the findings by statistic."""

    rankings: int
    labelers: int
    prompts: int
    units: int
    shared_units: int
    findings: Mapping[str, Finding]

    def as_json(self) -> dict[str, Any]:
        return {
            "rankings": self.rankings,
            "labelers": self.labelers,
            "prompts": self.prompts,
            "units": self.units,
            "shared_units": self.shared_units,
            **plugins.findings_json(
                {name.replace("-", "_"): found for name, found in self.findings.items()}
            ),
        }

    def find(self, *path: str) -> Measured:
        """Return one number, such as `find("pairwise", "drop")`."""
        found: Finding = self.findings
        for name in path:
            found = (found.parts if isinstance(found, Measured) else found)[name]
        assert isinstance(found, Measured)
        return found


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """What `labelkit agreement` says."""

    options: AgreementOptions
    whole: Counted
    groups: Mapping[str, Counted]
    statistics: Mapping[str, Statistic]
    labelers: tuple[str, ...]
    unnamed: int

    def headline(self) -> str:
        """One line: what the numbers below stand on."""
        n = self.whole
        who = (
            f"{_counted(n.rankings, 'ranking')} by {_counted(n.labelers, 'labeler')} on "
            f"{_counted(n.prompts, 'prompt')}"
        )
        return f"{who}, {n.shared_units:,} of {n.units:,} pairs judged by two or more"

    def remarks(self) -> list[str]:
        """Sentences about what is in the way of the numbers."""
        n, found = self.whole, []
        if self.unnamed:
            found.append(f"{self.unnamed:,} rankings name no labeler and are left out")
        if not n.rankings:
            found.append("there are no rankings to compare: labelkit rank --as NAME")
        elif n.labelers == 1:
            found.append("only one labeler: agreement needs two")
        elif not n.shared_units:
            found.append("no two labelers judged the same pair: labelkit assign --overlap 2")
        elif self.whole.find("pairwise", "drop").value is None:
            found.append("labelers who share pairs tied them: the rule drop has nothing to compare")
        elif n.prompts == 1:
            found.append("one prompt is too few for intervals: they come from resampling prompts")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the report as `labelkit.agreement/1`; what is undefined is null, with a reason."""
        by = {"by": self.options.by, "groups": {k: g.as_json() for k, g in self.groups.items()}}
        return {
            "schema": SCHEMA,
            **self.whole.as_json(),
            "unnamed": self.unnamed,
            "remarks": self.remarks(),
            "rules": RULES,
            "statistics": {
                name.replace("-", "_"): {"title": s.title, "rule": s.rule}
                for name, s in self.statistics.items()
            },
            "selection": self.options.selection.as_json(),
            "intervals": {
                "level": LEVEL,
                "replicates": self.options.replicates,
                "seed": self.options.seed,
                "resampled": "prompts",
            },
            "reference": {"instructgpt": INSTRUCTGPT},
            **(by if self.options.by else {}),
        }


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun if n == 1 else noun + 's'}"


def options(
    selection: Selection,
    *,
    by: str | None = None,
    min_overlap: int = 30,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> AgreementOptions:
    """Read the options as they are typed. Raises UsageError."""
    field = one_of(by, get_args(Field), "--by") if by else None
    return AgreementOptions(selection, field, min_overlap, replicates, seed)


def agreement(
    store: Path, options: AgreementOptions | None = None, progress: Progress | None = None
) -> AgreementReport:
    """Measure agreement, by every statistic there is, over what two labelers or more judged."""
    options = options or AgreementOptions()
    with opened(store) as opened_store:
        collector = collect(opened_store, options, progress)
    statistics = every_statistic()
    means = options.means()
    groups = sorted(collector.groups) if options.by else []
    return AgreementReport(
        options=options,
        whole=count(collector.units(), statistics, means),
        groups={g: count(collector.units(g), statistics, options.means()) for g in groups},
        statistics=statistics,
        labelers=tuple(sorted(collector.labelers)),
        unnamed=collector.unnamed,
    )


def quoted(store: Store, selection: Selection) -> dict[str, Any]:
    """Return pairwise agreement alone, as `agreement --json` gives it: for a card or a manifest."""
    options = AgreementOptions(selection)
    pairwise = {"pairwise": plugins.statistics.get("pairwise")}
    parts = replace(PLACES, details=False, shared=True)
    counted = count(collect(store, options, parts=parts).units(), pairwise, options.means())
    found: dict[str, Any] = counted.as_json()["pairwise"]
    return found


def every_statistic() -> dict[str, Statistic]:
    """Return the statistics there are by name, the one that people quote first."""
    names = sorted(plugins.statistics.names(), key=lambda name: (name != "pairwise", name))
    return {name: plugins.statistics.get(name) for name in names}


def collect(
    store: Store,
    options: AgreementOptions,
    progress: Progress | None = None,
    parts: Parts = PLACES,
) -> Collector:
    """Read the store once, into columns."""
    with store.read() as tx:
        gold = golds.by_prompt(tx)
        collector = Collector(_flags_of(tx))
    for bundle, rankings in selected(store, options.selection, progress, parts):
        groups = groups_of(bundle, rankings, options.by)
        collector.add(bundle, rankings, groups, gold.get(bundle.prompt.uid, ()))
    return collector


def _flags_of(tx: Any) -> FlagsOf:
    known = {g.ref: frozenset(f.key for f in g.flags) for g in rules.everything(tx) if g.text}
    return lambda ref: known.get(ref or "")


def count(units: Units, statistics: Mapping[str, Statistic], means: Means) -> Counted:
    """Compute every statistic on one set of units."""
    shared = units.pairs.pair_tally.patterns.sum(axis=1) > 1
    return Counted(
        rankings=len(units.rankings.prompt),
        labelers=len(set(units.rankings.labeler.tolist())),
        prompts=len(set(units.rankings.prompt.tolist())),
        units=units.pairs.n_units,
        shared_units=int(units.pairs.pair_tally.times[shared].sum()),
        findings={name: s.compute(units, means) for name, s in statistics.items()},
    )


def check(report: AgreementReport, least: float, rule: str = "drop") -> None:
    """Raise CheckFailed when agreement is under `least`, or cannot be told."""
    found = report.whole.find("pairwise", rule)
    if found.value is None:
        raise CheckFailed(f"agreement cannot be told: {found.reason}")
    if found.value < least:
        raise CheckFailed(f"agreement is {found.value:.3f} (rule {rule}), under {least:g}")
