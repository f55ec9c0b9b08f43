"""Who met whom, how it went, and a table of strengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelkit.consensus._strengths import davidson, strengths
from labelkit.consensus._votes import Floats, reachable

Ints = NDArray[np.int64]

NEVER_MET = "never compared with the others"
UNBEATEN = "never lost to, nor tied with, those below: its strength has no finite value"
WINLESS = "never beat, nor tied with, those above: its strength has no finite value"

_CELLS = 4_000_000


@dataclass(frozen=True)
class Results:
    """Results between m contestants, of many leagues at once: shape (..., m, m).

    `wins[..., i, j]`: how often i beat j; `ties` is symmetric.
    """

    wins: Floats
    ties: Floats

    @property
    def halves(self) -> Floats:
        """Wins with a tie as half a win for both."""
        return self.wins + self.ties / 2

    @property
    def games(self) -> Floats:
        return self.wins + np.swapaxes(self.wins, -1, -2) + self.ties

    def among(self, who: Sequence[int]) -> Results:
        """Return the results between some of the contestants."""
        pick = list(who)
        return Results(self.wins[..., pick, :][..., pick], self.ties[..., pick, :][..., pick])


def results_of(cells: Ints, sums: Floats, m: int) -> Results:
    """Lay out sums (..., c, 3) of (i won, j won, tied) by cell; `cells` (c, 2) are i < j."""
    wins, ties = np.zeros((2, *sums.shape[:-2], m, m))
    i, j = cells.T
    wins[..., i, j], wins[..., j, i] = sums[..., 0], sums[..., 1]
    ties[..., i, j] = ties[..., j, i] = sums[..., 2]
    return Results(wins, ties)


def main_group(results: Results) -> tuple[list[int], dict[int, str]]:
    """Return (contestants that one table of strengths can hold, why each other one is not in it).

    A strength is finite only among contestants each of whom scored, directly or through others,
    against each other one (Ford, 1957). The largest such group is taken.
    """
    scored = reachable(results.halves > 0)
    met = reachable(results.games > 0)
    together = scored & scored.T
    sizes = together.sum(axis=1)
    anchor = int(np.argmax(sizes))
    inside = [i for i in range(len(sizes)) if i == anchor or together[i, anchor]]
    if len(inside) < 2:
        inside = []
    why = {}
    for i in range(len(sizes)):
        if i not in inside:
            why[i] = _why(bool(met[i, anchor]), bool(scored[i, anchor]))
    return inside, why


def _why(met: bool, scored: bool) -> str:
    if not met:
        return NEVER_MET
    return UNBEATEN if scored else WINLESS


def fit(results: Results) -> tuple[Floats, Floats]:
    """Return (log strengths, Davidson's nu): (..., m) and (...); ties are half wins in the first.

    Works through many leagues in blocks, so that memory stays flat.
    """
    m = results.wins.shape[-1]
    wins, ties = results.wins.reshape(-1, m, m), results.ties.reshape(-1, m, m)
    step = max(1, _CELLS // max(1, m * m))
    scores, nus = [], []
    for start in range(0, len(wins), step):
        part = slice(start, start + step)
        scores.append(strengths(wins[part] + ties[part] / 2))
        nus.append(davidson(wins[part], ties[part])[1])
    shape = results.wins.shape[:-2]
    return np.concatenate(scores).reshape(*shape, m), np.concatenate(nus).reshape(shape)
