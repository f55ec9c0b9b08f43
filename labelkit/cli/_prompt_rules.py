"""The rules of labelkit prompts: commands that decide about many prompts at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, examples, new_app, store_of
from labelkit.cli._out import count, out_json, out_json_rows, progress, say, table

if TYPE_CHECKING:
    from labelkit.services.deciding import Run

rules = new_app()

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Prompts by id or uid; - reads ids from stdin."),
]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; else who is logged in.")]
Note = Annotated[str, typer.Option(help="Why, for whoever reads it later.")]


def report_run(ctx: typer.Context, run: Run, done: str, *, json: bool) -> None:
    """Say what a command decided, and how to take it back."""
    if json:
        out_json(run.as_json())
        return
    said = f"{count(run.made, 'prompt')} {done}" if run.made else f"nothing to be {done}"
    say(ctx, f"would be: {said}" if run.dry_run and run.made else said)
    if run.known:
        say(ctx, f"{count(run.known, 'prompt')} left as it was: that held already")
    if run.newer:
        say(ctx, f"{count(run.newer, 'prompt')} left alone: decided about again since")
    if run.id:
        say(ctx, f"to take it back: labelkit prompts undo {run.id}")


@rules.command(
    epilog=examples(
        "labelkit prompts dedupe --dry-run",
        "labelkit prompts dedupe --threshold 0.8 --prefix 0",
    )
)
def dedupe(
    ctx: typer.Context,
    threshold: Annotated[
        float, typer.Option(help="Share of words in the same order; 0.5 to 1.")
    ] = 0.9,
    prefix: Annotated[
        int, typer.Option(min=0, help="Or so many characters the same at the beginning; 0: never.")
    ] = 200,
    by: By = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Exclude near-duplicates: one of each group stays.

    The one that stays was kept by hand, or has the most labels; the answer does not depend on the
    order of the prompts.
    """
    from labelkit.services import hygiene as service

    how = service.Deciding(by, dry_run)
    with progress(ctx, "reading prompts") as bar:
        found = service.dedupe(store_of(ctx), how, threshold, prefix, bar)
    if json:
        out_json(found.as_json())
        return
    table(service.DUPLICATE_COLUMNS, found.rows())
    said = f"{count(found.members, 'duplicate')} of {count(len(found.groups), 'prompt')}"
    say(ctx, f"{said} among {found.prompts:,}")
    report_run(ctx, found.run, "excluded", json=False)


@rules.command(
    epilog=examples("labelkit prompts cap --most 200", "labelkit prompts cap --key meta.app")
)
def cap(
    ctx: typer.Context,
    most: Annotated[int, typer.Option(min=1, help="So many prompts of one user stay.")] = 200,
    key: Annotated[
        str, typer.Option(metavar="FIELD", help="user, source, ... or meta.FIELD.")
    ] = "user",
    seed: Annotated[str, typer.Option(help="Decides which ones stay.")] = "",
    by: By = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Exclude what is beyond so many prompts of one user.

    Those kept by hand stay first, then labelled ones; among the rest a hash decides.
    """
    from labelkit.services import hygiene as service

    found = service.cap(store_of(ctx), service.Deciding(by, dry_run), most, key, seed)
    if json:
        out_json(found.as_json())
        return
    table((key, "prompts", "excluded"), [(v, *sizes) for v, sizes in found.groups.items()])
    if found.without:
        say(ctx, f"{count(found.without, 'prompt')} without {key}: no cap")
    report_run(ctx, found.run, "excluded", json=False)


@rules.command(
    epilog=examples(
        "labelkit prompts pii",
        "labelkit prompts pii --decide keep p17 --note 'a shop, not a person'",
        "labelkit prompts pii --decide exclude --all",
    )
)
def pii(
    ctx: typer.Context,
    names: Names = None,
    decide: Annotated[
        str | None, typer.Option(metavar="keep|exclude", help="Let these pass, or exclude them.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only key, email, iban, card, ip or phone.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Decide about all listed; or list decided ones too.")
    ] = False,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Show what was found.")] = False,
    note: Note = "",
    by: By = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Show hints at personal data, and decide about them.

    Prompts with undecided hints leave in no training split. Names and postal addresses are not
    looked for: no hint is no proof.
    """
    from labelkit.services import hygiene as service

    store = store_of(ctx)
    if decide is not None:
        from labelkit.services.deciding import ids_of

        how = service.Deciding(by, dry_run)
        ids = ids_of(names or [])
        run = service.decide_pii(
            store, decide, ids, how, kind=kind, everything=everything, note=note
        )
        report_run(ctx, run, "passed" if decide == "keep" else "excluded", json=json)
        return
    found = service.suspects(store, names or [], kind, everything=everything)
    if json:
        out_json_rows(service.PII_SCHEMA, "prompts", (s.as_json(unmasked=unmasked) for s in found))
        return
    table(service.PII_COLUMNS, (row for s in found for row in s.rows(unmasked=unmasked)))


@rules.command(
    epilog=examples(
        "labelkit prompts split", "labelkit prompts split train=0.9,valid=0.1 --dry-run"
    )
)
def split(
    ctx: typer.Context,
    plan: Annotated[
        str | None, typer.Argument(metavar="[NAME=SHARE,...]", help="Left out: only show sizes.")
    ] = None,
    seed: Annotated[str, typer.Option(help="Decides who goes where.")] = "",
    move: Annotated[
        bool, typer.Option("--move", help="Also those who are in a split already.")
    ] = False,
    by: By = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Split prompts by user, nobody in two splits, and show how large the splits are.

    Sizes stand as in InstructGPT's table 6: prompts with a demonstration (sft), with a ranking
    (rm), and all (ppo). Exports follow the splits, and prompts that come later follow the plan.
    """
    from labelkit.services import splitting as service

    store, how = store_of(ctx), (by, dry_run)
    found = service.split(store, plan, seed, *how, move=move) if plan else service.sizes(store)
    if json:
        out_json(found.as_json())
        return
    table(service.COLUMNS, found.rows())
    if found.run:
        report_run(ctx, found.run, "put into a split", json=False)


@rules.command(
    epilog=examples(
        "labelkit prompts tag",
        "labelkit prompts tag open_qa p17 p18",
        "labelkit prompts tag --file tags.csv",
    )
)
def tag(
    ctx: typer.Context,
    use_case: Annotated[
        str | None, typer.Argument(metavar="[USE_CASE]", help="Left out: show how they are spread.")
    ] = None,
    names: Names = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV, TSV or JSONL with prompt_id and use_case."),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Allow use cases that neither paper nor store know.")
    ] = False,
    by: By = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Say what prompts are for, and show the spread beside the paper's (InstructGPT, table 1)."""
    from labelkit.services import tagging as service

    store = store_of(ctx)
    run = service.tagged(store, use_case, names or [], file, (by, dry_run), new=new)
    if run is not None:
        report_run(ctx, run, "tagged", json=json)
        return
    rows = service.spread(store)
    if json:
        out_json(service.as_json(rows))
        return
    table(service.COLUMNS, map(service.as_row, rows))
