"""labelkit import"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, one_command, store_of
from labelkit.cli._out import count, out_json, progress, say

if TYPE_CHECKING:
    from labelkit.services.importing import ImportReport


def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for stdin.")],
    format: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FORMAT", help="What wrote the file; found out when left out."
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="What a column of a table holds: prompt, chosen, rejected, completion_a, winner, "
            "rank_a, rating_a, model_a, labeler, ...",
        ),
    ] = None,
    winners: Annotated[
        list[str] | None,
        typer.Option(
            "--winner",
            metavar="WORD=SIDE",
            help="Which completion a table's winner means: 1=a, 0=b, 2=tie, ...",
        ),
    ] = None,
    items: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Where the texts are, if FILE only has the ids of its items."
        ),
    ] = None,
    labeler: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose rankings these are, where the file names nobody."),
    ] = None,
    max_bad: Annotated[
        int,
        typer.Option(
            min=0, help="Leave out up to this many bad rows; one more, and nothing is imported."
        ),
    ] = 0,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write bad rows here, with the reasons.")
    ] = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Take in prompts, completions and labels.

    From labelkit's own records or another tool's file. One transaction: all of the file, or
    nothing. Importing it again adds nothing.
    """
    from labelkit.services.import_formats import parse_columns, parse_winners
    from labelkit.services.importing import ImportOptions, import_file

    options = ImportOptions(
        format=format,
        max_bad=max_bad,
        rejects=rejects,
        dry_run=dry_run,
        columns=parse_columns(columns or []),
        winners=parse_winners(winners or []),
        labeler=labeler,
        items=items,
    )
    with progress(ctx, "importing", "B") as bar:
        report = import_file(store_of(ctx), file, options, bar)
    _tell(ctx, report)
    if json:
        out_json(report.as_json())


def _tell(ctx: typer.Context, report: ImportReport) -> None:
    """Say what was read, what was left out, and what the store now has more."""
    if report.detected:
        say(ctx, f"format: {report.format}")
    for problem in (*report.problems, *report.warnings):
        say(ctx, problem)
    for what, n in sorted(report.lost.items()):
        say(ctx, f"not kept: {what} ({n:,})")
    for name, counts in report.counts.items():
        if counts.total():
            said = ", ".join(f"{n:,} {word}" for word, n in counts.items() if n)
            say(ctx, f"{name}: {said}")
    if report.rejected:
        say(ctx, f"left out: {count(report.rejected, 'bad row')}")
    if report.dry_run:
        say(ctx, "dry run: nothing was changed")


app = one_command(
    import_,
    "labelkit import prompts.jsonl",
    "labelkit import train.jsonl.gz --from pairs --labeler ana",
    "labelkit import votes.csv --map question=prompt --map better=chosen --map worse=rejected",
    "zcat dump.jsonl.gz | labelkit import - --max-bad 10 --rejects bad.jsonl",
)
