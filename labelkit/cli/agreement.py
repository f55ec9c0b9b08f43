"""labelkit agreement"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import out, out_json, percent, table


def agreement(
    ctx: typer.Context,
    min: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Exit with 3 when agreement (rule drop) is under this."
        ),
    ] = None,
    labelers: Annotated[
        str, typer.Option(metavar="human|model|all", help="Whose labels count.")
    ] = "human",
    json: JsonFlag = False,
) -> None:
    """Measure how far labelers agree.

    Over every pair of completions that two labelers or more judged, whatever task the judgements
    came from. Intervals are 95 %, by resampling prompts.
    """
    from labelkit.agreement.pairwise import RULES
    from labelkit.services import agreement as service

    report = service.agreement(store_of(ctx), service.options(labelers))
    if json:
        out_json(report.as_json())
    else:
        rows = [
            (rule, percent(a.rate), service.interval_text(a), f"{a.n:,}", RULES[rule])
            for rule, a in report.pairwise.items()
        ]
        out(report.headline())
        table(("rule", "agree", "95 % interval", "n", "which means"), rows)
    if min is not None:
        service.check(report, min)


app = one_command(agreement, "labelkit agreement", "labelkit agreement --json --min 0.7")
