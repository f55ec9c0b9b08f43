"""labelkit bundle"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, examples, new_app, store_of
from labelkit.cli._out import count, out, out_json, say, table

app = new_app(no_args_is_help=True, help="Make files of tasks to work on without this store.")


@app.command(
    epilog=examples(
        "labelkit bundle make --labeler alice -n 100 --out alice.db",
        "labelkit --db alice.db rank",
    )
)
def make(
    ctx: typer.Context,
    labeler: Annotated[str, typer.Option(metavar="NAME", help="Who will work on it.")],
    to: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file to make.")],
    tasks: Annotated[int, typer.Option("-n", "--tasks", min=1, help="At most this many.")] = 100,
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="So long nobody else gets these tasks.")
    ] = 14,
    kind: Annotated[str, typer.Option(metavar="KIND", help="rank or write.")] = "rank",
    batch: Annotated[str | None, typer.Option(metavar="NAME", help="Only this batch.")] = None,
    json: JsonFlag = False,
) -> None:
    """Put tasks for one labeler into a file, and keep their places for them.

    It holds texts and guideline and no model's name. Bring it back with labelkit merge.
    """
    from labelkit.services import bundling

    options = bundling.BundleOptions(labeler, tasks, days, kind, batch)
    made = bundling.make(store_of(ctx), to, options)
    what = made.manifest
    if json:
        out_json(made.as_json())
    else:
        out(str(made.path))
    say(ctx, f"bundle {what.id}: {count(what.tasks, 'task')} for {what.labeler} until {what.due}")


@app.command("list", epilog=examples("labelkit bundle list --json"))
def list_(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List the bundles made from this store, and what came back."""
    from labelkit.services import bundling

    found = bundling.listed(store_of(ctx))
    if json:
        out_json(bundling.as_json(found))
        return
    header = ("bundle", "labeler", "due", "out", "back", "skipped", "over")
    table(header, [(x.bundle, x.labeler, x.due, x.out, x.back, x.skipped, x.over) for x in found])


@app.command(epilog=examples("labelkit bundle release 3f9ab2c1"))
def release(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="BUNDLE...", help="As listed.")],
) -> None:
    """Give the places of a bundle that will not come back to others."""
    from labelkit.services import bundling

    n = bundling.release(store_of(ctx), names)
    say(ctx, f"{count(n, 'task')} handed out again")
