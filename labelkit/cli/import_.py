"""labelkit import"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, one_command, store_of
from labelkit.cli._out import count, out_json, progress, say


def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for stdin.")],
    format: Annotated[
        str, typer.Option("--from", metavar="FORMAT", help="What wrote the file.")
    ] = "records",
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

    One transaction: all of the file, or nothing. Importing it again adds nothing.
    """
    from labelkit.services.importing import ImportOptions, import_file, warnings

    options = ImportOptions(format, max_bad, rejects, dry_run)
    with progress(ctx, "importing") as bar:
        report = import_file(store_of(ctx), file, options, bar)
    for problem in (*report.problems, *warnings(report)):
        say(ctx, problem)
    if json:
        out_json(report.as_json())
        return
    for name, counts in report.counts.items():
        if counts.total():
            said = ", ".join(f"{n:,} {word}" for word, n in counts.items() if n)
            say(ctx, f"{name}: {said}")
    if report.rejected:
        say(ctx, f"left out: {count(report.rejected, 'bad row')}")
    if dry_run:
        say(ctx, "dry run: nothing was changed")


app = one_command(
    import_,
    "labelkit import prompts.jsonl",
    "zcat dump.jsonl.gz | labelkit import - --max-bad 10 --rejects bad.jsonl",
)
