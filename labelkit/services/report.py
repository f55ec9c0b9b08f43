"""Everything a lead shows others, on one page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from labelkit import plugins
from labelkit.agreement._bootstrap import Means, ratio_measured
from labelkit.agreement._collect import Collector
from labelkit.agreement._units import Units
from labelkit.agreement.pairwise import RULES
from labelkit.domain.splits import SplitPlan, parse_plan
from labelkit.errors import LabelkitError
from labelkit.plugins import Measured
from labelkit.report import page
from labelkit.report.content import Content, Fact, Section
from labelkit.services import agreement, leaderboard, quality
from labelkit.services import report_sections as sections
from labelkit.services.files import Replacing
from labelkit.services.project import opened
from labelkit.services.report_reading import Read
from labelkit.services.selection import Progress, Selection, selected
from labelkit.store.bundles import Parts
from labelkit.store.core import Store

TIED = "Comparisons that a labeler called a tie. n counts comparisons."
_SHOWN = Parts(aliases=False)
NOTHING_JUDGED = "nobody compared anything"


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Which labels count, by which plan splits are counted, and how to resample."""

    selection: Selection = field(default_factory=Selection)
    split: SplitPlan = field(default_factory=SplitPlan)
    seed: int = 0


def options(selection: Selection, *, split: str | None = None, seed: int = 0) -> ReportOptions:
    """Read the options as they are typed. Raises UsageError."""
    return ReportOptions(selection, parse_plan(split) if split else SplitPlan(), seed)


def report(
    store: Path, options: ReportOptions | None = None, progress: Progress | None = None
) -> Content:
    """Gather the report."""
    options = options or ReportOptions()
    measured = agreement.AgreementOptions(options.selection, by="week", seed=options.seed)
    with opened(store) as opened_store:
        collector = agreement.collect(opened_store, measured, progress)
        read = _read(opened_store, options, collector, progress)
    means = measured.means()
    units = collector.units()
    statistics = agreement.every_statistic()
    agreed = agreement.AgreementReport(
        options=measured,
        whole=agreement.count(units, statistics, means),
        groups={},
        statistics=statistics,
        labelers=tuple(sorted(collector.labelers)),
        unnamed=collector.unnamed,
    )
    people = quality.quality(store, options.selection)
    models = leaderboard.leaderboard(
        store, leaderboard.LeaderboardOptions(options.selection, seed=options.seed)
    )
    return Content(
        title=store.stem,
        about=_about(options, read),
        counts={
            name: read.counts[name]
            for name in ("prompts", "completions", "demonstrations", "rankings", "skips")
        }
        | {"labelers": len(read.labelers)},
        facts=_facts(agreed, units, means),
        sentence=people.sentence(),
        remarks=agreed.remarks() + models.remarks(),
        sections=_sections(agreed, collector, people, models, read, means),
    )


def ready() -> None:
    """Raise LabelkitError when what draws the page is not installed."""
    page.ready()


def html(content: Content) -> bytes:
    """Return the report as a page."""
    return page.page(content)


def write(content: Content, path: Path) -> int:
    """Write the page to a file, whole or not at all, and return its size in bytes.

    Raises LabelkitError where it cannot go.
    """
    made = html(content)
    try:
        with Replacing(path) as file:
            file.write(made)
    except OSError as error:
        raise LabelkitError(f"{path}: cannot be written: {error.strerror}") from None
    return len(made)


def _read(
    store: Store, options: ReportOptions, collector: Collector, progress: Progress | None
) -> Read:
    read = Read(options.split, collector.flags_of)
    for bundle, rankings in selected(store, options.selection, progress, _SHOWN):
        read.add(bundle, rankings, options.selection)
    return read


def _about(options: ReportOptions, read: Read) -> str:
    chosen = options.selection
    whose = {"human": "labels by people", "model": "labels by models", "all": "all labels"}
    said = ["labelkit report", whose[chosen.kinds]]
    said += [f"of batch {chosen.batch}"] if chosen.batch else []
    said += [f"from {chosen.since[:10]}"] if chosen.since else []
    said += [f"up to {read.last[:10]}"] if read.last else []
    return ", ".join([*said, "intervals are 95 %, by resampling prompts"])


def _facts(agreed: agreement.AgreementReport, units: Units, means: Means) -> list[Fact]:
    def fact(*path: str, of: str = "", rule: str = "") -> Fact:
        statistic = agreed.statistics[path[0]]
        title = f"{statistic.title}, {of}" if of else statistic.title
        return Fact(title, agreed.whole.find(*path), rule or statistic.rule, statistic.percent)

    tie_rules = sorted(RULES.items(), key=lambda rule: rule[0] != "drop")
    return [
        *(fact("pairwise", name, of=f"rule {name}", rule=rule) for name, rule in tie_rules),
        fact("krippendorff-alpha", "pairs", "nominal", of="nominal, on pairs"),
        fact("krippendorff-alpha", "pairs", "ordinal", of="ordinal, on pairs"),
        fact("kendall-tau-b"),
        fact("kendall-w"),
        fact("leave-one-out"),
        fact("gold"),
        fact("intra"),
        Fact("Ties", _ties(units, means), TIED, percent=True),
    ]


def _ties(units: Units, means: Means) -> Measured:
    pairs = units.pairs
    tied = (pairs.value == 0).astype(np.float64)
    prompt = pairs.unit_prompt[pairs.unit]
    return ratio_measured(means, prompt, tied, np.ones(len(tied)), NOTHING_JUDGED)


def _sections(
    agreed: agreement.AgreementReport,
    collector: Collector,
    people: quality.QualityReport,
    models: leaderboard.LeaderboardReport,
    read: Read,
    means: Means,
) -> list[Section]:
    return [
        sections.labelers(people),
        sections.matrix(agreed.whole.find("cohen-kappa", "pairs"), people),
        sections.weeks(_by_week(collector, means)),
        sections.work(read.weeks),
        sections.seconds(read.seconds),
        sections.positions(read.effects.positions(means)),
        sections.lengths(read.effects.lengths(means)),
        sections.skips(read.skips),
        sections.models(models.whole),
        sections.flags(read.flags),
        sections.sizes(read.sizes),
        sections.sources(read.lengths),
        sections.use_cases(read.use_cases),
    ]


def _by_week(collector: Collector, means: Means) -> dict[str, Measured]:
    """Measure pairwise agreement, rule drop, in each week."""
    pairwise = {"pairwise": plugins.statistics.get("pairwise")}
    return {
        week: agreement.count(collector.units(week), pairwise, means).find("pairwise", "drop")
        for week in sorted(collector.groups)
    }
