"""One share for everybody, and one for each labeler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from labelkit.agreement._arrays import Floats, Ints, pieces
from labelkit.agreement._bootstrap import Means, cells_measured, merged, ratio_measured
from labelkit.agreement._labeler_pairs import by_labeler
from labelkit.plugins import Measured

_AT_ONCE = 1 << 16


def per_labeler(
    means: Means,
    labelers: Sequence[str],
    prompt: Ints,
    labeler: Ints,
    agree: Floats,
    reason: str,
) -> Measured:
    """Measure the mean of `agree` over all rows, and over the rows of each labeler.

    Rows stand prompt by prompt.
    """
    if not len(agree):
        nothing = Measured(value=None, reason=reason)
        each = [nothing] * len(labelers)
        return replace(nothing, parts={"labelers": by_labeler(labelers, each)})
    parts = [
        merged(prompt[rows], labeler[rows], _with_ones(agree[rows]), len(labelers))
        for rows in pieces(prompt, _AT_ONCE)
    ]
    prompt, labeler, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    top, n = values.T
    each = cells_measured(means, prompt, labeler, top, n, len(labelers), reason)
    whole = ratio_measured(means, prompt, top, n, reason)
    return replace(whole, parts={"labelers": by_labeler(labelers, each)})


def _with_ones(values: Floats) -> Floats:
    return np.column_stack([values, np.ones(len(values))])
