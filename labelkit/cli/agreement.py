"""labelkit agreement"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._measured import matrix_rows, measured_rows
from labelkit.cli._out import out, out_json, progress, say, table
from labelkit.cli._selecting import OfBatch, OfLabelers, Seed, Since, Whose
from labelkit.report.words import share, span

if TYPE_CHECKING:
    from labelkit.services.agreement import AgreementReport, Counted


def agreement(
    ctx: typer.Context,
    batch: OfBatch = None,
    labeler: OfLabelers = None,
    since: Since = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="use_case, language, batch, guideline or week."),
    ] = None,
    min: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Exit with 3 when pairwise agreement (rule drop) is under this."
        ),
    ] = None,
    min_overlap: Annotated[
        int, typer.Option(min=1, help="Units two labelers must share for a cell of a matrix.")
    ] = 30,
    labelers: Whose = "human",
    replicates: Annotated[int, typer.Option(min=100, help="Resamples for the intervals.")] = 1000,
    seed: Seed = 0,
    json: JsonFlag = False,
) -> None:
    """Measure how far labelers agree.

    Over every pair of completions that two labelers or more judged, whatever task the judgements
    came from; over rankings, ratings and flags. Intervals are 95 %, by resampling prompts.
    """
    from labelkit.services import agreement as service
    from labelkit.services.selection import selection

    chosen = selection(labelers=labelers, batch=batch, labeler=labeler, since=since)
    options = service.options(
        chosen, by=by, min_overlap=min_overlap, replicates=replicates, seed=seed
    )
    with progress(ctx, "reading", "prompts") as bar:
        report = service.agreement(store_of(ctx), options, bar)
    if json:
        out_json(report.as_json())
    else:
        _print(report)
        for remark in report.remarks():
            say(ctx, remark)
    if min is not None:
        service.check(report, min)


def _print(report: AgreementReport) -> None:
    from labelkit.agreement.pairwise import RULES
    from labelkit.services.agreement import REFERENCE

    out(report.headline())
    rows = []
    for rule, meaning in RULES.items():
        found = report.whole.find("pairwise", rule)
        rows.append((rule, share(found.value), span(found, percent=True), f"{found.n:,}", meaning))
    table(("rule", "agree", "95 % interval", "n", "which means"), rows)
    out(REFERENCE)
    if report.groups:
        out()
        _print_groups(report)
        return
    for name in report.statistics:
        if name != "pairwise":
            _print_statistic(report, name)


def _print_statistic(report: AgreementReport, name: str) -> None:
    statistic, found = report.statistics[name], report.whole.findings[name]
    out()
    out(f"{statistic.title}. {statistic.rule}")
    table(
        ("of", "value", "95 % interval", "n", "remark"),
        measured_rows(found, percent=statistic.percent, matrix=statistic.matrix),
    )
    if statistic.matrix:
        for title, header, rows in matrix_rows(found):
            out()
            out(title)
            if rows:
                table(header, rows)


def _print_groups(report: AgreementReport) -> None:
    def row(name: str, group: Counted) -> tuple[str, ...]:
        drop = group.find("pairwise", "drop")
        alpha = group.find("krippendorff-alpha", "pairs", "nominal")
        return (
            name,
            f"{group.rankings:,}",
            share(drop.value),
            span(drop, percent=True),
            f"{drop.n:,}",
            share(alpha.value, percent=False),
            span(alpha),
        )

    header = (
        str(report.options.by), "rankings", "agree (drop)", "95 % interval", "n",
        "alpha (nominal)", "95 % interval",
    )  # fmt: skip
    table(header, [row(name, group) for name, group in report.groups.items()])


app = one_command(
    agreement,
    "labelkit agreement",
    "labelkit agreement --by use_case",
    "labelkit agreement --json --min 0.7",
)
