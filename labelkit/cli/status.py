"""labelkit status"""

from __future__ import annotations

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import out, out_json, table

BATCH = ("name", "kind", "tasks", "filled", "leased", "open", "set_aside")
LABELER = ("name", "kind", "rankings", "demonstrations", "leased")


def status(ctx: typer.Context, json: JsonFlag = False) -> None:
    """Count prompts, labels, tasks and people."""
    from labelkit.services.status import status as count_all

    found = count_all(store_of(ctx))
    if json:
        out_json(found.as_json())
        return
    table(("what", "count"), list(found.counts.items()))
    if found.batches:
        out()
        table(BATCH, [[batch[c] for c in BATCH] for batch in found.batches])
    if found.labelers:
        out()
        table(LABELER, [[labeler[c] for c in LABELER] for labeler in found.labelers])
    if found.skips:
        out()
        table(("skipped because", "count"), list(found.skips.items()))


app = one_command(status, "labelkit status", "labelkit status --json | jq .rankings")
