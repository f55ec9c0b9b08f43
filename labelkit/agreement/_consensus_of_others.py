"""What the others said about each pair, as seen by every labeler who judged it."""

from __future__ import annotations

import numpy as np

from labelkit.agreement._arrays import Floats, Ints
from labelkit.agreement._units import PAIR_VALUES, Judgements

HALF_RULE = "a tie against a preference agrees by half"


def half_agreement(value: Ints, standard: Ints) -> Floats:
    """Return 1 where two answers are the same, 0.5 where just one is a tie, else 0.

    >>> half_agreement(np.array([1, 0, 1, 0]), np.array([1, 1, -1, 0])).tolist()
    [1.0, 0.5, 0.0, 1.0]
    """
    return np.asarray(1 - np.abs(value - standard) / 2)


def others(judgements: Judgements) -> tuple[Ints, Ints]:
    """Return (rows, consensus): for each judgement, what the other labelers said on the whole.

    The consensus is the sign of the others' mean margin, a tie where all of them tied. Judgements
    whose pair nobody else judged, or that split the others evenly, are not among the rows.
    """
    tally = judgements.tally(PAIR_VALUES)
    said = np.array(PAIR_VALUES)
    margin = (tally.patterns @ said)[:, None] - said
    others = tally.patterns.sum(axis=1)[:, None] - 1
    decided = (tally.patterns @ np.abs(said))[:, None] - np.abs(said)
    used = (others > 0) & ((margin != 0) | (decided == 0))
    at = tally.pattern[judgements.unit] * len(said) + judgements.value - said[0]
    rows = np.flatnonzero(used.ravel()[at])
    return rows, np.sign(margin).ravel()[at[rows]]
