"""From rankings to judgements: one answer of every labeler on every pair they put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labelkit.agreement._arrays import Ints
from labelkit.agreement._units import Judgements, Rankings, Repeats, empty_units

_AT_ONCE = 4096
"""Rankings whose comparisons are sorted together: they fit into the cache."""


def judge(rankings: Rankings, n_labelers: int) -> tuple[Judgements, Repeats]:
    """Return every comparison that the rankings hold, each labeler once a pair, and the repeats.

    Where one labeler judged a pair twice the first counts, in the order of the rows, which stand
    prompt by prompt.
    """
    width = int(np.bincount(rankings.item_prompt).max(initial=0))
    pieces = rankings.cut(_AT_ONCE)
    judged = [_judge(piece, n_labelers, width) for piece in pieces if piece.sizes()]
    if not judged:
        nothing = empty_units()
        return nothing.pairs, nothing.repeats
    return _joined([pairs for pairs, _ in judged]), Repeats(
        prompt=np.concatenate([again.prompt for _, again in judged]),
        labeler=np.concatenate([again.labeler for _, again in judged]),
        first=np.concatenate([again.first for _, again in judged]),
        later=np.concatenate([again.later for _, again in judged]),
    )


def _joined(parts: Sequence[Judgements]) -> Judgements:
    """Return judgements on different units as one table."""
    before = np.cumsum([0, *(part.n_units for part in parts)])
    return Judgements(
        unit=np.concatenate([part.unit + n for part, n in zip(parts, before, strict=False)]),
        labeler=np.concatenate([part.labeler for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        unit_prompt=np.concatenate([part.unit_prompt for part in parts]),
        pair=np.concatenate([part.pair for part in parts]),
    )


def _judge(rankings: Rankings, n_labelers: int, width: int) -> tuple[Judgements, Repeats]:
    packed = _Packing.of(rankings, n_labelers, width)
    keys = np.concatenate([packed.keys(rankings, k) for k in rankings.sizes()])
    keys.sort(kind="stable")  # prompt by prompt they are in order: this kind sees it
    value = keys % 3 - 1
    answer = keys // (3 * packed.turns)  # a unit and a labeler
    fresh = np.r_[True, answer[1:] != answer[:-1]]
    again = np.flatnonzero(~fresh)
    first = np.flatnonzero(fresh)
    unit_key, labeler = np.divmod(answer[first], n_labelers)
    change = np.r_[True, unit_key[1:] != unit_key[:-1]]
    a, step = np.divmod(unit_key[change], packed.width)
    judgements = Judgements(
        unit=np.cumsum(change) - 1,
        labeler=labeler,
        value=value[first],
        unit_prompt=rankings.item_prompt[a],
        pair=np.column_stack([a, a + step]),
    )
    where = np.cumsum(fresh)[again] - 1  # the first answer that each repeat repeats
    repeats = Repeats(
        prompt=judgements.unit_prompt[judgements.unit[where]],
        labeler=labeler[where],
        first=value[first][where],
        later=value[again],
    )
    return judgements, repeats


@dataclass(frozen=True)
class _Packing:
    """One comparison as one integer: sorting plain integers is ten times as fast as rows.

    From the highest digit: first completion, distance to the second, labeler, turn (which of the
    prompt's rankings it came from), value. The product of the bases stays under 2**63 up to stores
    of some billion completions.
    """

    width: int
    labelers: int
    turns: int
    turn: Ints

    @classmethod
    def of(cls, rankings: Rankings, n_labelers: int, width: int) -> _Packing:
        begins = np.r_[True, rankings.prompt[1:] != rankings.prompt[:-1]]
        rows = np.arange(len(rankings.prompt))
        turn = rows - np.maximum.accumulate(np.where(begins, rows, 0))
        return cls(width, n_labelers, int(turn.max()) + 1, turn)

    def keys(self, rankings: Rankings, k: int) -> Ints:
        """Return the packed comparisons of all rankings of k completions, flat."""
        rows, items, ranks = rankings.of_size(k)
        i, j = np.triu_indices(k, 1)
        value = np.sign(ranks[:, j] - ranks[:, i])
        unit = items[:, i] * (self.width - 1) + items[:, j]
        answer = unit * self.labelers + rankings.labeler[rows][:, None]
        keys: Ints = (answer * self.turns + self.turn[rows][:, None]) * 3 + value + 1
        return keys.ravel()
