"""Kendall's W: how alike three labelers or more order the same completions, ties corrected.

Kendall and Babington Smith (1939); Siegel (1956), Nonparametric Statistics, p. 234.
"""

from __future__ import annotations

import numpy as np

from labelkit.agreement._arrays import Floats, Ints, distinct_rows
from labelkit.agreement._bootstrap import Means, mean_measured, ratio
from labelkit.agreement._units import Rankings, Units
from labelkit.plugins import Finding, Measured, Statistic

LEAST_LABELERS = 3
NO_SET = "no three labelers ranked the same set of completions"
ALL_TIED = "everybody tied everything"


def kendall_w(ranks: Floats | Ints) -> float | None:
    """Return W, or None where everybody tied everything.

    `ranks` has shape (labelers, completions); smaller is better, any numbers will do.

    >>> round(kendall_w(np.array([[1, 4.5, 2, 4.5, 3, 7.5, 6, 9, 7.5, 10],
    ...                           [2.5, 1, 2.5, 4.5, 4.5, 8, 9, 6.5, 10, 6.5],
    ...                           [2, 1, 4.5, 4.5, 4.5, 4.5, 8, 8, 8, 10]])), 3)  # Siegel
    0.828
    """
    one_group = np.zeros(len(ranks), dtype=np.int64)
    found = float(_w_of(mid_ranks(np.asarray(ranks, dtype=float)), one_group)[0])
    return found if np.isfinite(found) else None


def mid_ranks(ranks: Floats | Ints) -> Floats:
    """Return rows of ranks as mid-ranks, 1 the best: ties share the mean of their places.

    >>> mid_ranks(np.array([[0, 1, 1, 2]])).tolist()
    [[1.0, 2.5, 2.5, 4.0]]
    """
    before = np.zeros(ranks.shape, dtype=np.int64)
    for column in ranks.T:
        before += ranks > column[:, None]
    return np.asarray(before + (_level(ranks) + 1) / 2)


def _level(ranks: Floats | Ints) -> Ints:
    """Return how many of its row each rank is equal to, itself among them."""
    level = np.zeros(ranks.shape, dtype=np.int64)
    for column in ranks.T:
        level += ranks == column[:, None]
    return level


def _w_of(ranks: Floats, group: Ints) -> Floats:
    """Return W for each group of rows of mid-ranks (r, k): shape (groups,), NaN where undefined.

    W = 12 S / (m^2 (k^3 - k) - m sum T), T = sum (t^3 - t) over the ties of one ranking.
    """
    k = ranks.shape[1]
    m = np.bincount(group)
    totals = np.stack([np.bincount(group, column) for column in ranks.T], axis=1)
    s = ((totals - totals.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    ties = np.bincount(group, (_level(ranks) ** 2 - 1).sum(axis=1))
    bottom = m**2 * (k**3 - k) - m * ties
    return ratio(12 * s, bottom)


def _sets_of_size(rankings: Rankings, k: int) -> tuple[Ints, Floats]:
    """Return (prompts, W) of every set of k completions that three labelers or more ranked."""
    rows, items, ranks = rankings.of_size(k)
    _, group = distinct_rows(items)
    labeler = rankings.labeler[rows]
    first, _ = distinct_rows(np.column_stack([group, labeler]))
    rows, ranks, group = rows[first], ranks[first], group[first]
    wide = np.bincount(group)[group] >= LEAST_LABELERS
    if not wide.any():
        return rows[:0], np.zeros(0)
    _, at, group = np.unique(group[wide], return_index=True, return_inverse=True)
    return rankings.prompt[rows[wide][at]], _w_of(mid_ranks(ranks[wide]), group)


def _compute(units: Units, means: Means) -> Finding:
    found = [_sets_of_size(units.rankings, k) for k in units.rankings.sizes()]
    prompts = np.concatenate([np.zeros(0, dtype=np.int64), *(p for p, _ in found)])
    if not len(prompts):
        return Measured(value=None, reason=NO_SET)
    return mean_measured(means, prompts, np.concatenate([w for _, w in found]), ALL_TIED)


PLUGIN = Statistic(
    title="Kendall's W",
    rule="Concordance of three labelers or more who ranked the same set of completions, 0 to 1, "
    "ties corrected; then the mean. n counts such sets.",
    units=("rankings",),
    compute=_compute,
)
