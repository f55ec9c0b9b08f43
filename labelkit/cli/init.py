"""labelkit init"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, settings_of, store_of
from labelkit.cli._out import out_json, say


def init(
    ctx: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(help="A folder, or a .db file. Else where --db points.")
    ] = None,
    guideline: Annotated[
        Path | None,
        typer.Option(help="Start from this guideline instead of the one that comes along."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Make a new store with a first guideline in it."""
    from labelkit.services import project

    target = project.store_in(path) if path else store_of(ctx)
    made = project.init(target, guideline, write_settings=settings_of(ctx).db is None)
    if json:
        out_json(made.as_json())
    say(ctx, f"made {made.store} with guideline {made.guideline}")
    say(ctx, "next: labelkit import FILE, labelkit labelers add NAME, labelkit rank --as NAME")


app = one_command(init, "labelkit init", "labelkit --db study.db init --guideline ours.md")
