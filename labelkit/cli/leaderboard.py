"""labelkit leaderboard"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import count, out, out_json, progress, say, table
from labelkit.cli._selecting import OfBatch, OfLabelers, Seed, Since, Whose
from labelkit.report.words import share, span

if TYPE_CHECKING:
    from labelkit.services.leaderboard import LeaderboardReport, Standing, Table


def leaderboard(
    ctx: typer.Context,
    against: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Show win rates against this one too.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="FIELD", help="use_case, language, source or length.")
    ] = None,
    demonstrations: Annotated[
        bool,
        typer.Option(
            "--demonstrations/--no-demonstrations",
            help="Let completions that labelers wrote stand as a contestant.",
        ),
    ] = True,
    batch: OfBatch = None,
    labeler: OfLabelers = None,
    since: Since = None,
    labelers: Whose = "human",
    replicates: Annotated[int, typer.Option(min=100, help="Resamples for the intervals.")] = 1000,
    seed: Seed = 0,
    json: JsonFlag = False,
) -> None:
    """Rank the models by what labelers preferred.

    Scores are Bradley-Terry log strengths, 0 on average, ties as half wins; win rates are over all
    comparisons. Intervals are 95 %, by resampling prompts.
    """
    from labelkit.services import leaderboard as service
    from labelkit.services.selection import selection

    chosen = selection(labelers=labelers, batch=batch, labeler=labeler, since=since)
    options = service.options(
        chosen,
        against=against,
        by=by,
        demonstrations=demonstrations,
        replicates=replicates,
        seed=seed,
    )
    with progress(ctx, "reading", "prompts") as bar:
        report = service.leaderboard(store_of(ctx), options, bar)
    if json:
        out_json(report.as_json())
        return
    _print(report)
    for remark in report.remarks():
        say(ctx, remark)


def _print(report: LeaderboardReport) -> None:
    _print_table(report.whole, report)
    for name, group in report.groups.items():
        out()
        out(name)
        _print_table(group, report)


def _print_table(found: Table, report: LeaderboardReport) -> None:
    from labelkit.services.leaderboard import LENGTHS

    against = report.options.against
    header = ["model", "score", "95 % interval", "win rate", "95 % interval"]
    header += [f"against {against}", "95 % interval"] if against else []
    header += [f"when {name}" for name in LENGTHS] if report.options.by == "length" else []
    tied = "" if found.ties is None else f", {share(found.ties)} ties"
    out(f"{count(found.comparisons, 'comparison')} on {count(found.prompts, 'prompt')}{tied}")
    if found.nu.value is not None:
        out(f"Davidson's tie parameter: {found.nu.value:.3f}, 95 % {span(found.nu)}")
    table([*header, "n"], [_row(s, report) for s in found.standings])


def _row(standing: Standing, report: LeaderboardReport) -> list[str]:
    rate, other = standing.win_rate, standing.against
    row = [
        standing.name,
        share(standing.score.value, percent=False),
        span(standing.score),
        share(rate.value),
        span(rate, percent=True),
    ]
    if report.options.against:
        row += [share(other.value), span(other, percent=True)] if other else ["", ""]
    row += [share(found.value) for found in standing.by_length.values()]
    return [*row, f"{rate.n:,}"]


app = one_command(
    leaderboard,
    "labelkit leaderboard",
    "labelkit leaderboard --against sft-175b --by use_case",
    "labelkit leaderboard --json",
)
