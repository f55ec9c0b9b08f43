"""One share for everybody, and one for each labeler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from labelkit.agreement._bootstrap import Means, cells_measured, ratio_measured
from labelkit.agreement._labeler_pairs import by_labeler
from labelkit.agreement._units import Floats, Ints
from labelkit.plugins import Measured


def per_labeler(
    means: Means,
    labelers: Sequence[str],
    prompt: Ints,
    labeler: Ints,
    agree: Floats,
    reason: str,
) -> Measured:
    """Measure the mean of `agree` over all rows, and over the rows of each labeler."""
    ones = np.ones(len(agree))
    each = cells_measured(means, prompt, labeler, agree, ones, len(labelers), reason)
    whole = ratio_measured(means, prompt, agree, ones, reason)
    return replace(whole, parts={"labelers": by_labeler(labelers, each)})
