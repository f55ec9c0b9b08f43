"""The table that every pair statistic starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judgements:
    """Who said what about which pair: one row for each (labeler, unit), no labeler twice a unit.

    A unit is a (prompt, pair of completions). `prompt`, `unit` and `labeler` are 0-based indexes of
    shape (n,); `value` is +1 where the first of the pair is better, -1 where the second is, 0 for
    a tie. Which completion comes first in a unit is arbitrary and must change no statistic.
    """

    prompt: Ints
    unit: Ints
    labeler: Ints
    value: Ints
    labelers: Sequence[str]

    @property
    def n_prompts(self) -> int:
        return int(self.prompt.max()) + 1 if len(self.prompt) else 0

    @property
    def n_units(self) -> int:
        return int(self.unit.max()) + 1 if len(self.unit) else 0

    def counts(self) -> Ints:
        """Return how many labelers said -1, 0 and +1 on each unit: shape (units, 3)."""
        table = np.bincount(self.unit * 3 + self.value + 1, minlength=3 * self.n_units)
        return table.reshape(-1, 3).astype(np.int64)

    def unit_prompts(self) -> Ints:
        """Return the prompt of each unit: shape (units,)."""
        result = np.zeros(self.n_units, dtype=np.int64)
        result[self.unit] = self.prompt
        return result
