"""Pairwise percent agreement, in the three tie rules that papers use without saying which.

An agreement number means nothing without its rule: on one set of rankings (WMT16 Czech-English)
they give 50.5 %, 73.0 % and 67.2 %. InstructGPT (arXiv 2203.02155, 5.2) states none; `half` is
the rule of LIMA (arXiv 2305.11206, 4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from labelkit.agreement._arrays import Floats, Ints
from labelkit.agreement._bootstrap import Means, ratio_of_sums
from labelkit.agreement._units import PAIR_VALUES, Judgements, Tally, Units
from labelkit.plugins import Finding, Measured, Statistic

RULES = {
    "category": "a tie is a third answer",
    "drop": "comparisons where either labeler tied are left out",
    "half": "a tie against a preference agrees by half",
}
NOTHING_SHARED = "no two labelers judged the same pair"
ALL_TIED = "no two labelers both had a preference on the same pair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement(Measured):
    """`agree` of `n` comparisons between two labelers agree; `value` is their share."""

    agree: float

    def as_json(self) -> dict[str, Any]:
        """Return `agree`, `n`, `rate`, `low`, `high`."""
        agree = int(self.agree) if self.agree.is_integer() else self.agree
        said = {"agree": agree, "n": self.n, "rate": self.value, "low": self.low, "high": self.high}
        return said | ({"reason": self.reason} if self.reason else {})


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


def pairwise(judgements: Judgements, means: Means | None = None) -> Mapping[str, Agreement]:
    """Return the agreement between every two labelers of every unit, by tie rule."""
    tally = judgements.tally(PAIR_VALUES)
    return {
        rule: _agreement(means or Means(), tally, agree, n, rule)
        for rule, (agree, n) in agreeing(tally.patterns).items()
    }


def _agreement(means: Means, tally: Tally, agree: Floats, n: Floats, rule: str) -> Agreement:
    """Measure one rule, by which labelers agree and can be compared on each pattern, (p,) each."""
    reason = ALL_TIED if rule == "drop" else NOTHING_SHARED
    per_prompt = tally.per_prompt(n > 0, np.column_stack([agree, n])[n > 0])
    found = ratio_of_sums(means, per_prompt, reason)
    return Agreement(
        agree=float(agree @ tally.times),
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        reason=found.reason,
    )


def _compute(units: Units, means: Means) -> Finding:
    return pairwise(units.pairs, means)


PLUGIN = Statistic(
    title="Pairwise agreement",
    rule="Two labelers, one pair of completions: did they say the same? "
    "n counts such comparisons; "
    + "; ".join(f"{name}: {rule}" for name, rule in RULES.items())
    + ".",
    units=("pairs",),
    compute=_compute,
    percent=True,
)
