"""Krippendorff's alpha: agreement beyond chance, for any number of labelers and missing answers.

Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; Krippendorff (2019), Content
Analysis, 4th ed., chapter 12. alpha = 1 - Do / De.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from labelkit.agreement._arrays import Floats, Ints
from labelkit.agreement._bootstrap import Means, ratio
from labelkit.agreement._units import PAIR_VALUES, Answers, Units
from labelkit.plugins import Finding, Measured, Statistic

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
METRICS: tuple[Metric, ...] = ("nominal", "ordinal", "interval")

UNPAIRED = "no two labelers answered the same unit"
NO_VARIATION = "everybody gave the same answer everywhere: chance agreement is already complete"


def krippendorff_alpha(
    counts: Ints,
    metric: Metric = "nominal",
    values: Sequence[float] | None = None,
    *,
    turn: bool = False,
) -> float | None:
    """Return alpha, or None where it is undefined.

    `counts` has shape (units, values): how many labelers gave each value to each unit. `values` are
    their numbers, in growing order, for the metrics `interval` and `ratio` (0, 1, 2, ... if left
    out). Units with one answer are left out. With `turn` the values are mirrored ones, such as
    -1, 0, +1 on pairs, whose sign depends on which completion was written first: the totals of x
    and -x are replaced by their mean before the expected disagreement is formed.

    >>> meg_owen = np.array([[1, 1], [0, 2], [1, 1], [2, 0], [2, 0], [1, 1], [2, 0], [2, 0],
    ...                      [1, 1], [2, 0]])
    >>> round(krippendorff_alpha(meg_owen), 3)  # Krippendorff (2011), example A
    0.095
    """
    counts = np.asarray(counts)
    observed = _square(unit_coincidences(counts).sum(axis=0)[None], counts.shape[1])
    found = float(alpha_of(observed, metric, values, turn=turn)[0])
    return found if np.isfinite(found) else None


def unit_coincidences(counts: Ints) -> Floats:
    """Return each unit's share of the coincidences, upper triangle: (units, v(v+1)/2).

    The answers of a unit are paired with one another; each pair weighs 1 / (answers - 1).
    """
    m = counts.sum(axis=1)
    weight = np.divide(1.0, m - 1, out=np.zeros(len(m)), where=m > 1)
    columns = [counts[:, c] * (counts[:, k] - (c == k)) * weight for c, k in _triangle(counts)]
    return np.column_stack(columns)


def _triangle(counts: Ints) -> list[tuple[int, int]]:
    return [(c, k) for c in range(counts.shape[1]) for k in range(c, counts.shape[1])]


def _mirror(counts: Ints) -> list[int]:
    """Return where in the triangle each pair of values goes when all values change their sign."""
    pairs, last = _triangle(counts), counts.shape[1] - 1
    return [pairs.index((last - k, last - c)) for c, k in pairs]


def _square(triangles: Floats, v: int) -> Floats:
    """Unfold upper triangles (..., v(v+1)/2) to symmetric matrices (..., v, v)."""
    result = np.zeros((*triangles.shape[:-1], v, v))
    rows, columns = np.triu_indices(v)
    result[..., rows, columns] = triangles
    result[..., columns, rows] = triangles
    return result


def alpha_of(
    observed: Floats,
    metric: Metric,
    values: Sequence[float] | None = None,
    *,
    turn: bool = False,
) -> Floats:
    """Return alpha for coincidence matrices (..., v, v): shape (...), NaN where undefined."""
    n_c = observed.sum(axis=-1)
    if turn:
        n_c = (n_c + n_c[..., ::-1]) / 2
    n = n_c.sum(axis=-1)
    delta = _delta(metric, n_c, values)
    disagreement = (observed * delta).sum(axis=(-2, -1)) * (n - 1)
    expected = (n_c[..., :, None] * n_c[..., None, :] * delta).sum(axis=(-2, -1))
    return 1 - ratio(disagreement, expected)


def _delta(metric: Metric, n_c: Floats, values: Sequence[float] | None) -> Floats:
    """Return the squared difference between every two values: (..., v, v)."""
    v = n_c.shape[-1]
    if metric == "nominal":
        return 1.0 - np.eye(v)
    if metric in ("interval", "ratio"):
        number = np.arange(v, dtype=float) if values is None else np.asarray(values, dtype=float)
        difference = np.subtract.outer(number, number)
        if metric == "ratio":
            total = np.add.outer(number, number)
            difference = np.divide(difference, total, out=np.zeros((v, v)), where=total != 0)
        return np.asarray(difference**2)
    middle = np.cumsum(n_c, axis=-1) - n_c / 2
    return np.asarray((middle[..., :, None] - middle[..., None, :]) ** 2)


def measure(
    answers: Answers,
    values: Sequence[int],
    metrics: Sequence[Metric],
    means: Means,
    *,
    turn: bool = False,
) -> dict[str, Measured]:
    """Measure alpha by each metric; `n` counts the units with two answers or more."""
    tally = answers.tally(values)
    paired = tally.patterns.sum(axis=1) > 1
    n = int(tally.times[paired].sum())
    if not n:
        return {metric: Measured(value=None, reason=UNPAIRED) for metric in metrics}
    per_prompt = tally.per_prompt(paired, unit_coincidences(tally.patterns[paired]))
    if turn:
        per_prompt = (per_prompt + per_prompt[:, _mirror(tally.patterns)]) / 2
    whole = _square(per_prompt.sum(axis=0), len(values))
    resampled = _square(means.sums(per_prompt), len(values))
    found: dict[str, Measured] = {}
    for metric in metrics:
        value = float(alpha_of(whole, metric, values))
        if np.isfinite(value):
            many = alpha_of(resampled, metric, values)
            found[metric] = means.measured(value, many, len(per_prompt), n)
        else:
            found[metric] = Measured(value=None, n=n, reason=NO_VARIATION)
    return found


def scale_of(ratings: Answers) -> list[int]:
    """Return the ratings that were used, in order."""
    return [int(value) for value in np.unique(ratings.value)]


def _compute(units: Units, means: Means) -> Finding:
    ratings = measure(units.ratings, scale_of(units.ratings), ["ordinal"], means)
    return {
        "pairs": measure(units.pairs, PAIR_VALUES, METRICS, means, turn=True),
        "ratings": ratings["ordinal"],
        "flags": {
            name: measure(units.flags.answers(i), (0, 1), ["nominal"], means)["nominal"]
            for i, name in enumerate(units.flags.names)
        },
    }


PLUGIN = Statistic(
    title="Krippendorff's alpha",
    rule="1 - observed / expected disagreement; 0 is chance, 1 is perfect. On pairs (-1, 0, +1; "
    "which completion is written first makes no difference), on ratings (ordinal) and on each "
    "flag. n counts units with two answers or more.",
    units=("pairs", "ratings", "flags"),
    compute=_compute,
)
