"""What the desk itself does to judgements: the place a completion was shown in, and its length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from labelkit.agreement._bootstrap import Means, cells_measured
from labelkit.agreement._collect import Columns
from labelkit.agreement._habits import first_places
from labelkit.domain.models import Ranking
from labelkit.domain.pairs import comparisons
from labelkit.plugins import Measured

LETTERS = "ABCDEFGHI"
RATIOS = (1.1, 1.25, 1.5, 2.0, 4.0)
"""Texts are binned by how many times the characters of the shorter one the longer one has."""

NEVER_SHOWN = "nothing was shown there"
NO_PREFERENCE = "no preferences between such texts"


@dataclass
class Effects:
    """Takes rankings in, prompt by prompt."""

    _firsts: list[tuple[int, int, float, float]] = field(default_factory=list)
    _longer: Columns = field(default_factory=lambda: Columns("prompt", "bin", "longer"))

    def add(self, prompt: int, ranking: Ranking, lengths: Mapping[str, int]) -> None:
        """Count one ranking; `lengths` are the characters of each completion."""
        for position, (got, fair) in enumerate(first_places(ranking)):
            self._firsts.append((prompt, position, got, fair))
        for a, b, value in comparisons(ranking.tiers):
            x, y = lengths[a], lengths[b]
            if value and x != y:
                self._longer.add(prompt, _bin(x, y), int((x > y) == (value > 0)))

    def positions(self, means: Means) -> dict[str, Measured]:
        """Measure, for each place, first places won over first places due; 1 is no effect.

        `n` counts rankings that showed something there.
        """
        table = np.array(self._firsts, dtype=np.float64).reshape(-1, 4)
        prompt, position = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
        shown = np.bincount(position)
        found = cells_measured(
            means, prompt, position, table[:, 2], table[:, 3], len(shown), NEVER_SHOWN
        )
        return {LETTERS[i]: replace(each, n=int(shown[i])) for i, each in enumerate(found)}

    def lengths(self, means: Means) -> dict[str, Measured]:
        """Measure how often the longer text is preferred, by how much longer it is."""
        columns = self._longer.numpy()
        ones = np.ones(len(columns["bin"]))
        longer = columns["longer"].astype(np.float64)
        cells = len(RATIOS) + 1
        found = cells_measured(
            means, columns["prompt"], columns["bin"], longer, ones, cells, NO_PREFERENCE
        )
        return dict(zip(_bin_names(), found, strict=True))


def _bin(x: int, y: int) -> int:
    shorter, longer = sorted((x, y))
    return sum(longer > ratio * shorter for ratio in RATIOS)


def _bin_names() -> list[str]:
    """Name the bins of `RATIOS`.

    >>> _bin_names()[0], _bin_names()[1], _bin_names()[-1]
    ('up to 1.1 x', '1.1 to 1.25 x', 'over 4 x')
    """
    between = [f"{a:g} to {b:g} x" for a, b in pairwise(RATIOS)]
    return [f"up to {RATIOS[0]:g} x", *between, f"over {RATIOS[-1]:g} x"]
