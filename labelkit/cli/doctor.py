"""labelkit doctor"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import count, out, out_json, say, table


def doctor(
    ctx: typer.Context,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="First set right the counters of tasks, and remove drafts of stored answers.",
        ),
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Look the store over and say what is wrong with it.

    Works every uid and checksum out again from the content, follows every key, and counts slots
    against labels. Exits with 3 when something is wrong, and says what to run.
    """
    from labelkit.services import doctor as service

    diagnosis = service.examine(store_of(ctx), fix=fix)
    if fix:
        drafts = count(diagnosis.swept, "draft")
        say(ctx, f"set right: {count(diagnosis.fixed, 'task')}; removed: {drafts}")
    if json:
        out_json(diagnosis.as_json())
    else:
        out(diagnosis.headline())
        rows = [(f.check, f.where, f.what) for f in diagnosis.findings]
        if rows:
            table(("check", "where", "what"), rows)
        for check, n in diagnosis.hidden.items():
            say(ctx, f"{check}: {n:,} more like these")
    service.check(diagnosis)
    for cure in diagnosis.cures:
        say(ctx, f"try: {cure}")


app = one_command(doctor, "labelkit doctor", "labelkit --db old.db doctor --json")
