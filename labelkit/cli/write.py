"""labelkit write"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import one_command, store_of
from labelkit.cli.rank import As, BatchOption, Jsonl, Plain


def write(
    ctx: typer.Context,
    labeler: As = None,
    batch: BatchOption = None,
    editor: Annotated[
        bool, typer.Option("--editor", help="Write in $VISUAL or $EDITOR instead.")
    ] = False,
    plain: Plain = False,
    jsonl: Jsonl = False,
) -> None:
    """Write demonstrations: the best answer to each prompt.

    Text piped in is the whole demonstration for the next prompt.
    """
    from labelkit.services import desk
    from labelkit.tui import start

    with desk.sit_down(store_of(ctx), labeler, "write", batch=batch) as place:
        liking = desk.preferences()
        face = start.Face(plain or liking.plain, jsonl, editor, liking.theme, liking.keys)
        start.write(place, face)


app = one_command(
    write,
    "labelkit write --as alice",
    "labelkit write --as alice --editor",
    "labelkit write --as alice < demonstration.txt",
)
