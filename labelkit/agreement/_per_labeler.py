"""One share for everybody, and one for each labeler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from labelkit.agreement._bootstrap import Means, cells_measured, merged, ratio_measured
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
    values = np.column_stack([agree, np.ones(len(agree))])
    prompt, labeler, values = merged(prompt, labeler, values, len(labelers))
    top, n = values.T
    each = cells_measured(means, prompt, labeler, top, n, len(labelers), reason)
    whole = ratio_measured(means, prompt, top, n, reason)
    return replace(whole, parts={"labelers": by_labeler(labelers, each)})
