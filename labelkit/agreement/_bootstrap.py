"""Percentile intervals by resampling prompts.

The C(K, 2) comparisons of one ranking hang together, so an interval that resamples comparisons is
far too narrow (by 1.3 to 2.1 on WMT16's rankings); prompts are what was drawn independently.
Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 8 and 13.

Every statistic here is a function of sums over prompts. So a replicate never touches the data: it
is a vector of weights (how often each prompt was drawn) times a table of per-prompt sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labelkit.agreement._arrays import Bools, Floats, Ints, distinct_rows
from labelkit.plugins import Measured

REPLICATES = 1000
LEVEL = 0.95
_ENDS = (100 * (1 - LEVEL) / 2, 100 - 100 * (1 - LEVEL) / 2)
LEAST_DEFINED = 0.95
"""An interval wants this share of the replicates to be defined."""

FEW_PROMPTS = "no interval: it needs two prompts or more"
TOO_OFTEN_UNDEFINED = "no interval: undefined in many resamples of the prompts"
_KEPT = 1 << 28
_BLOCK = 50
_FEWER = 16
_ROWS = 512
_SMALL_PRODUCT = 1 << 18
"""OpenBLAS wakes its threads for more multiplications than this, which costs more than they do."""

Weights = NDArray[np.uint8]
"""How often each prompt (row) is drawn in each replicate (column)."""

Singles = NDArray[np.float32]


@dataclass
class Means:
    """How intervals are made, and what a cell of a matrix needs.

    `replicates` resamples of the prompts, the same for every statistic that has the same number of
    prompts; `min_overlap` shared units make a cell.
    """

    replicates: int = REPLICATES
    seed: int = 0
    min_overlap: int = 30
    _drawn: Weights | None = field(default=None, init=False, repr=False)

    def sums(self, per_prompt: Floats) -> Floats:
        """Return column sums over resamples of the rows: (prompts, c) to (replicates, c).

        Prompts with equal rows are drawn together, which makes the cost depend on distinct rows.
        """
        repeated = _patterns(per_prompt)
        if repeated:
            patterns, times = repeated
            generator = np.random.default_rng(self.seed)
            n = int(times.sum())
            drawn = generator.multinomial(n, times / n, size=self.replicates)
            return drawn.astype(np.float64) @ patterns
        blocks = [_weighted(w, per_prompt, _room(w)) for w in self._weights(len(per_prompt))]
        return np.concatenate(blocks)

    def cell_sums(self, prompt: Ints, cell: Ints, values: Floats, cells: int) -> Floats:
        """Return sums by cell over resamples of the prompts: (replicates, cells, c)."""
        return self.by_cell(prompt, cell, values, cells, lambda sums: sums)

    def by_cell(
        self,
        prompt: Ints,
        cell: Ints,
        values: Floats,
        cells: int,
        work: Callable[[Floats], Floats],
    ) -> Floats:
        """Return what `work` makes of each cell's sums, (some replicates, c) to (the same, d).

        The result has shape (replicates, cells, d). Row i adds `values[i]` (n, c) to `cell[i]` as
        often as `prompt[i]` was drawn. Rows that share both belong together first: `merged`.
        """
        known, index = np.unique(prompt, return_inverse=True)
        order = np.argsort(cell, kind="stable")
        ends = np.searchsorted(cell[order], np.arange(cells + 1))
        parts = [order[ends[c] : ends[c + 1]] for c in range(cells)]
        blocks = []
        for weights in self._weights(len(known)):
            room = _room(weights)
            each = (work(_weighted(weights, values[r], room, index[r])) for r in parts)
            blocks.append(np.stack(list(each)))
        return np.swapaxes(np.concatenate(blocks, axis=1), 0, 1)

    def _weights(self, n: int) -> Iterator[Weights]:
        """Yield blocks (n, some replicates) of how often each of n prompts was drawn."""
        if n * self.replicates > _KEPT:
            for start in range(0, self.replicates, _BLOCK):
                yield self._draw(n, start)
            return
        if self._drawn is None or len(self._drawn) != n:
            self._drawn = np.empty((n, self.replicates), dtype=np.uint8)
            for start in range(0, self.replicates, _BLOCK):
                self._drawn[:, start : start + _BLOCK] = self._draw(n, start)
        yield self._drawn

    def _draw(self, n: int, start: int) -> Weights:
        """Draw n of n prompts with replacement, for the replicates from `start` on."""
        generator = np.random.default_rng([self.seed, start])
        width = min(_BLOCK, self.replicates - start)
        block = np.empty((width, n), dtype=np.uint8)
        for row in block:
            row[:] = np.minimum(np.bincount(generator.integers(0, n, n), minlength=n), 255)
        return np.ascontiguousarray(block.T)

    def interval(self, values: Floats) -> tuple[float, float] | None:
        """Return the middle 95 % of resampled values, or None when too many are undefined."""
        return self.intervals(values[:, None])[0]

    def intervals(self, values: Floats) -> list[tuple[float, float] | None]:
        """Return the interval of each column of resampled values (replicates, c)."""
        defined = np.isfinite(values)
        whole = np.asarray(defined.all(axis=0))
        low, high = np.percentile(values[:, whole], _ENDS, axis=0).tolist()
        found: list[tuple[float, float] | None] = [None] * len(whole)
        for at, *ends in zip(np.flatnonzero(whole).tolist(), low, high, strict=True):
            found[at] = (ends[0], ends[1])
        enough = defined.sum(axis=0) >= LEAST_DEFINED * len(values)
        for at in np.flatnonzero(enough & ~whole).tolist():
            ends = np.percentile(values[defined[:, at], at], _ENDS).tolist()
            found[at] = (ends[0], ends[1])
        return found

    def measured(self, value: float | None, values: Floats, prompts: int, n: int) -> Measured:
        """Return a value with the interval that its resampled `values` give."""
        return self.each_measured([value], values[:, None], [prompts], [n])[0]

    def each_measured(
        self,
        found: Sequence[float | None],
        values: Floats,
        prompts: Sequence[int],
        n: Sequence[int],
    ) -> list[Measured]:
        """Return the same for many values at once, each with its column of `values`."""
        return [
            _measured(value, interval, few, count)
            for value, interval, few, count in zip(
                found, self.intervals(values), prompts, n, strict=True
            )
        ]


def _measured(
    value: float | None, interval: tuple[float, float] | None, prompts: int, n: int
) -> Measured:
    if value is None or prompts < 2:
        return Measured(value=value, n=n, reason=FEW_PROMPTS)
    if interval is None:
        return Measured(value=value, n=n, reason=TOO_OFTEN_UNDEFINED)
    return Measured(value=value, low=interval[0], high=interval[1], n=n)


def _room(weights: Weights) -> Singles:
    """Return room for `_weighted`: memory asked for anew each time costs more than the sums."""
    return np.empty((_ROWS, weights.shape[1]), dtype=np.float32)


def _weighted(weights: Weights, values: Floats, room: Singles, at: Ints | None = None) -> Floats:
    """Return weights (n, replicates), or those `at` some rows, transposed times values (n, c).

    Piece by piece, so that it stays in the cache. Single precision is far finer than the resampling
    itself.
    """
    total = np.zeros((weights.shape[1], values.shape[1]))
    for start in range(0, len(values), _ROWS):
        piece = slice(start, start + _ROWS)
        factor = values[piece].astype(np.float32)
        drawn = room[: len(factor)]
        drawn[:] = weights[piece] if at is None else weights[at[piece]]
        step = max(1, _SMALL_PRODUCT // max(1, factor.size))
        for first in range(0, drawn.shape[1], step):
            part = slice(first, first + step)
            total[part] += drawn[:, part].T @ factor
    return total


def merged(prompt: Ints, cell: Ints, values: Floats, cells: int) -> tuple[Ints, Ints, Floats]:
    """Add up the rows that share a prompt and a cell."""
    first = int(prompt.min()) if len(prompt) else 0
    key = (prompt - first) * cells + cell
    if int(key.max(initial=0)) > _FEWER * len(key):
        known, index = np.unique(key, return_inverse=True)
        columns = [np.bincount(index, column) for column in values.T]
    else:  # a table of everything there could be is small, and faster than sorting
        known = np.flatnonzero(np.bincount(key))
        columns = [np.bincount(key, column)[known] for column in values.T]
    sums = np.column_stack(columns).astype(np.float64)
    return known // cells + first, known % cells, sums


def _patterns(rows: Floats) -> tuple[Floats, Ints] | None:
    """Return the distinct rows and how often each stands there, in an order of their own.

    None where they are no fewer than one in `_FEWER`.
    """
    generator = np.random.default_rng(0)
    mark = np.zeros(len(rows))
    for column in rows.T:
        mark += column * generator.random()
    if _FEWER * len(np.unique(mark)) >= len(rows):
        return None
    _, first, inverse, times = np.unique(
        mark, return_index=True, return_inverse=True, return_counts=True
    )
    if not np.array_equal(rows[first][inverse], rows):  # two rows shared a mark: compare in full
        first, inverse = distinct_rows(rows)
        times = np.bincount(inverse)
    return (rows[first], times) if _FEWER * len(first) < len(rows) else None


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Divide, and say NaN where there is nothing to divide by."""
    out = np.full_like(top, np.nan, dtype=np.float64)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def summed(prompt: Ints, values: Floats) -> Floats:
    """Add the rows of each prompt: (n,) and (n, c) to (prompts with a row, c)."""
    known = np.bincount(prompt) > 0
    columns = [np.bincount(prompt, column)[known] for column in values.T]
    return np.column_stack(columns).astype(np.float64, copy=False)


def ratio_measured(
    means: Means, prompt: Ints, top: Floats, bottom: Floats, reason: str
) -> Measured:
    """Measure sum(top) / sum(bottom), resampling the prompts that have something in `bottom`.

    >>> one = ratio_measured(Means(), np.array([0, 1]), np.array([1.0, 0]), np.array([1.0, 1]), "")
    >>> one.value, one.low, one.high, one.n
    (0.5, 0.0, 1.0, 2)
    """
    used = bottom > 0
    n = float(bottom[used].sum())
    if not n:
        return Measured(value=None, reason=reason)
    table = summed(prompt[used], np.column_stack([top[used], bottom[used]]))
    sums = means.sums(table)
    value = float(top[used].sum()) / n
    return means.measured(value, ratio(sums[:, 0], sums[:, 1]), len(table), round(n))


def ratio_of_sums(means: Means, per_prompt: Floats, reason: str) -> Measured:
    """Measure the sum of the first column over that of the second, (prompts, 2), as above."""
    top, n = per_prompt.sum(axis=0)
    if not n:
        return Measured(value=None, reason=reason)
    sums = means.sums(per_prompt)
    return means.measured(float(top / n), ratio(*sums.T), len(per_prompt), round(n))


def mean_measured(means: Means, prompt: Ints, values: Floats, reason: str) -> Measured:
    """Measure the mean of the values that are defined, resampling prompts; `n` counts them."""
    defined = np.isfinite(values)
    ones = np.ones(int(defined.sum()))
    return ratio_measured(means, prompt[defined], values[defined], ones, reason)


def cells_measured(
    means: Means, prompt: Ints, cell: Ints, top: Floats, bottom: Floats, cells: int, reason: str
) -> list[Measured]:
    """Measure sum(top) / sum(bottom) in each cell, resampling prompts."""
    if not len(cell):
        return [Measured(value=None, reason=reason)] * cells
    prompt, cell, values = merged(prompt, cell, np.column_stack([top, bottom]), cells)
    ratios = means.by_cell(prompt, cell, values, cells, lambda s: ratio(s[:, :1], s[:, 1:]))
    tops, bottoms = (np.bincount(cell, column, minlength=cells) for column in values.T)
    prompts = np.bincount(cell, minlength=cells)
    some = bottoms > 0
    found = means.each_measured(
        (tops[some] / bottoms[some]).tolist(),
        ratios[:, some, 0],
        prompts[some].tolist(),
        [round(n) for n in bottoms[some].tolist()],
    )
    return scattered(found, some, lambda _: Measured(value=None, reason=reason))


def scattered(
    found: Iterable[Measured], where: Bools, otherwise: Callable[[int], Measured]
) -> list[Measured]:
    """Return what was found in its places, and what there is `otherwise` in the others."""
    left = iter(found)
    return [next(left) if here else otherwise(at) for at, here in enumerate(where.tolist())]
