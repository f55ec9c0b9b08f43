"""labelkit export"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, one_command, store_of
from labelkit.cli._out import count, out_json, progress, say


def export(
    ctx: typer.Context,
    format: Annotated[
        str, typer.Option(metavar="STAGE", help="sft, rm, prompts, rankings or records.")
    ],
    trainer: Annotated[
        str, typer.Option("--for", metavar="TRAINER", help="Who will read it.")
    ] = "trl",
    to: Annotated[
        str | None, typer.Option("--out", "-o", metavar="DIR|-", help="A folder, or - for stdout.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME=SHARE,...", help="Split by user, else by prompt.")
    ] = None,
    pairs: Annotated[
        str, typer.Option(metavar="WHICH", help="all, adjacent, best-worst or random:N.")
    ] = "all",
    labels: Annotated[
        str,
        typer.Option(
            metavar="majority|each|consensus:METHOD",
            help="One vote a pair, every ranking its own, or one merged ranking a prompt.",
        ),
    ] = "majority",
    min_majority: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of preferences that must agree.")
    ] = 0.0,
    margin: Annotated[
        str, typer.Option(metavar="none|rank|rating|votes", help="Add a margin from 0 to 1.")
    ] = "none",
    labelers: Annotated[
        str, typer.Option(metavar="human|model|all", help="Whose labels count.")
    ] = "human",
    seed: Annotated[str, typer.Option(help="Decides splits and random pairs.")] = "",
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Write files that trainers train on.

    One JSONL file a split and a manifest.json; the same store gives the same bytes. Ties make no
    pair, and a pair goes the way more labelers chose.
    """
    from labelkit.services import exporting as service

    options = service.options(
        format=format,
        trainer=trainer,
        split=split,
        pairs=pairs,
        labels=labels,
        min_majority=min_majority,
        margin=margin,
        labelers=labelers,
        seed=seed,
        dry_run=dry_run,
    )
    with progress(ctx, "exporting") as bar:
        report = service.export(store_of(ctx), options, service.target(to, dry_run), bar)
    if json:
        out_json(report.as_json())
    for file in report.files:
        say(ctx, f"{to}/{file.name}: {count(file.rows, 'row')}")
    for name in report.empty_splits:
        say(ctx, f"nothing fell into {name}")
    said = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in report.counts.items() if n)
    say(ctx, f"counted: {said}")


app = one_command(
    export,
    "labelkit export --format rm --for trl --out data/rm --split train=0.9,valid=0.1",
    "labelkit export --format sft --out - | head",
)
