"""labelkit status"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import out, out_json, table

COMMON = ("leased", "open", "skips", "per_hour", "hours_left")
BATCH = ("name", "kind", "tasks", "filled", *COMMON, "set_aside")
LABELER = ("name", "kind", "rankings", "demonstrations", "done", *COMMON)


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
        table(BATCH, [_cells(batch, BATCH) for batch in found.batches])
    if found.labelers:
        out()
        table(LABELER, [_cells(labeler, LABELER) for labeler in found.labelers])
    if found.skips:
        out()
        table(("skipped because", "count"), list(found.skips.items()))


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[object]:
    """A row of a table; reasons to skip in words."""
    cells = [row[column] for column in columns]
    return [
        ", ".join(f"{k} {n}" for k, n in c.items()) if isinstance(c, dict) else c for c in cells
    ]


app = one_command(status, "labelkit status", "labelkit status --json | jq .rankings")
