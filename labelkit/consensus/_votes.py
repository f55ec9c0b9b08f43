"""Many rankings of one prompt as one table of votes, and ways back to tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelkit.domain.models import Ranking, Tiers
from labelkit.domain.pairs import comparisons

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Votes:
    """Who was preferred to whom. `wins[i, j]`: votes for i over j; `ties` (symmetric): for neither.

    Pairs that nobody judged have neither; partial rankings vote only on what they placed.
    """

    items: tuple[str, ...]
    wins: Floats
    ties: Floats

    @property
    def judged(self) -> Floats:
        """How many votes each pair has: (k, k)."""
        return self.wins + self.wins.T + self.ties

    @property
    def margin(self) -> Floats:
        """Votes for i over j less votes for j over i: (k, k)."""
        return self.wins - self.wins.T


def votes_of(rankings: Sequence[Ranking], weights: Mapping[str, float] | None = None) -> Votes:
    """Count the votes of rankings of one prompt, given in the order they were made.

    Where one labeler judged a pair twice the first counts. `weights` says how much the vote of a
    labeler counts, 1 where it does not say.
    """
    items = tuple(sorted({uid for r in rankings for tier in r.tiers for uid in tier}))
    index = {uid: i for i, uid in enumerate(items)}
    wins, ties = np.zeros((2, len(items), len(items)))
    heard: set[tuple[str, str, str]] = set()
    for ranking in rankings:
        who = ranking.labeler or ranking.uid
        weight = 1.0 if weights is None else weights.get(who, 1.0)
        for a, b, value in comparisons(ranking.tiers):
            if (who, a, b) in heard:
                continue
            heard.add((who, a, b))
            i, j = index[a], index[b]
            if value == 0:
                ties[i, j] += weight
                ties[j, i] += weight
            else:
                wins[(i, j) if value > 0 else (j, i)] += weight
    return Votes(items, wins, ties)


def by_score(items: Sequence[str], scores: Floats) -> Tiers:
    """Put the highest score first; equal scores share a tier.

    >>> by_score(["a", "b", "c"], np.array([1.0, 2.0, 1.0]))
    (('b',), ('a', 'c'))
    """
    tiers: dict[float, list[str]] = {}
    for item, score in zip(items, scores, strict=True):
        tiers.setdefault(round(float(score), 9), []).append(item)
    return tuple(tuple(tiers[score]) for score in sorted(tiers, reverse=True))


def by_layers(items: Sequence[str], above: Bools) -> Tiers:
    """Put first what nothing is above, then what only those are above, and so on.

    `above` (k, k) must not go round in a circle.

    >>> by_layers(["a", "b", "c"], np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]], dtype=bool))
    (('a', 'c'), ('b',))
    """
    left = np.ones(len(items), dtype=bool)
    tiers = []
    while left.any():
        top = left & ~above[left].any(axis=0)
        tiers.append(tuple(items[i] for i in np.flatnonzero(top).tolist()))
        left &= ~top
    return tuple(tiers)


def reachable(edges: Bools) -> Bools:
    """Return from where one gets to where, along one edge or more: (..., k, k)."""
    found = edges.copy()
    for _ in range(int(edges.shape[-1]).bit_length()):
        found |= (found.astype(np.float32) @ found.astype(np.float32)) > 0
    return found
