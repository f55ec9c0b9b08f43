"""labelkit labelers"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, examples, new_app, store_of
from labelkit.cli._out import out_json, say, table
from labelkit.errors import command

app = new_app(no_args_is_help=True, help="Add and list the people and models that label.")


@app.command(
    epilog=examples("labelkit labelers add alice", "labelkit labelers add gpt-4 --kind model")
)
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call them: labelkit rank --as NAME.")],
    kind: Annotated[
        str, typer.Option(metavar="human|model", help="Models are kept apart.")
    ] = "human",
    cohort: Annotated[str | None, typer.Option(help="A group: training, held-out, ...")] = None,
) -> None:
    """Add a labeler."""
    from labelkit.services import people

    labeler = people.add(store_of(ctx), name, kind, cohort)
    begin = command("labelkit", "rank", "--as", labeler.name)
    say(ctx, f"added {labeler.name}; to begin: {begin}")


@app.command("list", epilog=examples("labelkit labelers list --json"))
def list_(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List labelers."""
    from labelkit.services import people

    labelers = people.everyone(store_of(ctx))
    if json:
        out_json(people.as_json(labelers))
        return
    rows = [(x.name, x.kind, x.cohort, "yes" if x.active else "no") for x in labelers]
    table(("name", "kind", "cohort", "active"), rows)
