"""What the others said about each pair, as seen by every labeler who judged it."""

from __future__ import annotations

import numpy as np

from labelkit.agreement._units import Floats, Ints, Judgements

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
    unit, value = judgements.unit, judgements.value
    n, total, decided = np.bincount(unit), np.bincount(unit, value), np.bincount(unit, value != 0)
    margin = total[unit] - value
    undecided = (margin == 0) & (decided[unit] - (value != 0) > 0)
    rows = np.flatnonzero((n[unit] > 1) & ~undecided)
    return rows, np.sign(margin[rows]).astype(int)
