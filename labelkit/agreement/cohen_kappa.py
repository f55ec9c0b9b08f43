"""Cohen's kappa and weighted kappa: two labelers at a time.

Cohen (1960), A coefficient of agreement for nominal scales; Cohen (1968), Weighted kappa. The mean
over all pairs of labelers is Light's kappa (Light, 1971).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from labelkit.agreement._arrays import Floats
from labelkit.agreement._bootstrap import Means, ratio, scattered
from labelkit.agreement._labeler_pairs import LabelerPairs, matrix
from labelkit.agreement._units import PAIR_VALUES, Units
from labelkit.agreement.krippendorff_alpha import scale_of
from labelkit.plugins import Finding, Measured, Statistic

Weights = Literal["identity", "linear", "quadratic"]

ONE_ANSWER = "both gave one and the same answer everywhere"


def cohen_kappa(table: Floats, disagreement: Floats | None = None) -> float | None:
    """Return kappa, or None where chance agreement is complete already.

    `table` (v, v) counts units by the value that the first labeler (row) and the second (column)
    gave; `disagreement` (v, v) says how bad each combination is, 0 on the diagonal, any scale.

    >>> cohen_1960 = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    >>> round(cohen_kappa(cohen_1960), 3)
    0.492
    >>> round(cohen_kappa(cohen_1960, np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])), 3)  # 1968
    0.348
    """
    weights = 1.0 - np.eye(len(table)) if disagreement is None else disagreement
    sums = _unit_sums(np.asarray(table)[None], weights)
    found = float(_from_sums(sums, [weights])[0, 0])
    return found if np.isfinite(found) else None


def disagreement_of(weights: Weights, values: Sequence[float]) -> Floats:
    """Return how bad each combination of two values is: (v, v)."""
    distance = np.abs(np.subtract.outer(values, values)).astype(float)
    if weights == "identity":
        return np.asarray(np.minimum(distance, 1.0))
    return np.asarray(distance if weights == "linear" else distance**2)


def measure(
    crossed: LabelerPairs,
    labelers: Sequence[str],
    values: Sequence[int],
    weights: Sequence[Weights],
    means: Means,
) -> list[Measured]:
    """Measure kappa for every two labelers, and the mean over them, by each kind of weights."""
    disagreements = [disagreement_of(each, values) for each in weights]
    unit_sums = _unit_sums(crossed.table, *disagreements)
    sums = crossed.totals(unit_sums)
    shared = sums[:, len(weights) : len(weights) + len(values)].sum(axis=1)
    wide = shared >= means.min_overlap
    if not wide.any():
        few = f"no two labelers share {means.min_overlap} units"
        blank = matrix(labelers, crossed.cells, [_blank(n, means) for n in shared])
        return [Measured(value=None, reason=few, parts={"labelers": blank})] * len(weights)
    value = _from_sums(sums, disagreements)
    resampled = means.by_cell(
        crossed.prompt,
        crossed.cell,
        unit_sums,
        len(crossed.cells),
        lambda sums: _from_sums(sums, disagreements),
    )
    return [
        _light_and_cells(crossed, labelers, value[..., nth], resampled[..., nth], shared, means)
        for nth in range(len(weights))
    ]


def _unit_sums(table: Floats, *disagreements: Floats) -> Floats:
    """Return what kappa is made of, for tables (n, v, v): each disagreement, then both margins."""
    observed = [np.einsum("nab,ab->n", table, disagreement) for disagreement in disagreements]
    margins = np.einsum("nab->na", table), np.einsum("nab->nb", table)
    return np.column_stack([*observed, *margins])


def _from_sums(sums: Floats, disagreements: Sequence[Floats]) -> Floats:
    """Return kappa from sums of `_unit_sums` (n, d + 2v), by each disagreement: (n, d).

    NaN where it is undefined.
    """
    observed, first, second = np.split(sums, [len(disagreements), -len(disagreements[0])], axis=1)
    total = first.sum(axis=1, keepdims=True)
    expected = [((first @ each) * second).sum(axis=1) for each in disagreements]
    return 1 - ratio(observed * total, np.column_stack(expected))


def _light_and_cells(
    crossed: LabelerPairs,
    labelers: Sequence[str],
    value: Floats,
    resampled: Floats,
    shared: Floats,
    means: Means,
) -> Measured:
    """Return the mean of the cells that are wide enough, and all cells as its parts."""
    used = (shared >= means.min_overlap) & np.isfinite(value)
    own = np.asarray(crossed.prompts())[used].tolist()
    found = means.each_measured(
        value[used].tolist(), resampled[:, used], own, shared[used].astype(int).tolist()
    )
    cells = scattered(found, used, lambda c: _blank(shared[c], means))
    prompts = len(np.unique(crossed.prompt[used[crossed.cell]]))
    whole = _light(value[used], resampled[:, used], prompts, int(shared[used].sum()), means)
    return replace(whole, parts={"labelers": matrix(labelers, crossed.cells, cells)})


def _blank(shared: float, means: Means) -> Measured:
    n = int(shared)
    few = f"only {n} shared, under {means.min_overlap}"
    return Measured(value=None, n=n, reason=few if n < means.min_overlap else ONE_ANSWER)


def _light(value: Floats, resampled: Floats, prompts: int, n: int, means: Means) -> Measured:
    """Return Light's kappa: the mean over cells (c,), and over (replicates, c)."""
    if not len(value):
        return Measured(value=None, reason=ONE_ANSWER)
    cells = np.ascontiguousarray(resampled.T)
    defined = np.isfinite(cells)
    total = np.where(defined, cells, 0).sum(axis=0)
    mean = ratio(total, defined.sum(axis=0).astype(float))
    return means.measured(float(value.mean()), mean, prompts, n)


def _compute(units: Units, means: Means) -> Finding:
    names, scale = units.labelers, scale_of(units.ratings)
    pairs = measure(units.pairs.crossed.turned(), names, PAIR_VALUES, ["identity", "linear"], means)
    ratings = measure(units.ratings.cross(scale), names, scale, ["quadratic"], means)
    return {"pairs": pairs[0], "pairs_weighted": pairs[1], "ratings_weighted": ratings[0]}


PLUGIN = Statistic(
    title="Cohen's kappa",
    rule="Agreement of two labelers beyond chance, for every two that share enough units, and the "
    "mean over them (Light's kappa). pairs: -1, 0, +1 as names; pairs_weighted: a tie against a "
    "preference disagrees by half; ratings_weighted: by the squared difference. n counts units "
    "that both answered.",
    units=("pairs", "ratings"),
    compute=_compute,
    matrix=True,
)
