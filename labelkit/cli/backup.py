"""labelkit backup"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import out, out_json, progress, say, table


def backup(
    ctx: typer.Context,
    to: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="A folder. Else STORE.backups."),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Afterwards, remove all but this many; this one counts."),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="List the backups there are, and make none.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Copy the store, while people work, to a verified file.

    The file is named by the time in UTC. Upgrades, merges and restores make one by themselves.
    """
    from labelkit.services import backup as service

    store = store_of(ctx)
    if listing:
        found = service.listed(store, to)
    else:
        with progress(ctx, "copying", "B") as bar:
            made = service.backup(store, to, keep=keep, progress=bar)
        for path in made.removed:
            say(ctx, f"removed {path}")
        found = [made]
    if json:
        out_json(service.as_json(store, found))
    elif listing:
        rows = [(b.at, b.before or "", f"{b.size:,}", b.path) for b in found]
        table(("at", "before", "bytes", "file"), rows)
    else:
        out(str(found[0].path))


app = one_command(backup, "labelkit backup --keep 14", "labelkit backup --list")
