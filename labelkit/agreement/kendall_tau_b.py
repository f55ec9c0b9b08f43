"""Kendall's tau-b: how alike two labelers order a prompt's completions, ties corrected.

Kendall (1970), Rank Correlation Methods, 4th ed., chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labelkit.agreement._arrays import Floats
from labelkit.agreement._bootstrap import Means, cells_measured, mean_measured, ratio
from labelkit.agreement._labeler_pairs import matrix
from labelkit.agreement._units import Units
from labelkit.agreement.pairwise import NOTHING_SHARED
from labelkit.plugins import Finding, Measured, Statistic

ALL_TIED = "one of the two tied everything"


def kendall_tau_b(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return tau-b of two rankings of the same things, or None where one of them is all tied.

    >>> x = [1, 2.5, 2.5, 4.5, 4.5, 6.5, 6.5, 8, 9.5, 9.5]
    >>> y = [1, 2, 4.5, 4.5, 4.5, 4.5, 8, 8, 8, 10]
    >>> round(kendall_tau_b(x, y), 3)  # Kendall (1970), chapter 3
    0.859
    """
    i, j = np.triu_indices(len(x), 1)
    a = np.sign(np.subtract(*np.asarray(x, dtype=float)[[i, j]])).astype(int)
    b = np.sign(np.subtract(*np.asarray(y, dtype=float)[[i, j]])).astype(int)
    table = np.bincount((a + 1) * 3 + b + 1, minlength=9).reshape(3, 3)
    found = float(tau_b_of(table.astype(float)))
    return found if np.isfinite(found) else None


def tau_b_of(table: Floats) -> Floats:
    """Return tau-b from counts of (first's answer, second's answer) in -1, 0, +1.

    `table` has shape (..., 3, 3); the result (...), NaN where one of the two tied every pair.
    """
    concordant = table[..., 0, 0] + table[..., 2, 2]
    discordant = table[..., 0, 2] + table[..., 2, 0]
    untied_first = table[..., 0, :].sum(axis=-1) + table[..., 2, :].sum(axis=-1)
    untied_second = table[..., :, 0].sum(axis=-1) + table[..., :, 2].sum(axis=-1)
    scale = np.sqrt(untied_first * untied_second)
    return ratio(concordant - discordant, scale)


def _compute(units: Units, means: Means) -> Finding:
    crossed = units.pairs.crossed
    if not len(crossed.cells):
        return Measured(value=None, reason=NOTHING_SHARED)
    tau = tau_b_of(crossed.table)
    defined = np.isfinite(tau)
    prompt, cell = crossed.prompt[defined], crossed.cell[defined]
    whole = mean_measured(means, crossed.prompt, tau, ALL_TIED)
    ones = np.ones(len(cell))
    cells = cells_measured(means, prompt, cell, tau[defined], ones, len(crossed.cells), ALL_TIED)
    undefined = len(tau) - int(defined.sum())
    left_out = f"{undefined:,} of {len(tau):,} left out: {ALL_TIED}" if undefined else ""
    return Measured(
        value=whole.value,
        low=whole.low,
        high=whole.high,
        n=whole.n,
        reason="; ".join(filter(None, [whole.reason, left_out if whole.n else ""])),
        parts={"labelers": matrix(units.labelers, crossed.cells, cells)},
    )


PLUGIN = Statistic(
    title="Kendall's tau-b",
    rule="Rank correlation of two labelers on one prompt, over the pairs both judged, -1 to 1; "
    "then the mean. n counts (prompt, two labelers).",
    units=("pairs",),
    compute=_compute,
    matrix=True,
)
