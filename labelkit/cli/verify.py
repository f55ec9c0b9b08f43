"""labelkit verify"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command
from labelkit.cli._out import count, out, out_json, progress, say


def verify(
    ctx: typer.Context,
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="A folder that export wrote, or all its shards."),
    ],
    against: Annotated[
        Path | None,
        typer.Option(metavar="STORE", help="Also ask this store whether it says every row."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Check an export: its files, its rows, and that nothing leaks.

    Every file against the manifest, every row against the rules, every prompt against the other
    splits. Of several folders, whether they are all the shards of one export. Exit 3 when something
    is off, with the rows named.
    """
    from labelkit.services import verify_parts as parts
    from labelkit.services.verifying import check

    with progress(ctx, "verifying", "rows") as bar:
        reports = parts.verify_parts(folders, against, bar)
    if json:
        out_json(parts.as_json(reports))
    else:
        for report in reports:
            for finding in report.findings:
                out(f"{report.folder}/{finding}")
    for report in reports[: len(folders)]:
        say(ctx, f"read {count(report.files, 'file')}, {count(report.rows, 'row')}")
    for report in reports:
        check(report)
    say(ctx, "nothing is off")


app = one_command(
    verify,
    "labelkit verify data/rm",
    "labelkit verify data/rm --against labelkit.db --json",
    "labelkit verify data/rm/part-*",
)
