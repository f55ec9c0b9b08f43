"""labelkit purge"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, one_command, store_of
from labelkit.cli._out import confirm, out_json, say


def purge(
    ctx: typer.Context,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Everything that came from this user.")
    ] = None,
    prompt: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Or this prompt; may be repeated.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who does it; else who is logged in.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Delete what came from one person, for good.

    Their prompts go, with every completion, demonstration, ranking, task, draft and decision about
    them. It cannot be undone; backups and exports that were made before are named, not changed.
    """
    from labelkit.services import purging as service

    store = store_of(ctx)
    report = service.preview(store, user, prompt or [])
    if not dry_run:
        if not yes:
            confirm(f"delete {report.sentence()} for good?", "--yes")
        report = service.purge(store, user, prompt or [], by)
    if json:
        out_json(report.as_json())
        return
    say(ctx, f"{'would delete' if dry_run else 'deleted'} {report.sentence()}")
    for remark in report.remarks():
        say(ctx, remark)


app = one_command(
    purge,
    "labelkit purge --user u7 --dry-run",
    "labelkit purge --user u7 --yes",
    "labelkit purge --prompt p17",
)
