"""labelkit quality"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from labelkit.cli._app import JsonFlag, one_command, store_of
from labelkit.cli._out import out, out_json, progress, table
from labelkit.cli._selecting import OfBatch, Since, Whose

if TYPE_CHECKING:
    from labelkit.services.quality import Evidence, QualityReport


def quality(
    ctx: typer.Context,
    batch: OfBatch = None,
    since: Since = None,
    labelers: Whose = "human",
    json: JsonFlag = False,
) -> None:
    """Show evidence about each labeler, and who to talk to.

    Evidence, never a verdict: no label is left out of anything because of it. A finding stands out
    when it is beyond chance and far from the rest of the team.
    """
    from labelkit.services import quality as service
    from labelkit.services.selection import selection

    chosen = selection(labelers=labelers, batch=batch, since=since)
    with progress(ctx, "reading", "prompts") as bar:
        report = service.quality(store_of(ctx), chosen, bar)
    if json:
        out_json(report.as_json())
    else:
        _print(report)


def _print(report: QualityReport) -> None:
    out(report.sentence())
    for labeler in report.labelers:
        out()
        skips = "".join(f", skipped {n}: {reason}" for reason, n in labeler.skips.items())
        out(f"{labeler.name}: {labeler.rankings:,} rankings{skips}")
        table(
            ("evidence", "value", "team", "n", "stands out"),
            [
                (e.name.replace("_", " "), _value(e, e.value), _value(e, e.team), f"{e.n:,}", e.why)
                for e in labeler.evidence
                if e.value is not None
            ],
        )


def _value(evidence: Evidence, value: float | None) -> str:
    if value is None:
        return ""
    if evidence.name == "seconds":
        return f"{value:.0f} s"
    return f"{value:.3f}" if evidence.name == "position_p" else f"{100 * value:.1f} %"


app = one_command(quality, "labelkit quality", "labelkit quality --since 2026-11-01 --json")
