"""labelkit report"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import out_json, progress, say, stdout_bytes
from labelkit.cli._selecting import OfBatch, Seed, Since, Whose
from labelkit.errors import UsageError


def report(
    ctx: typer.Context,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the page goes; - is stdout.")
    ] = None,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Show the same here, drawn in text.")
    ] = False,
    batch: OfBatch = None,
    since: Since = None,
    labelers: Whose = "human",
    split: Annotated[
        str | None,
        typer.Option(metavar="NAME=SHARE,...", help="Count sizes by this split, as export does."),
    ] = None,
    seed: Seed = 0,
    json: JsonFlag = False,
) -> None:
    """Put everything a lead shows others on one page.

    One HTML file without a script, a link or anything from the network; the same store gives the
    same bytes. It needs the extra `report`; --terminal and --json do not.
    """
    from labelkit.services import report as service
    from labelkit.services.selection import selection

    if not (out or terminal or json):
        raise UsageError("where to?", hint="--out report.html, --terminal or --json")
    chosen = selection(labelers=labelers, batch=batch, since=since)
    options = service.options(chosen, split=split, seed=seed)
    if out:
        service.ready()
    with progress(ctx, "reading") as bar:
        content = service.report(store_of(ctx), options, bar)
    if terminal:
        from labelkit.cli._report import draw

        draw(content)
    if json:
        out_json(content.as_json())
    if out == Path("-"):
        stdout_bytes().write(service.html(content))
    elif out:
        say(ctx, f"wrote {out}: {service.write(content, out):,} bytes")


app = one_command(
    report,
    "labelkit report --out report.html",
    "labelkit report --terminal",
    "labelkit report --out report.html --split train=0.9,valid=0.1 --since 2026-11-01",
)
