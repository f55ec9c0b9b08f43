"""labelkit rank"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import one_command, store_of

As = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", help="Who labels. Else LABELKIT_LABELER."),
]
BatchOption = Annotated[
    str | None, typer.Option("--batch", metavar="NAME", help="Only tasks of this batch.")
]
Plain = Annotated[bool, typer.Option("--plain", help="Line by line: no screen, no colour.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Tasks out, answers in: JSON lines.")]


def rank(
    ctx: typer.Context,
    labeler: As = None,
    batch: BatchOption = None,
    plain: Plain = False,
    jsonl: Jsonl = False,
) -> None:
    """Rate and rank completions, blind, one task after the other.

    Every key is saved at once: leave any way you like, and go on where you were.
    """
    from labelkit.services import desk
    from labelkit.tui import start

    with desk.sit_down(store_of(ctx), labeler, "rank", batch=batch) as place:
        liking = desk.preferences()
        face = start.Face(plain or liking.plain, jsonl, False, liking.theme, liking.keys)
        start.rank(place, face)


app = one_command(
    rank,
    "labelkit rank --as alice",
    "labelkit rank --as alice --batch week-1 --plain",
    "labelkit rank --as judge --jsonl < answers.jsonl",
)
