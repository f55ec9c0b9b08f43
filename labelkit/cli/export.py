"""labelkit export"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, one_command, store_of
from labelkit.cli._out import count, out_json, progress, say
from labelkit.cli._selecting import Whose


def export(
    ctx: typer.Context,
    format: Annotated[
        str,
        typer.Option(metavar="STAGE", help="sft, rm, dpo, kto, prompts, rankings or records."),
    ],
    trainer: Annotated[
        str, typer.Option("--for", metavar="TRAINER", help="Who will read it.")
    ] = "trl",
    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Another way that the same trainer reads.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--out", "-o", metavar="DIR|-", help="A folder, or - for stdout.")
    ] = None,
    container: Annotated[
        str | None, typer.Option(metavar="KIND", help="jsonl, jsonl.gz or parquet.")
    ] = None,
    max_rows: Annotated[
        int, typer.Option("--max-rows-per-file", min=0, help="Cut files at so many rows.")
    ] = 0,
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
    by_group: Annotated[
        bool, typer.Option("--by-group", help="Add pair_id, ranking_id, k, n_pairs and weight.")
    ] = False,
    labelers: Whose = "human",
    answers: Annotated[
        str,
        typer.Option("--from", metavar="demonstrations|best|both", help="What sft learns from."),
    ] = "demonstrations",
    kto_rule: Annotated[
        str,
        typer.Option("--kto", metavar="best-worst|halves", help="Which tiers kto wants or not."),
    ] = "best-worst",
    misfits: Annotated[
        str,
        typer.Option(
            metavar="refuse|flatten", help="Prompts the rows cannot say: leave out, or as text."
        ),
    ] = "refuse",
    keep_contradictions: Annotated[
        bool,
        typer.Option("--keep-contradictions", help="With --labels each: both directions too."),
    ] = False,
    keep_template_tokens: Annotated[
        bool,
        typer.Option("--keep-template-tokens", help="Keep texts that hold <|im_end|> or such."),
    ] = False,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Measure rows with this tokenizer.json."),
    ] = None,
    allow_pii: Annotated[
        bool,
        typer.Option("--allow-pii", help="Train on prompts with undecided PII hints too."),
    ] = False,
    licence: Annotated[
        str | None, typer.Option("--licence", "--license", help="For the dataset card.")
    ] = None,
    card: Annotated[
        bool, typer.Option("--card/--no-card", help="Write README.md, the dataset card.")
    ] = True,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Processes; 0 is one for every core.")
    ] = 0,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Only the I-th of N parts, each for itself.")
    ] = None,
    seed: Annotated[str, typer.Option(help="Decides splits, random pairs, kto's order.")] = "",
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Write files that trainers train on.

    A file a split, a dataset card and a manifest; the same store gives the same bytes. Ties make no
    pair, and a pair goes the way more labelers chose.
    """
    from labelkit.services import exporting as service

    options = service.options(
        format=format,
        trainer=trainer,
        variant=variant,
        split=split,
        pairs=pairs,
        labels=labels,
        min_majority=min_majority,
        margin=margin,
        labelers=labelers,
        answers=answers,
        kto_rule=kto_rule,
        misfits=misfits,
        by_group=by_group,
        container=container,
        max_rows=max_rows,
        keep_contradictions=keep_contradictions,
        keep_template_tokens=keep_template_tokens,
        allow_pii=allow_pii,
        licence=licence,
        card=card,
        tokenizer=tokenizer,
        seed=seed,
        dry_run=dry_run,
        jobs=jobs,
        shard=shard,
    )
    with progress(ctx, "exporting", "prompts") as bar:
        report = service.export(store_of(ctx), options, service.target(to, dry_run), bar)
    if json:
        out_json(report.as_json())
    for file in report.files:
        say(ctx, f"{to}/{file.name}: {count(file.rows, 'row')}")
    for remark in report.remarks():
        say(ctx, remark)
    said = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in report.counts.items() if n)
    say(ctx, f"counted: {said}")


app = one_command(
    export,
    "labelkit export --format rm --for trl --out data/rm --split train=0.9,valid=0.1",
    "labelkit export --format sft --from both --out - | head",
    "labelkit export --format kto --for llamafactory --out data/kto",
)
