"""labelkit db"""

from __future__ import annotations

import typer

from labelkit.cli._app import JsonFlag, examples, new_app, store_of
from labelkit.cli._out import out, out_json, say, table

app = new_app(no_args_is_help=True, help="Say where and what the store is, and upgrade it.")


@app.command(epilog=examples("sqlite3 -readonly $(labelkit db path)"))
def path(ctx: typer.Context) -> None:
    """Print the path of the store in use."""
    out(str(store_of(ctx).absolute()))


@app.command(epilog=examples("labelkit db info --json"))
def info(ctx: typer.Context, json: JsonFlag = False) -> None:
    """Print what kind of store it is: schema version, project, size, backups."""
    from labelkit.services import upgrade as service

    facts = service.info(store_of(ctx))
    if json:
        out_json(facts)
        return
    table(("what", "is"), [(k.replace("_", " "), v) for k, v in facts.items() if k != "schema"])


@app.command(epilog=examples("labelkit db upgrade"))
def upgrade(ctx: typer.Context, json: JsonFlag = False) -> None:
    """Bring the store to the schema of this labelkit, after a backup."""
    from labelkit.services import upgrade as service

    done = service.upgrade(store_of(ctx))
    if json:
        out_json(done.as_json())
    if done.backup is None:
        say(ctx, f"{done.store} is at schema {done.new} already")
        return
    say(ctx, f"backed up to {done.backup}")
    say(ctx, f"upgraded {done.store} from schema {done.old} to {done.new}")
