"""labelkit verify"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command
from labelkit.cli._out import count, out, out_json, progress, say


def verify(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that export wrote.")],
    against: Annotated[
        Path | None,
        typer.Option(metavar="STORE", help="Also ask this store whether it says every row."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Check an export: its files, its rows, and that nothing leaks.

    Every file against the manifest, every row against the rules, every prompt against the other
    splits. Exit 3 when something is off, with the rows named.
    """
    from labelkit.services import verifying as service

    with progress(ctx, "verifying", "rows") as bar:
        report = service.verify(folder, against, bar)
    if json:
        out_json(report.as_json())
    else:
        for finding in report.findings:
            out(f"{folder}/{finding}")
    say(ctx, f"read {count(report.files, 'file')}, {count(report.rows, 'row')}")
    service.check(report)
    say(ctx, "nothing is off")


app = one_command(
    verify,
    "labelkit verify data/rm",
    "labelkit verify data/rm --against labelkit.db --json",
)
