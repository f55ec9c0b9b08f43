"""labelkit assign"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, one_command, store_of
from labelkit.cli._out import count, out_json, say


def assign(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option(metavar="rank|write", help="What there is to do.")] = "rank",
    batch: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name it; else rank-1, ...")
    ] = None,
    overlap: Annotated[int, typer.Option(min=1, help="How many labelers do each task.")] = 1,
    k_min: Annotated[int, typer.Option(help="Fewest completions of a task.")] = 4,
    k_max: Annotated[int, typer.Option(help="Most completions of a task; 9 at most.")] = 9,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many prompts.")] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="LABELER", help="Only for them; may be repeated."),
    ] = None,
    cohort: Annotated[
        list[str] | None,
        typer.Option("--cohort", metavar="NAME", help="Only for this group; may be repeated."),
    ] = None,
    calibration: Annotated[
        float, typer.Option(metavar="SHARE", help="This share of tasks goes to everybody.")
    ] = 0.0,
    repeat: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Show this share again, unseen, some tasks later."),
    ] = 0.0,
    gold: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Mix in tasks with a known ranking, for everybody."),
    ] = None,
    with_demonstrations: Annotated[
        bool,
        typer.Option("--with-demonstrations", help="Rank demonstrations among the completions."),
    ] = False,
    set_aside: Annotated[
        int, typer.Option(min=1, help="Set a task aside when this many find it unclear.")
    ] = 2,
    use_case: Annotated[str | None, typer.Option(help="Only prompts of this use case.")] = None,
    source: Annotated[str | None, typer.Option(help="Only prompts from this source.")] = None,
    language: Annotated[str | None, typer.Option(help="Only prompts in this language.")] = None,
    priority: Annotated[int, typer.Option(help="Higher goes first.")] = 0,
    partial: Annotated[
        bool, typer.Option("--partial", help="Allow completions to be left unranked.")
    ] = False,
    no_seed: Annotated[
        bool, typer.Option("--no-seed", help="Rank from nothing, not from the ratings.")
    ] = False,
    guideline: Annotated[
        str | None, typer.Option(metavar="NAME@VERSION", help="Pin a version; else the newest.")
    ] = None,
    again: Annotated[bool, typer.Option(help="Also prompts that are in a batch already.")] = False,
    seed: Annotated[str, typer.Option(help="Decides the order tasks are handed out in.")] = "0",
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Cut prompts into tasks and hand them out.

    A prompt with more than --k-max completions gets several tasks that cover them all; one with
    fewer than --k-min gets none, and is reported.
    """
    from labelkit.domain.tasks import BatchSettings, Choice
    from labelkit.services import assigning as service

    options = service.AssignOptions(
        kind=service.kind_of(kind),
        batch=batch,
        settings=BatchSettings(
            k_min=k_min,
            k_max=k_max,
            overlap=overlap,
            partial=partial,
            seed_ratings=service.seeds_ratings(no_seed),
            repeat=repeat,
            calibration=calibration,
            set_aside_after=set_aside,
            with_demonstrations=with_demonstrations,
        ),
        seed=seed,
        priority=priority,
        labelers=tuple(to or ()),
        cohorts=tuple(cohort or ()),
        gold=gold,
        guideline=guideline,
        limit=limit,
        choice=Choice(use_case, source, language, again),
        dry_run=dry_run,
    )
    report = service.assign(store_of(ctx), options)
    if json:
        out_json(report.as_json())
        return
    made = f"{count(report.tasks, 'task')} with {count(report.places, 'slot')}"
    say(ctx, f"{'would make' if dry_run else 'made'} batch {report.batch}: {made}")
    for noun, n in (("calibration", report.calibration), ("gold", report.gold)):
        if n:
            say(ctx, f"{count(n, f'{noun} task')} among them, for everybody")
    if report.excluded:
        say(ctx, f"{count(report.excluded, 'prompt')} excluded: no task")
    if report.too_few:
        say(ctx, f"{count(report.too_few, 'prompt')} with fewer than {k_min} completions: no task")


app = one_command(
    assign,
    "labelkit assign --overlap 3 --batch week-1",
    "labelkit assign --overlap 2 --calibration 0.1 --repeat 0.05 --gold gold.jsonl",
    "labelkit assign --kind write --limit 50 --to alice --to ben",
)
