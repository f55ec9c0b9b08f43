"""Ranked pairs: lock in majorities, the clearest first, unless they close a circle.

Tideman (1987), Independence of clones as a criterion for voting rules. Equal margins are locked in
together; those that would close a circle with one another are then all left out, so that the
outcome does not depend on how completions are named.
"""

from __future__ import annotations

import numpy as np

from labelkit.consensus._votes import Bools, Floats, Votes, by_layers, reachable
from labelkit.domain.models import Tiers
from labelkit.plugins import ConsensusMethod


def locked(margin: Floats) -> Bools:
    """Return which majorities are locked in: (k, k), free of circles.

    >>> circle = np.array([[0, 3, -1], [-3, 0, 2], [1, -2, 0]], dtype=float)
    >>> locked(circle).astype(int).tolist()
    [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    """
    rounded = margin.round(9)
    lock = np.zeros(margin.shape, dtype=bool)
    for size in sorted(set(rounded[rounded > 0].tolist()), reverse=True):
        fresh = (rounded == size) & ~reachable(lock).T
        circles = reachable(lock | fresh)
        lock |= fresh & ~circles.T
    return lock


def _order(votes: Votes) -> Tiers:
    return by_layers(votes.items, reachable(locked(votes.margin)))


PLUGIN = ConsensusMethod(
    title="Ranked pairs",
    rule="Tideman's: majorities are locked in by margin, the clearest first, unless they close a "
    "circle. Completions that nothing locked decides between are tied.",
    order=_order,
)
