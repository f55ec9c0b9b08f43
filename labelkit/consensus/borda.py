"""Borda's count: a point for every completion that a labeler put below, half for a tie.

de Borda (1781). With partial rankings points are per comparison, so that being ranked more often
is no advantage.
"""

from __future__ import annotations

import numpy as np

from labelkit.consensus._votes import Floats, Votes, by_score
from labelkit.domain.models import Tiers
from labelkit.plugins import ConsensusMethod


def borda_points(votes: Votes) -> Floats:
    """Return each completion's points: (k,).

    >>> borda_points(Votes(("a", "b"), np.array([[0.0, 2], [1, 0]]), np.array([[0.0, 1], [1, 0]])))
    array([2.5, 1.5])
    """
    return np.asarray(votes.wins.sum(axis=1) + votes.ties.sum(axis=1) / 2)


def _order(votes: Votes) -> Tiers:
    chances = votes.judged.sum(axis=1)
    return by_score(votes.items, borda_points(votes) / np.maximum(chances, 1e-300))


PLUGIN = ConsensusMethod(
    title="Borda",
    rule="By points per comparison: one for every completion that a labeler put below, a half for "
    "a tie.",
    order=_order,
)
