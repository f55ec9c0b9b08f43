"""labelkit why"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import out, out_json, table

COLUMNS = (
    "says",
    "labeler",
    "labeler_kind",
    "guideline",
    "seconds",
    "submitted_at",
    "tiers",
    "shown",
)


def why(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="DIR#ROW|ID", help="A row of an export, or a pair_id.")
    ],
    json: JsonFlag = False,
) -> None:
    """Say which labels made a row of an export.

    Rows are counted from 1 through the files, train first; DIR/FILE#ROW counts in one file. The
    answer names every ranking that bears on the row: who, under which guideline, in how many
    seconds, and the order the completions were shown in.
    """
    from labelkit.services import tracing as service

    report = service.why(store_of(ctx), target)
    if json:
        out_json(report.as_json())
        return
    out(f"prompt {report.bundle.prompt.name}")
    for part, completion in report.completions.items():
        models = ", ".join(s.model for s in completion.sources if s.model) or "unknown"
        out(f"{part} {completion.name} by {models}")
    table(COLUMNS, [[said[name] for name in COLUMNS] for said in report.as_json()["labels"]])


app = one_command(
    why,
    "labelkit why data/rm#12",
    "labelkit why data/rm/valid.jsonl#1 --json",
)
