"""Schulze's method: the strongest path of majorities from one completion to another.

Schulze (2011), A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent
single-winner election method. Strength is the margin.
"""

from __future__ import annotations

import numpy as np

from labelkit.consensus._votes import Floats, Votes, by_layers
from labelkit.domain.models import Tiers
from labelkit.plugins import ConsensusMethod


def strongest_paths(margin: Floats) -> Floats:
    """Return how strong the weakest link of the strongest path is: (k, k), 0 where there is none.

    >>> strongest_paths(np.array([[0, 3, -1], [-3, 0, 2], [1, -2, 0]], dtype=float)).tolist()
    [[1.0, 3.0, 2.0], [1.0, 1.0, 2.0], [1.0, 1.0, 1.0]]
    """
    paths = np.maximum(margin, 0)
    for via in range(len(paths)):
        paths = np.maximum(paths, np.minimum.outer(paths[:, via], paths[via]))
    return np.asarray(paths)


def _order(votes: Votes) -> Tiers:
    paths = strongest_paths(votes.margin.round(9))
    return by_layers(votes.items, paths > paths.T)


PLUGIN = ConsensusMethod(
    title="Schulze",
    rule="i is above j where the strongest path of majorities from i to j is stronger than the way "
    "back; strength is the margin of a path's weakest link.",
    order=_order,
)
