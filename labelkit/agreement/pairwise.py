"""Pairwise percent agreement, in the three tie rules that papers use without saying which.

An agreement number means nothing without its rule: on one set of rankings (WMT16 Czech-English)
they give 50.5 %, 73.0 % and 67.2 %. InstructGPT (arXiv 2203.02155, 5.2) states none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labelkit.agreement._bootstrap import Interval, ratio_interval
from labelkit.agreement._judgements import Floats, Ints, Judgements

RULES = {
    "category": "a tie is a third answer",
    "drop": "comparisons where either labeler tied are left out",
    "half": "a tie against a preference agrees by half",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """`agree` of `n` comparisons between two labelers agree; `rate` is None when n is 0."""

    agree: float
    n: int
    rate: float | None
    interval: Interval | None


def _pairs_of(n: Ints) -> Ints:
    return n * (n - 1) // 2


def agreeing(counts: Ints) -> dict[str, tuple[Floats, Floats]]:
    """Return, for each tie rule, (agreeing, comparable) pairs of labelers on each unit.

    `counts` has shape (units, 3): how many labelers said -1, 0, +1.

    >>> {k: (float(a[0]), float(n[0])) for k, (a, n) in agreeing(np.array([[0, 1, 2]])).items()}
    {'category': (1.0, 3.0), 'drop': (1.0, 1.0), 'half': (2.0, 3.0)}
    """
    minus, tied, plus = counts.T
    same_side = _pairs_of(minus) + _pairs_of(plus)
    both = same_side + _pairs_of(tied)
    every = _pairs_of(counts.sum(axis=1))
    decided = _pairs_of(minus + plus)
    mixed = tied * (minus + plus)
    return {
        "category": (both.astype(float), every.astype(float)),
        "drop": (same_side.astype(float), decided.astype(float)),
        "half": (both + mixed / 2, every.astype(float)),
    }


def pairwise(judgements: Judgements, replicates: int = 1000, seed: int = 0) -> dict[str, Agreement]:
    """Return the agreement between every two labelers of every unit, by tie rule.

    Intervals resample prompts.
    """
    prompts = judgements.unit_prompts()
    return {
        rule: _agreement(prompts, judgements.n_prompts, agree, n, replicates, seed)
        for rule, (agree, n) in agreeing(judgements.counts()).items()
    }


def _agreement(
    prompts: Ints, n_prompts: int, agree: Floats, n: Floats, replicates: int, seed: int
) -> Agreement:
    top: Floats = np.bincount(prompts, agree, minlength=n_prompts).astype(np.float64)
    bottom: Floats = np.bincount(prompts, n, minlength=n_prompts).astype(np.float64)
    total = float(bottom.sum())
    rate = float(top.sum()) / total if total else None
    interval = ratio_interval(top, bottom, replicates, seed) if total else None
    return Agreement(float(top.sum()), int(total), rate, interval)
