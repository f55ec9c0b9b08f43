"""labelkit restore"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import count, out_json, say
from labelkit.errors import command


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup: labelkit backup --list.")],
    json: JsonFlag = False,
) -> None:
    """Make the store what a backup was.

    What the store is now is kept as a backup of its own, and labels made since can be merged back.
    """
    from labelkit.services import backup as service

    done = service.restore(store_of(ctx), file)
    if json:
        out_json(done.as_json())
    say(ctx, f"restored {done.store} from {done.backup}")
    if done.replaced:
        say(ctx, f"what it was is in {done.replaced}")
    if done.since:
        say(ctx, f"{count(done.since, 'label')} made since; to bring them back:")
        say(ctx, f"  {command('labelkit', 'merge', done.replaced)}")
    if done.outdated:
        say(ctx, "next: labelkit db upgrade")


app = one_command(restore, "labelkit restore labelkit.db.backups/labelkit-20261120T101500.000Z.db")
