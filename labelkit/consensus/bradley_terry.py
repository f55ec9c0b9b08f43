"""Bradley-Terry on one prompt, each vote weighed by how reliable its labeler is.

Weights are log odds of agreeing with the others, as is best for independent judges (Nitzan and
Paroush, 1982, Optimal decision rules in uncertain dichotomous choice situations). benchmarks/
consensus.py has what they gain on planted orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log

import numpy as np

from labelkit.consensus._strengths import strengths
from labelkit.consensus._votes import Floats, Votes, by_score
from labelkit.domain.models import Tiers
from labelkit.plugins import ConsensusMethod

PRIOR = 0.1
"""Virtual ties between every two completions: with few votes there would be no finite fit."""

STEADY = 4.0
"""Virtual answers, half of them right, that a labeler's reliability starts from."""


def worths(votes: Votes) -> Floats:
    """Return each completion's log strength, 0 on average: (k,).

    >>> worths(Votes(("a", "b"), np.array([[0.0, 2], [0, 0]]), np.zeros((2, 2)))).round(2).tolist()
    [1.86, -1.86]
    """
    k = len(votes.items)
    return strengths(votes.wins + votes.ties / 2 + PRIOR / 2 * (1 - np.eye(k)))


def reliability_weight(agree: float, n: float) -> float:
    """Return what a vote is worth that agreed with the others `agree` of `n` times: 0 or more.

    >>> [round(reliability_weight(share * 100, 100), 2) for share in (0.4, 0.5, 0.7, 0.9)]
    [0.0, 0.0, 0.81, 2.04]
    """
    p = (agree + STEADY / 2) / (n + STEADY)
    return max(0.0, log(p / (1 - p)))


def weights_of(agreement: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return each labeler's weight from (agreed, n) with the others, 1 on average.

    Where nobody is better than chance all weigh the same.

    >>> weights_of({"ana": (90, 100), "ben": (50, 100)})
    {'ana': 2.0, 'ben': 0.0}
    """
    raw = {name: reliability_weight(agree, n) for name, (agree, n) in agreement.items()}
    total = sum(raw.values())
    return {name: value * len(raw) / total if total else 1.0 for name, value in raw.items()}


def _order(votes: Votes) -> Tiers:
    return by_score(votes.items, worths(votes))


PLUGIN = ConsensusMethod(
    title="Bradley-Terry, weighted by reliability",
    rule="By strength, ties as half wins; a vote weighs the log odds that its labeler agrees with "
    "the others (leave-one-out).",
    order=_order,
    weighted=True,
)
