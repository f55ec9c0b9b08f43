"""Write rows in an order that keeps a prompt's own rows apart, without holding them in memory."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from labelkit.domain.spread import spread
from labelkit.services.export_piles import Lines, Piece

_GROUP_DIGITS = 15  # of a prompt's uid: 60 bits


class Shuffled:
    """Collects rows on disk and hands them on, split by split, in a spread order.

    Memory is 24 bytes a row. Nothing but the rows and `seed` decides the order.
    """

    def __init__(self, sink: Callable[[Lines], None], seed: str, folder: Path | None) -> None:
        self._sink = sink
        self._seed = seed
        self._folder = folder
        self._piles: dict[str, _Pile] = {}

    def __enter__(self) -> Shuffled:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pile in self._piles.values():
            pile.file.close()

    def add(self, found: Lines) -> None:
        """Take one row."""
        if found.split not in self._piles:
            pile = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # closed by __exit__
            self._piles[found.split] = _Pile(pile)
        self._piles[found.split].add(int(found.prompt[:_GROUP_DIGITS], 16), found.data)

    def hand_on(self) -> None:
        for split, pile in self._piles.items():
            for i in spread(pile.groups, "kto", self._seed, split):
                self._sink(Lines(split, "", 1, (pile.line(i),)))


class _Pile:
    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.groups = array("Q")
        self._ends = array("Q", [0])

    def add(self, group: int, line: Piece) -> None:
        self.file.write(line)
        self.groups.append(group)
        self._ends.append(self._ends[-1] + len(line))

    def line(self, i: int) -> bytes:
        self.file.flush()
        start, end = self._ends[i], self._ends[i + 1]
        return os.pread(self.file.fileno(), end - start, start)
