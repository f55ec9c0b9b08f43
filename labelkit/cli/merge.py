"""labelkit merge"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import DryRun, JsonFlag, one_command, store_of
from labelkit.cli._out import count, out_json, progress, say


def merge(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Bundles, or stores of this project.")
    ],
    dry_run: DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Bring back what was said elsewhere: bundles, and whole stores of this project.

    A union: in any order, any number of times. All of it or nothing, after a backup.
    """
    from labelkit.services import merging

    with progress(ctx, "merging") as bar:
        report = merging.merge(store_of(ctx), files, dry_run=dry_run, progress=bar)
    if json:
        out_json(report.as_json())
        return
    for source in report.sources:
        whose = f"bundle {source.bundle} of {source.labeler}" if source.bundle else "a store"
        say(ctx, f"{source.path}: {whose}")
    for kind, counts in report.came.counts.items():
        if counts["added"]:
            say(ctx, f"{kind}: {counts['added']:,} added, {counts['known']:,} known")
    if not any(counts["added"] for counts in report.came.counts.values()):
        say(ctx, "nothing that was not here already")
    for conflict in report.came.conflicts:
        say(ctx, f"conflict: {conflict}")
    if report.came.hidden:
        say(ctx, f"... and {count(report.came.hidden, 'conflict')} more")
    say(ctx, "dry run: nothing was changed" if dry_run else f"backed up to {report.backup}")


app = one_command(merge, "labelkit merge alice.db ben.db", "labelkit merge --dry-run laptop.db")
