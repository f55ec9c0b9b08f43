"""The options that choose which labels a command counts, and how it resamples them."""

from __future__ import annotations

from typing import Annotated

import typer

OfBatch = Annotated[str | None, typer.Option(help="Only labels made in this batch.")]
OfLabelers = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only these labelers; repeat it.")
]
Since = Annotated[
    str | None, typer.Option(metavar="DATE", help="Only labels submitted from then on.")
]
Whose = Annotated[str, typer.Option(metavar="human|model|all", help="Whose labels count.")]
Seed = Annotated[int, typer.Option(help="Of the resampling.")]
