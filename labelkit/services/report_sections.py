"""The sections of a report: each a question, a table, and mostly a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from labelkit.agreement._habits import Share
from labelkit.domain.lengths import ESTIMATE, summary
from labelkit.plugins import Measured
from labelkit.report.content import Bars, Dots, Heat, Row, Section, Spread
from labelkit.report.words import share, span
from labelkit.services.agreement import INSTRUCTGPT
from labelkit.services.leaderboard import Table
from labelkit.services.quality import LabelerQuality, QualityReport
from labelkit.services.report_reading import Size

NO_RANKINGS = "There are no rankings yet."
PERCENTILES = (10, 25, 50, 75, 90)
MOST_MODELS = 8


def labelers(people: QualityReport) -> Section:
    """Who agrees with the others, and what stands out about whom."""
    found = sorted(people.labelers, key=lambda x: (_agreement(x).value or 2.0, x.name))
    return Section(
        key="labelers",
        title="Agreement of each labeler with the others",
        note="Each against the mean margin of the others on the same pair, a tie against a "
        "preference half. What stands out is evidence, not a verdict: labelkit quality.",
        header=("labeler", "agreement", "95 % interval", "pairs", "rankings", "stands out"),
        rows=[
            (
                who.name,
                share(_agreement(who).value),
                span(_agreement(who), percent=True),
                f"{_agreement(who).n:,}",
                f"{who.rankings:,}",
                "; ".join(e.why for e in who.standing_out),
            )
            for who in found
            if who.rankings
        ],
        nothing=NO_RANKINGS,
        picture=Dots("agreement with the others", {x.name: _agreement(x) for x in found}),
    )


def _agreement(who: LabelerQuality) -> Measured:
    found = {e.name: e for e in who.evidence}["agreement"]
    return Measured(value=found.value, low=found.low, high=found.high, n=found.n)


def matrix(kappa: Measured, people: QualityReport) -> Section:
    """Who agrees with whom; the best in agreement with the others first."""
    cells: dict[tuple[str, str], Measured] = {}
    parts: Mapping[str, Mapping[str, Measured]] = kappa.parts.get("labelers", {})  # type: ignore[assignment]
    for a, row in parts.items():
        cells |= {(a, b): found for b, found in row.items() if found.value is not None}
    ranked = sorted(people.labelers, key=lambda x: (-(_agreement(x).value or 0.0), x.name))
    inside = {name for pair in cells for name in pair}
    low_first = sorted(cells.items(), key=lambda x: (x[1].value or 0.0, x[0]))
    return Section(
        key="matrix",
        title="Who agrees with whom",
        note="Cohen's kappa on pairs (-1, 0, +1): 0 is chance, 1 is perfect. Two who share too few "
        "pairs have no cell. Darker is more agreement; the lowest come first in the table.",
        header=("labeler", "and", "kappa", "95 % interval", "pairs"),
        rows=[
            (a, b, share(m.value, percent=False), span(m), f"{m.n:,}") for (a, b), m in low_first
        ],
        nothing=f"No two labelers can be compared: {kappa.reason}."
        if kappa.reason
        else NO_RANKINGS,
        picture=Heat(
            [x.name for x in ranked if x.name in inside],
            {pair: m.value for pair, m in cells.items() if m.value is not None},
        ),
    )


def weeks(found: Mapping[str, Measured]) -> Section:
    """Whether labelers grow together or apart."""
    reference = INSTRUCTGPT["training_labelers"]["rate"]
    return Section(
        key="weeks",
        title="Agreement by week",
        note="Pairwise agreement, rule drop: comparisons where either labeler tied are left out. A "
        "prompt belongs to the week of its last ranking. Dashed: 72.6 %, InstructGPT's training "
        "labelers, whose tie rule is not known.",
        header=("week", "agree", "95 % interval", "n", "remark"),
        rows=_measured(found, percent=True),
        nothing=NO_RANKINGS,
        picture=Dots("pairwise agreement", found, line=reference, over_time=True),
    )


def _measured(found: Mapping[str, Measured], *, percent: bool) -> list[Row]:
    return [
        (name, share(m.value, percent=percent), span(m, percent=percent), f"{m.n:,}", m.reason)
        for name, m in found.items()
    ]


def work(found: Mapping[str, Counter[str]]) -> Section:
    """How much was done."""
    kinds = ("rankings", "demonstrations")
    rows = {week: {kind: found[week][kind] for kind in kinds} for week in sorted(found)}
    return Section(
        key="work",
        title="Tasks done per week",
        note="Rankings and demonstrations by the week (ISO 8601) they were submitted in.",
        header=("week", *kinds),
        rows=[(week, *(f"{n:,}" for n in row.values())) for week, row in rows.items()],
        nothing="Nothing has been labelled yet.",
        picture=Bars("tasks", rows),
    )


def seconds(found: Mapping[str, Sequence[float]]) -> Section:
    """How long people take."""
    boxes = {
        name: tuple(float(x) for x in np.percentile(times, PERCENTILES))
        for name, times in found.items()
    }
    ordered = sorted(boxes, key=lambda name: (boxes[name][2], name))
    return Section(
        key="seconds",
        title="Active time per ranking",
        note="Seconds at the desk, pauses left out. The mark is the median, the box holds the "
        "middle half, the line reaches from the 10th to the 90th percentile. Quickest first.",
        header=("labeler", *(f"p{q}" for q in PERCENTILES), "rankings"),
        rows=[
            (name, *(f"{x:.0f} s" for x in boxes[name]), f"{len(found[name]):,}")
            for name in ordered
        ],
        nothing="No ranking says how long it took.",
        picture=Spread(
            "active seconds (logarithmic)",
            {n: tuple(max(0.1, x) for x in boxes[n]) for n in ordered},  # type: ignore[misc]
        ),
    )


def positions(found: Mapping[str, Measured]) -> Section:
    """Whether the place on the screen matters."""
    return Section(
        key="positions",
        title="Position effect",
        note="First places won over first places due, by the letter a completion was shown under; "
        "1 is no effect. Those who tie for the first place share it. n counts rankings.",
        header=("position", "times its due", "95 % interval", "n", "remark"),
        rows=_measured(found, percent=False),
        nothing="No ranking says in which order its completions were shown.",
        picture=Dots("first places, times their due", found, percent=False, line=1.0),
    )


def lengths(found: Mapping[str, Measured]) -> Section:
    """Whether longer is better."""
    return Section(
        key="lengths",
        title="Length effect",
        note="How often the longer text is preferred, by how many times longer it is; ties left "
        "out. Half is no effect; length and quality may well go together. n counts preferences.",
        header=("longer by", "longer preferred", "95 % interval", "n", "remark"),
        rows=_measured(found, percent=True) if any(m.n for m in found.values()) else [],
        nothing="There are no preferences between texts of different length yet.",
        picture=Dots("longer one preferred", found, line=0.5),
    )


def skips(found: Mapping[str, Counter[str]]) -> Section:
    """Why tasks were put back."""
    reasons = sorted(found, key=lambda reason: (-found[reason].total(), reason))
    return Section(
        key="skips",
        title="Skipped tasks",
        note="Reasons that labelers gave.",
        header=("reason", "skips", "by"),
        rows=[
            (
                reason,
                f"{found[reason].total():,}",
                ", ".join(f"{who} {n}" for who, n in _largest(found[reason])),
            )
            for reason in reasons
        ],
        nothing="Nobody has skipped a task.",
    )


def _largest(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda x: (-x[1], x[0]))


def models(table: Table) -> Section:
    """Which model labelers prefer."""
    return Section(
        key="models",
        title="Win rates",
        note="Share of comparisons with other models won, a tie half. Score: Bradley-Terry log "
        "strength, 0 on average. n counts comparisons.",
        header=("model", "win rate", "95 % interval", "score", "95 % interval", "n"),
        rows=[
            (
                s.name,
                share(s.win_rate.value),
                span(s.win_rate, percent=True),
                share(s.score.value, percent=False),
                span(s.score),
                f"{s.win_rate.n:,}",
            )
            for s in table.standings
        ],
        nothing="No two models were compared.",
        picture=Dots(
            "win rate against the others", {s.name: s.win_rate for s in table.standings}, line=0.5
        ),
        group="models",
    )


def flags(found: Mapping[str, Mapping[str, Share]]) -> Section:
    """What labelers marked in the texts of which model."""
    raised, n = Counter[str](), Counter[str]()
    for model, row in found.items():
        n[model] = max(each.n for each in row.values())
        for flag, each in row.items():
            raised[flag] += round(each.part)
    models = sorted(model for model, _ in _largest(n)[:MOST_MODELS])
    return Section(
        key="flags",
        title="Flags per model",
        note="Share of the answers that raise a flag, where the labeler's guideline asks for it, "
        f"for the {MOST_MODELS} models with the most answers; n counts completions read.",
        header=("flag", *models),
        rows=[
            (flag.replace("_", " "), *(_percent(found[model].get(flag)) for model in models))
            for flag, _ in _largest(raised)
        ]
        + ([("n", *(f"{n[model]:,}" for model in models))] if models else []),
        nothing="Nobody was asked for flags on the completions of a model.",
        values={
            model: {flag: {"value": each.value, "n": each.n} for flag, each in sorted(row.items())}
            for model, row in sorted(found.items())
        },
        group="models",
    )


def _percent(found: Share | None) -> str:
    return "-" if found is None or found.value is None else f"{100 * found.value:.1f} %"


def sizes(found: Mapping[tuple[str, str], Size]) -> Section:
    """How much there is to train on, as in InstructGPT's tables 6 and 8."""
    total = Size()
    for size in found.values():
        total.add(size)
    rows = [(*key, found[key]) for key in sorted(found)]
    return Section(
        key="sizes",
        title="Sizes of the splits",
        note="Prompts by split and source, as in InstructGPT's tables 6 and 8. For SFT: with "
        "demonstrations; for RM: with rankings. Splits are those that labelkit export makes.",
        header=(
            "split", "source", "prompts", "for SFT", "demonstrations", "for RM", "rankings",
            "users", "per user",
        ),
        rows=[(split, source, *_size(size)) for split, source, size in rows]
        + ([("all", "all", *_size(total))] if rows else []),
        nothing="There are no prompts yet.",
        group="data",
    )  # fmt: skip


def _size(size: Size) -> Row:
    counts = (size.prompts, size.with_demonstrations, size.demonstrations, size.with_rankings,
              size.rankings, len(size.users))  # fmt: skip
    per_user = f"{size.by_user / len(size.users):.2f}" if size.users else "-"
    return (*(f"{n:,}" for n in counts), per_user)


def sources(found: Mapping[tuple[str, str], Counter[int]]) -> Section:
    """How long texts are, as in InstructGPT's table 11."""
    rows: list[Row] = []
    for (kind, source), counts in sorted(found.items()):
        said = summary(counts, "tokens") or {}
        mean = sum(length * n for length, n in counts.items()) / counts.total()
        cells = (counts.total(), round(mean), said["p50"], said["p90"], said["p99"], said["max"])
        rows.append((kind, source, *(f"{n:,}" for n in cells)))
    return Section(
        key="sources",
        title="Texts per source",
        note=f"How many, and how long they are ({ESTIMATE}), as in InstructGPT's table 11.",
        header=("what", "source", "texts", "mean", "median", "p90", "p99", "longest"),
        rows=rows,
        nothing="There are no prompts yet.",
        group="data",
    )


def use_cases(found: Mapping[str, Counter[str]]) -> Section:
    """What prompts ask for, as in InstructGPT's table 1."""
    total = sum(row["prompts"] for row in found.values())
    kinds = ("prompts", "demonstrations", "rankings")
    ordered = sorted(found, key=lambda name: (-found[name]["prompts"], name))
    return Section(
        key="use_cases",
        title="Use cases",
        note="What prompts ask for, as in InstructGPT's table 1.",
        header=("use case", "share", *kinds),
        rows=[
            (
                name,
                share(found[name]["prompts"] / total),
                *(f"{found[name][kind]:,}" for kind in kinds),
            )
            for name in ordered
        ],
        nothing="There are no prompts yet.",
        group="data",
    )
