"""Mean pair margin: the mean, over what a completion was compared with, of its margin there."""

from __future__ import annotations

import numpy as np

from labelkit.consensus._votes import Floats, Votes, by_score
from labelkit.domain.models import Tiers
from labelkit.plugins import ConsensusMethod


def mean_margins(votes: Votes) -> Floats:
    """Return each completion's mean margin, -1 to 1, over the pairs it was judged in: (k,).

    >>> pair = np.array([[0.0, 2.0], [1.0, 0.0]])
    >>> mean_margins(Votes(("a", "b"), pair, np.zeros((2, 2)))).round(3).tolist()
    [0.333, -0.333]
    """
    judged = votes.judged
    share = np.divide(votes.margin, judged, out=np.zeros(judged.shape), where=judged > 0)
    opponents = (judged > 0).sum(axis=1)
    return np.asarray(share.sum(axis=1) / np.maximum(opponents, 1))


def _order(votes: Votes) -> Tiers:
    return by_score(votes.items, mean_margins(votes))


PLUGIN = ConsensusMethod(
    title="Mean pair margin",
    rule="By the mean over its pairs of (votes for - votes against) / votes. Complete rankings "
    "give Borda's order; with partial ones every pair counts the same, however often judged.",
    order=_order,
)
