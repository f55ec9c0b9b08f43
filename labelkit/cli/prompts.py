"""labelkit prompts"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, examples, new_app, store_of
from labelkit.cli._out import out, out_json, out_json_rows, table
from labelkit.cli._prompt_rules import By, Names, Note, report_run, rules

if TYPE_CHECKING:
    from labelkit.services.prompts import Shown

app = new_app(
    no_args_is_help=True, help="Look at prompts, and decide which are used, and for what."
)


@app.command(
    "list",
    epilog=examples(
        "labelkit prompts list --longer-than 1024",
        "labelkit prompts list --excluded --user u7",
        "labelkit prompts list --longer-than 1024 --ids | labelkit prompts exclude -",
    ),
)
def list_(
    ctx: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only from this source.")] = None,
    user: Annotated[str | None, typer.Option(help="Only from this user.")] = None,
    use_case: Annotated[str | None, typer.Option(help="Only of this use case.")] = None,
    language: Annotated[str | None, typer.Option(help="Only in this language.")] = None,
    split: Annotated[str | None, typer.Option(help="Only in this split.")] = None,
    excluded: Annotated[
        bool | None, typer.Option("--excluded/--used", help="Only those excluded, or not.")
    ] = None,
    pii: Annotated[
        bool, typer.Option("--pii", help="Only with undecided hints at personal data.")
    ] = False,
    text: Annotated[
        str | None, typer.Option("--text", metavar="WORDS", help="Only with these words in it.")
    ] = None,
    longer_than: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Only over N tokens (estimated).")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many.")] = None,
    ids: Annotated[bool, typer.Option("--ids", help="One uid a line, for other commands.")] = False,
    json: JsonFlag = False,
) -> None:
    """List prompts, what was said to them, and what was decided."""
    from labelkit.services import prompts as service

    search = service.search(
        source=source,
        user=user,
        use_case=use_case,
        language=language,
        split=split,
        excluded=excluded,
        text=text,
        longer_than=longer_than,
        pii=pii,
    )
    found = service.listed(store_of(ctx), search, limit, counted=not ids)
    if json:
        out_json_rows(service.LIST_SCHEMA, "prompts", map(service.as_json, found))
    elif ids:
        for item in found:
            out(item.prompt.uid)
    else:
        table(service.COLUMNS, map(service.as_row, found))


@app.command(epilog=examples("labelkit prompts show p17", "labelkit prompts show 3f9ab2 --json"))
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the start of its uid.")],
    json: JsonFlag = False,
) -> None:
    """Show all that is known of one prompt, who wrote its completions among it."""
    from labelkit.services import prompts as service

    shown = service.show(store_of(ctx), name)
    if json:
        out_json(shown.as_json())
    else:
        _print(shown)


def _print(shown: Shown) -> None:
    from labelkit.services import prompts as service

    for name, value in service.facts(shown):
        out(f"{name}: {value}")
    for message in shown.bundle.prompt.messages:
        out()
        out(f"[{message.role}]")
        out(message.content)
    for title, header, rows in service.tables(shown):
        out()
        out(title)
        table(header, rows)


@app.command(
    epilog=examples(
        "labelkit prompts exclude p17 --note 'a test of ours'",
        "labelkit prompts list --longer-than 1024 --ids | labelkit prompts exclude -",
    )
)
def exclude(
    ctx: typer.Context,
    names: Names = None,
    note: Note = "",
    by: By = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Use prompts no more: they make no task and leave with no export."""
    from labelkit.services import deciding as service

    ids = service.ids_of(names or [])
    run = service.exclude(store_of(ctx), ids, note=note, by=by, dry_run=dry_run)
    report_run(ctx, run, "excluded", json=json)


@app.command(epilog=examples("labelkit prompts keep p17 --note 'looked at it'"))
def keep(
    ctx: typer.Context,
    names: Names = None,
    note: Note = "",
    by: By = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Use prompts whatever a rule says: dedupe, cap and PII hints let them pass."""
    from labelkit.services import deciding as service

    ids = service.ids_of(names or [])
    run = service.keep(store_of(ctx), ids, note=note, by=by, dry_run=dry_run)
    report_run(ctx, run, "kept", json=json)


@app.command(
    epilog=examples("labelkit prompts undo 5f0c11aa", "labelkit prompts undo --prompt p17")
)
def undo(
    ctx: typer.Context,
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="As labelkit prompts log says.")
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="The last decision about this prompt; may be repeated."),
    ] = None,
    by: By = None,
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Take decisions back: what held before holds again."""
    from labelkit.services import deciding as service

    run = service.undo(store_of(ctx), runs or [], prompt or [], by=by, dry_run=dry_run)
    report_run(ctx, run, "as before", json=json)


@app.command(epilog=examples("labelkit prompts log --limit 10"))
def log(
    ctx: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many.")] = None,
    json: JsonFlag = False,
) -> None:
    """List what was decided, the newest first."""
    from labelkit.services import deciding as service

    rows = service.log(store_of(ctx), limit)
    if json:
        out_json(service.log_as_json(rows))
        return
    table(service.LOG_COLUMNS, map(service.log_row, rows))


app.registered_commands += rules.registered_commands
