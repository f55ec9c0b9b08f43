"""Labelers who contradict themselves: circles, and pairs judged one way and then the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labelkit.domain.models import Ranking
from labelkit.domain.pairs import comparisons


@dataclass(frozen=True, slots=True)
class Consistency:
    """What one labeler's rankings of one prompt say when taken together."""

    circle: bool
    opposite: int
    again: int


def consistency(rankings: Iterable[Ranking]) -> Consistency:
    """Look for a > b > ... > a over several rankings, and for pairs judged in opposite ways.

    `again` counts pairs judged a second time, `opposite` those that turned round.
    """
    first: dict[tuple[str, str], int] = {}
    again = opposite = 0
    for ranking in rankings:
        for a, b, value in comparisons(ranking.tiers):
            if (a, b) in first:
                again += 1
                opposite += first[a, b] * value < 0
            else:
                first[a, b] = value
    below: dict[str, set[str]] = {}
    for (a, b), value in first.items():
        if value:
            better, worse = (a, b) if value > 0 else (b, a)
            below.setdefault(better, set()).add(worse)
    return Consistency(_has_circle(below), opposite, again)


def _has_circle(below: dict[str, set[str]]) -> bool:
    """Take away what has nothing below it until nothing is left, or only circles."""
    left = {name: set(worse) for name, worse in below.items()}
    while left:
        ends = [name for name, worse in left.items() if not worse & left.keys()]
        if not ends:
            return True
        for name in ends:
            del left[name]
    return False
