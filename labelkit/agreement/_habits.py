"""What a labeler's rankings say about how they were made, one ranking at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import factorial
from statistics import median

from labelkit.domain.models import Ranking
from labelkit.domain.pairs import comparisons

LEAST_SECONDS = 5.0
CHARS_A_SECOND = 40.0
"""About 480 words a minute, twice as fast as people read: whoever is faster has not read it all."""


def shown_of(ranking: Ranking) -> list[str]:
    """Return the placed completions in the order shown.

    Empty where that order is not known, or only in part, or where one alone was placed.
    """
    placed = {uid for tier in ranking.tiers for uid in tier}
    shown = [uid for uid in ranking.shown if uid in placed]
    return shown if len(shown) == len(placed) > 1 else []


def first_places(ranking: Ranking) -> list[tuple[float, float]]:
    """Return, for each position shown, (first places won, first places due by chance).

    Those who tie for the first place share it.
    """
    shown, best = shown_of(ranking), ranking.tiers[0]
    return [((uid in best) / len(best), 1 / len(shown)) for uid in shown]


@dataclass
class Share:
    """`part` of `n`."""

    part: float = 0
    n: int = 0

    def add(self, part: float, n: int = 1) -> None:
        self.part += part
        self.n += n

    @property
    def value(self) -> float | None:
        return self.part / self.n if self.n else None


@dataclass
class Habits:
    """One labeler's rankings, counted.

    `hurried`: faster than anybody reads. `tied`: everything in one tier. `copied`: strict, in the
    order shown or its reverse; `by_chance` is how many of them chance would make. `firsts` and
    `fair` are first places by position shown, and how many each would have if position made no
    difference. `contradicted`: pairs ranked against their own ratings.
    """

    rankings: int = 0
    seconds: list[float] = field(default_factory=list)
    hurried: Share = field(default_factory=Share)
    tied: Share = field(default_factory=Share)
    copied: Share = field(default_factory=Share)
    by_chance: float = 0.0
    firsts: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    fair: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    contradicted: Share = field(default_factory=Share)
    skips: Counter[str] = field(default_factory=Counter)

    @property
    def median_seconds(self) -> float | None:
        return median(self.seconds) if self.seconds else None

    def add(self, ranking: Ranking, lengths: Mapping[str, int], prompt_length: int) -> None:
        """Count one ranking; `lengths` are the characters of each completion."""
        self.rankings += 1
        if ranking.seconds is not None:
            read = prompt_length + sum(lengths[uid] for uid in ranking.judged)
            self.seconds.append(ranking.seconds)
            self.hurried.add(ranking.seconds < max(LEAST_SECONDS, read / CHARS_A_SECOND))
        if ranking.k > 1:
            self.tied.add(len(ranking.tiers) == 1)
        self._add_positions(ranking)
        self._add_contradictions(ranking)

    def _add_positions(self, ranking: Ranking) -> None:
        shown = shown_of(ranking)
        if not shown:
            return
        order = [tier[0] for tier in ranking.tiers if len(tier) == 1]
        self.copied.add(order in (shown, shown[::-1]))
        self.by_chance += 2 / factorial(len(shown))
        for position, (got, fair) in enumerate(first_places(ranking)):
            self.fair[position] += fair
            if got:
                self.firsts[position] += got

    def _add_contradictions(self, ranking: Ranking) -> None:
        for a, b, value in comparisons(ranking.tiers):
            x, y = ranking.ratings.get(a), ranking.ratings.get(b)
            if x is not None and y is not None and x != y:
                self.contradicted.add((x - y) * value < 0)

    def position_effect(self) -> tuple[float, int] | None:
        """Return (chi-square, degrees of freedom) of first places over positions shown.

        None with fewer than five first places expected at a position (Cochran's rule).
        """
        if len(self.fair) < 2 or min(self.fair.values()) < 5:
            return None
        off = sum((self.firsts[p] - e) ** 2 / e for p, e in self.fair.items())
        return float(off), len(self.fair) - 1
