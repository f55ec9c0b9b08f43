"""What is compared: units of four kinds, in columns.

A unit is something that several labelers can have an opinion on. A *pair unit* is a (prompt, pair
of completions) with an answer in {-1, 0, +1}; a *ranking unit* is a set of completions somebody put
in order; a *rating* or *flag unit* is one completion. All indexes are 0-based; rows stand in the
order in which a prompt's labels were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from labelkit.agreement._arrays import Bools, Floats, Ints, distinct_rows, no_ints, pieces
from labelkit.agreement._labeler_pairs import LabelerPairs, labeler_pairs

PAIR_VALUES = (-1, 0, 1)

_DENSE = 1 << 20
"""Rows that make numbers under this are told apart by a table: sorting takes ten times as long."""


@dataclass(frozen=True)
class Tally:
    """How many labelers gave each value to each unit.

    A few labelers have few ways to divide over a few values, however many units there are: so
    `patterns` (p, v) are the distinct rows of the table of counts, and `pattern` (units,) says
    which of them is a unit's own. `unit_prompt` (units,) is where each unit belongs.
    """

    patterns: Ints
    pattern: Ints
    unit_prompt: Ints

    @classmethod
    def of(cls, counts: Ints, unit_prompt: Ints) -> Tally:
        """Tell the rows of counts (units, v) apart.

        >>> tally = Tally.of(np.array([[2, 0, 1], [0, 3, 0], [2, 0, 1]]), np.array([0, 0, 1]))
        >>> tally.patterns[tally.pattern].tolist(), tally.times.tolist()
        ([[2, 0, 1], [0, 3, 0], [2, 0, 1]], [1, 2])
        """
        base, v = int(counts.max(initial=0)) + 1, counts.shape[1]
        if base**v > _DENSE:
            first, pattern = distinct_rows(counts)
            return cls(counts[first], pattern, unit_prompt)
        digits = base ** np.arange(v)
        key = counts @ digits
        there = np.bincount(key, minlength=base**v) > 0
        known = np.flatnonzero(there)
        return cls(known[:, None] // digits % base, (np.cumsum(there) - 1)[key], unit_prompt)

    @property
    def times(self) -> Ints:
        """How many units have each pattern: (p,)."""
        return np.bincount(self.pattern, minlength=len(self.patterns))

    def per_prompt(self, used: Bools, values: Floats) -> Floats:
        """Add up what the units of each prompt have: (prompts, c).

        `used` (p,) are the patterns that count, and `values` (of those, c) what one unit of each
        has. Prompts without such a unit are left out.
        """
        known = np.bincount(self.unit_prompt, used[self.pattern]) > 0
        each = np.zeros((values.shape[1], len(used)))
        each[:, used] = values.T
        columns = [np.bincount(self.unit_prompt, one[self.pattern])[known] for one in each]
        return np.column_stack(columns)


@dataclass(frozen=True)
class Answers:
    """Who said what about which unit: one row for each (labeler, unit), no labeler twice a unit.

    Columns of shape (n,). `value` is whatever was answered; `unit_prompt` (units,) is where each
    unit belongs.
    """

    unit: Ints
    labeler: Ints
    value: Ints
    unit_prompt: Ints

    @property
    def n_units(self) -> int:
        return len(self.unit_prompt)

    def counts(self, values: Sequence[int]) -> Ints:
        """Return how many labelers gave each value to each unit: shape (units, values)."""
        shape = (self.n_units, len(values))
        cell = np.searchsorted(np.asarray(values), self.value)
        cell += self.unit * len(values)
        table = np.bincount(cell, minlength=shape[0] * shape[1])
        return table.reshape(shape).astype(np.int64, copy=False)

    def cross(self, values: Sequence[int]) -> LabelerPairs:
        """Cross every two labelers; rows stand by unit and labeler, the units by prompt."""
        code = np.searchsorted(np.asarray(values), self.value)
        prompt = self.unit_prompt[self.unit]
        return labeler_pairs(prompt, self.unit, self.labeler, code, len(values))

    def tally(self, values: Sequence[int]) -> Tally:
        """Return the same counts, pattern by pattern."""
        return Tally.of(self.counts(values), self.unit_prompt)


@dataclass(frozen=True)
class Judgements(Answers):
    """Answers on pair units: +1 where the first of the pair is better, -1 the second, 0 a tie.

    `pair` (units, 2) are the completions; which of the two comes first is arbitrary and must change
    no statistic. Rows are sorted by unit, then labeler.
    """

    pair: Ints

    @cached_property
    def pair_tally(self) -> Tally:
        """How many labelers said -1, 0 and +1 on each unit."""
        return super().tally(PAIR_VALUES)

    @cached_property
    def crossed(self) -> LabelerPairs:
        """What every two labelers said on the units that both judged."""
        return self.cross(PAIR_VALUES)

    def tally(self, values: Sequence[int]) -> Tally:
        """Return the counts, pattern by pattern; nearly every statistic asks for them."""
        return self.pair_tally if values == PAIR_VALUES else super().tally(values)


@dataclass(frozen=True)
class Repeats:
    """Pairs that one labeler judged again: the first answer and a later one. Shape (n,)."""

    prompt: Ints
    labeler: Ints
    first: Ints
    later: Ints


@dataclass(frozen=True)
class Rankings:
    """Rankings as columns: row r places `k[r]` completions.

    `item` and `rank` (sum of k,) hold them one ranking after the other, rank 0 the best. `prompt`,
    `labeler`, `k` have shape (rankings,). `item_prompt` (completions,) is where each belongs.
    """

    prompt: Ints
    labeler: Ints
    k: Ints
    item: Ints
    rank: Ints
    item_prompt: Ints

    @property
    def start(self) -> Ints:
        """Where each ranking begins in `item` and `rank`."""
        return np.cumsum(self.k) - self.k

    def of_size(self, k: int) -> tuple[Ints, Ints, Ints]:
        """Return the rankings of k completions: (rows (r,), items (r, k), ranks (r, k)).

        The items of a ranking go up.
        """
        rows = np.flatnonzero(self.k == k)
        places = self.start[rows][:, None] + np.arange(k)
        items, ranks = self.item[places], self.rank[places]
        order = np.argsort(items, axis=1)
        return rows, np.take_along_axis(items, order, 1), np.take_along_axis(ranks, order, 1)

    def sizes(self) -> list[int]:
        return [int(k) for k in np.unique(self.k) if k >= 2]

    def cut(self, at_once: int) -> Iterator[Rankings]:
        """Yield them in pieces of about so many, the rankings of a prompt together."""
        ends = np.append(self.start, len(self.item))
        for rows in pieces(self.prompt, at_once):
            places = slice(ends[rows.start], ends[rows.stop])
            yield replace(
                self,
                prompt=self.prompt[rows],
                labeler=self.labeler[rows],
                k=self.k[rows],
                item=self.item[places],
                rank=self.rank[places],
            )


@dataclass(frozen=True)
class Flags:
    """Which flags were raised where: one row for each (labeler, completion).

    `asked` and `raised` have shape (rows, flags): a flag that the labeler's guideline did not have
    was not asked, and counts as no answer.
    """

    item: Ints
    labeler: Ints
    names: Sequence[str]
    asked: Bools
    raised: Bools
    item_prompt: Ints

    def answers(self, flag: int) -> Answers:
        """Return the yes/no answers on one flag."""
        rows = self.asked[:, flag]
        raised = self.raised[rows, flag].astype(np.int64)
        return Answers(self.item[rows], self.labeler[rows], raised, self.item_prompt)


@dataclass(frozen=True)
class Units:
    """All that a statistic can be computed from; answers name `labelers`, sorted, by index.

    `gold` maps nothing: it is pair units, keyed.
    """

    labelers: Sequence[str]
    pairs: Judgements
    rankings: Rankings
    repeats: Repeats
    ratings: Answers
    flags: Flags
    gold: Judgements

    def without(self, kinds: set[str]) -> Units:
        """Return the same with some kinds of unit emptied."""
        nothing = empty_units()
        return replace(self, **{kind: getattr(nothing, kind) for kind in kinds})


def empty_units(labelers: Sequence[str] = ()) -> Units:
    """Return units without a single answer."""
    e = no_ints()
    pairs = Judgements(e, e, e, e, no_ints(0, 2))
    nobody = np.zeros((0, 0), dtype=bool)
    return Units(
        labelers=labelers,
        pairs=pairs,
        rankings=Rankings(e, e, e, e, e, e),
        repeats=Repeats(e, e, e, e),
        ratings=Answers(e, e, e, e),
        flags=Flags(e, e, (), nobody, nobody, e),
        gold=pairs,
    )
