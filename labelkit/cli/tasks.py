"""labelkit tasks"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, examples, new_app, store_of
from labelkit.cli._out import count, out_json, say, table

app = new_app(no_args_is_help=True, help="List tasks, set them aside, and hand them out again.")

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[TASK]...", help="As listed; six letters will do.")
]


@app.command("list", epilog=examples("labelkit tasks list --set-aside"))
def list_(
    ctx: typer.Context,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Only tasks that wait for the lead.")
    ] = False,
    batch: Annotated[str | None, typer.Option(metavar="NAME", help="Only this batch.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many.")] = None,
    json: JsonFlag = False,
) -> None:
    """List tasks, and why labelers put them back."""
    from labelkit.services import tasks

    rows = tasks.listed(store_of(ctx), batch=batch, set_aside=set_aside, limit=limit)
    if json:
        out_json(tasks.as_json(rows))
        return
    header = ("task", "batch", "state", "done", "skipped because", "notes", "prompt")
    table(header, [tasks.as_row(row) for row in rows])


@app.command(epilog=examples("labelkit tasks release 3f9ab2", "labelkit tasks release --all"))
def release(
    ctx: typer.Context,
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Every task set aside.")] = False,
) -> None:
    """Hand tasks that were set aside out again."""
    from labelkit.services import tasks

    n = tasks.release(store_of(ctx), names or (), everything=everything)
    say(ctx, f"{count(n, 'task')} handed out again")


@app.command("set-aside", epilog=examples("labelkit tasks set-aside 3f9ab2"))
def set_aside(ctx: typer.Context, names: Names = None) -> None:
    """Hand tasks out no more, until they are released."""
    from labelkit.services import tasks

    say(ctx, f"{count(tasks.set_aside(store_of(ctx), names or ()), 'task')} set aside")
