"""labelkit guidelines"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, examples, new_app, store_of
from labelkit.cli._out import out, out_json, say, table

app = new_app(no_args_is_help=True, help="Add, list and show versions of the guideline.")


@app.command(epilog=examples("labelkit guidelines add guidelines/helpful-honest-harmless.md"))
def add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Markdown with a front matter.")],
) -> None:
    """Add a version of a guideline; it is in force from now on."""
    from labelkit.services import guidelines

    guideline, new = guidelines.add(store_of(ctx), file)
    say(ctx, f"added {guideline.ref}" if new else f"{guideline.ref} was there already")


@app.command("list", epilog=examples("labelkit guidelines list --json"))
def list_(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List the versions there are."""
    from labelkit.services import guidelines

    found = guidelines.everything(store_of(ctx))
    if json:
        out_json(guidelines.as_json(found))
        return
    rows = [
        (g.ref, g.title, f"{g.scale.least}-{g.scale.most}", len(g.flags), "yes" if g.text else "no")
        for g in found
    ]
    table(("guideline", "title", "scale", "flags", "text known"), rows)


@app.command(epilog=examples("labelkit guidelines show", "labelkit guidelines show ours@2"))
def show(
    ctx: typer.Context,
    ref: Annotated[
        str | None, typer.Argument(metavar="[NAME[@VERSION]]", help="Else the one in force.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Print a guideline."""
    from labelkit.services import guidelines

    guideline = guidelines.get(store_of(ctx), ref)
    if json:
        out_json(guidelines.as_json([guideline]))
        return
    out((guideline.text or f"{guideline.ref}: labels quote it, its text is not here").rstrip("\n"))
