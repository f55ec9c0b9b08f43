"""Copeland's method: how many of the others a completion beats by majority.

Copeland (1951). A draw, and a pair that nobody judged, is half a win.
"""

from __future__ import annotations

import numpy as np

from labelkit.consensus._votes import Floats, Votes, by_score
from labelkit.domain.models import Tiers
from labelkit.plugins import ConsensusMethod


def copeland_wins(votes: Votes) -> Floats:
    """Return majorities won plus half the draws: (k,).

    >>> copeland_wins(Votes(("a", "b"), np.array([[0.0, 2], [1, 0]]), np.zeros((2, 2))))
    array([1., 0.])
    """
    k = len(votes.items)
    return np.asarray((np.sign(votes.margin).sum(axis=1) + k - 1) / 2)


def _order(votes: Votes) -> Tiers:
    return by_score(votes.items, copeland_wins(votes))


PLUGIN = ConsensusMethod(
    title="Copeland",
    rule="By how many of the others it beats by majority; a draw or an unjudged pair is a half.",
    order=_order,
)
