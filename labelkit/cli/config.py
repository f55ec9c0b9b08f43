"""labelkit config"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, examples, new_app
from labelkit.cli._out import out_json, say, table

app = new_app(no_args_is_help=True, help="Show the settings in force and where they come from.")


@app.callback()
def config() -> None:
    """Show the settings in force and where they come from.

    A flag goes first, then LABELKIT_*, labelkit.toml found upwards, the user's own file, defaults.
    """


@app.command("list", epilog=examples("labelkit config list --show-origin"))
def list_(
    ctx: typer.Context,
    show_origin: Annotated[
        bool, typer.Option("--show-origin", help="Say where each value comes from.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """List the settings in force."""
    from labelkit.services import settings

    found = settings.in_force()
    if json:
        out_json(settings.as_json(found))
        return
    header = ("setting", "value", "origin") if show_origin else ("setting", "value")
    table(header, [(k, s.value, s.origin)[: len(header)] for k, s in found.items()])
    for name in settings.unknown():
        say(ctx, f"nothing reads {name}")
