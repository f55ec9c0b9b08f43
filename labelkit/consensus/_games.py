"""Judgements on completions as games between those who wrote them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from labelkit.consensus._league import Ints
from labelkit.consensus._votes import Bools
from labelkit.domain.models import Completion

ALIKE = 1.25
"""Two texts are alike in length when neither has this many times the other's characters."""


def _column() -> array[int]:
    return array("q")


@dataclass
class Writers:
    """Who wrote each completion, by the number the completion has in a table of judgements."""

    names: dict[str, int] = field(default_factory=dict)
    count: array[int] = field(default_factory=_column)
    length: array[int] = field(default_factory=_column)
    _who: array[int] = field(default_factory=_column)

    def add(self, completion: Completion, names: Sequence[str]) -> None:
        """Add the next completion; a text that several models gave stands for all of them."""
        self.count.append(len(names))
        self.length.append(len(completion.text))
        self._who.extend(self.names.setdefault(name, len(self.names)) for name in names)

    @property
    def order(self) -> list[str]:
        return sorted(self.names)

    @property
    def who(self) -> Ints:
        """The writers, completion after completion, numbered by name: nothing depends on order."""
        number = np.zeros(len(self.names), dtype=np.int64)
        number[[self.names[name] for name in self.order]] = np.arange(len(self.names))
        return np.asarray(number[np.frombuffer(self._who, dtype=np.int64)])


@dataclass(frozen=True)
class Games:
    """One row for each comparison of two writers, i < j by number.

    `value` is +1 where i is better, -1 where j is, 0 for a tie; `longer` +1 where i's text is the
    longer one, -1 where j's is, 0 where they are alike in length.
    """

    prompt: Ints
    i: Ints
    j: Ints
    value: Ints
    longer: Ints

    def of(self, rows: Bools) -> Games:
        """Return some of the rows."""
        return Games(
            self.prompt[rows], self.i[rows], self.j[rows], self.value[rows], self.longer[rows]
        )


def games_of(a: Ints, b: Ints, value: Ints, prompt: Ints, writers: Writers) -> Games:
    """Return the games that judgements of completion a against b, (n,) each, stand for.

    A judgement on texts by several writers is a game for every two of them; writers do not play
    themselves, and a text that names no writer plays nobody.
    """
    who = writers.who
    count = np.frombuffer(writers.count, dtype=np.int64)
    length = np.frombuffer(writers.length, dtype=np.int64)
    first = np.cumsum(count) - count
    times = count[a] * count[b]
    rows = np.repeat(np.arange(len(a)), times)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(times) - times, times)
    a, b = a[rows], b[rows]
    left, right = who[first[a] + nth // count[b]], who[first[b] + nth % count[b]]
    longer = (length[a] > ALIKE * length[b]).astype(np.int64) - (length[b] > ALIKE * length[a])
    turn = np.where(left < right, 1, -1)
    games = Games(
        prompt=prompt[rows],
        i=np.minimum(left, right),
        j=np.maximum(left, right),
        value=value[rows] * turn,
        longer=longer * turn,
    )
    return games.of(left != right)
