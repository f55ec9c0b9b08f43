"""labelkit consensus"""

from __future__ import annotations

from typing import Annotated

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import out, out_json, progress, say, table
from labelkit.cli._selecting import OfBatch, OfLabelers, Since, Whose
from labelkit.report.words import share


def consensus(
    ctx: typer.Context,
    method: Annotated[
        str,
        typer.Option(
            metavar="METHOD",
            help="mean-margin, borda, copeland, ranked-pairs, schulze, kemeny or bradley-terry.",
        ),
    ] = "mean-margin",
    prompt: Annotated[str | None, typer.Option(metavar="ID", help="Only this prompt.")] = None,
    batch: OfBatch = None,
    labeler: OfLabelers = None,
    since: Since = None,
    labelers: Whose = "human",
    json: JsonFlag = False,
) -> None:
    """Merge the rankings of each prompt into one.

    Ties and partial rankings count in every method. Support is the share of the labelers'
    preferences that the consensus follows. To train on it: export --labels consensus:METHOD.
    """
    from labelkit.services import consensus as service
    from labelkit.services.selection import selection

    chosen = selection(labelers=labelers, batch=batch, labeler=labeler, since=since)
    with progress(ctx, "reading", "prompts") as bar:
        report = service.consensus(store_of(ctx), method, chosen, prompt, bar)
    if json:
        out_json(report.as_json())
        return
    rows = [(p.prompt, p.labelers, share(p.support.share), p.text()) for p in report.prompts]
    out(f"{report.method.title}. {report.method.rule}")
    table(("prompt", "labelers", "support", "consensus"), rows)
    for remark in report.remarks():
        say(ctx, remark)


app = one_command(
    consensus,
    "labelkit consensus",
    "labelkit consensus --method schulze --json",
    "labelkit export --format rm --labels consensus:schulze --out rm",
)
