"""labelkit screen"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, one_command, store_of
from labelkit.cli._out import out, out_json, say, table
from labelkit.report.words import span

if TYPE_CHECKING:
    from labelkit.services.screening import Criterion, ScreenReport


def screen(
    ctx: typer.Context,
    flags: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Candidates' answers: candidate, item, [flag,] value."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The right answers: item, [flag,] value.")
    ] = None,
    demonstrations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Leads' scores, 1 to 7: candidate, item, score."),
    ] = None,
    self_assessment: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What they say of themselves: candidate, group, able."),
    ] = None,
    candidates: Annotated[
        str, typer.Option(metavar="COHORT", help="Whose rankings in the store are looked at.")
    ] = "candidate",
    researchers: Annotated[
        str, typer.Option(metavar="COHORT", help="Whose rankings they are held against.")
    ] = "researcher",
    flags_cutoff: Annotated[float, typer.Option(min=0, max=1, help="Soft cut-off.")] = 0.75,
    rankings_cutoff: Annotated[float, typer.Option(min=0, max=1, help="Soft cut-off.")] = 0.75,
    demonstrations_cutoff: Annotated[float, typer.Option(min=1, max=7, help="Soft cut-off.")] = 6.0,
    set_cohort: Annotated[
        bool,
        typer.Option("--set-cohort", help="Put who is suggested or accepted into training."),
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="With --set-cohort: into training all the same."),
    ] = None,
    hold_out: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With --set-cohort: into held-out.")
    ] = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Screen candidates the way InstructGPT did.

    Flags against a key, rankings against researchers', demonstrations scored by leads, and
    self-assessment. Cut-offs are soft: a report on each candidate, and people decide.
    """
    from labelkit.services import screening as service

    options = service.ScreenOptions(
        flags,
        key,
        demonstrations,
        self_assessment,
        candidates,
        researchers,
        flags_cutoff,
        rankings_cutoff,
        demonstrations_cutoff,
    )
    decision = service.decision(set_cohort, accept or [], hold_out or [], dry_run)
    store = store_of(ctx)
    report = service.screen(store, options)
    if json:
        out_json(report.as_json())
    else:
        _print(report)
    if decision:
        for name, cohort in service.set_cohorts(store, report, decision).items():
            say(ctx, f"{name}: {cohort}")


def _print(report: ScreenReport) -> None:
    out(report.sentence())
    for candidate in report.candidates:
        out()
        out(f"{candidate.name}: {candidate.suggestion}")
        table(
            ("criterion", "value", "95 % interval", "n", "cut-off", "stands"),
            [
                (
                    c.name,
                    _value(c, c.measured.value),
                    _span(c),
                    c.measured.n,
                    _value(c, c.cutoff),
                    c.standing,
                )
                for c in candidate.criteria
            ],
        )
        if candidate.able or candidate.unable:
            out(f"feels able to judge: {', '.join(candidate.able) or 'none'}")
            out(f"does not: {', '.join(candidate.unable) or 'none'}")


def _value(criterion: Criterion, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if criterion.cutoff > 1 else f"{100 * value:.1f} %"


def _span(criterion: Criterion) -> str:
    return span(criterion.measured, percent=criterion.cutoff <= 1)


app = one_command(
    screen,
    "labelkit screen --flags flags.csv --key key.csv --demonstrations scores.csv",
    "labelkit screen --candidates candidate --researchers researcher --json",
    "labelkit screen --demonstrations scores.csv --set-cohort --hold-out zoe",
)
