"""Percentile intervals by resampling prompts.

The C(K, 2) comparisons of one ranking hang together, so an interval that resamples comparisons is
far too narrow (by 1.3 to 2.1 on WMT16's rankings); prompts are what was drawn independently.
Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labelkit.agreement._judgements import Floats

REPLICATES = 1000
LEVEL = 0.95
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """The middle 95 % of the resampled values."""

    low: float
    high: float


def resampled_sums(per_prompt: Floats, replicates: int = REPLICATES, seed: int = 0) -> Floats:
    """Return column sums over `replicates` resamples of the rows.

    `per_prompt` has shape (prompts, columns); the result (replicates, columns). Prompts with equal
    rows are drawn together, which makes the cost depend on distinct rows, not on prompts.
    """
    patterns, times = np.unique(per_prompt, axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    n = int(times.sum())
    step = max(1, _CELLS // len(patterns))
    parts = [
        generator.multinomial(n, times / n, size=min(step, replicates - done)) @ patterns
        for done in range(0, replicates, step)
    ]
    return np.concatenate(parts).astype(np.float64)


def ratio_interval(
    top: Floats, bottom: Floats, replicates: int = REPLICATES, seed: int = 0
) -> Interval | None:
    """Interval of sum(top) / sum(bottom) over prompts; None with fewer than two prompts.

    >>> ratio_interval(np.array([1.0, 0.0]), np.array([1.0, 1.0])).high
    1.0
    """
    used = bottom > 0
    if used.sum() < 2:
        return None
    sums = resampled_sums(np.column_stack([top[used], bottom[used]]), replicates, seed)
    ratios = sums[:, 0] / sums[:, 1]
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(ratios, [tail, 100 - tail])
    return Interval(float(low), float(high))
