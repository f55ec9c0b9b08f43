"""Rows on their way from prompts to files, as JSON lines."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

Piece = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Lines:
    """Some rows of one split, encoded, in pieces: put together they are whole lines.

    Without `picks` every line is a row. With them row i takes its chosen side from line
    `picks[2 * i]` and its rejected side from line `picks[2 * i + 1]`, out of `lines` lines, so that
    a completion in many pairs is there once.
    """

    split: str
    prompt: str
    rows: int
    pieces: Sequence[Piece]
    picks: array[int] | None = None
    lines: int = 0

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))

    @property
    def data(self) -> Piece:
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)

    def cut(self, n: int) -> tuple[Lines, Lines]:
        """Return the first n rows, and the others."""
        rest = self.rows - n
        if self.picks is not None:
            first, others = self.picks[: 2 * n], self.picks[2 * n :]
            return (
                Lines(self.split, self.prompt, n, self.pieces, first, self.lines),
                Lines(self.split, self.prompt, rest, self.pieces, others, self.lines),
            )
        data, end = bytes(self.data), 0
        for _ in range(n):
            end = data.index(b"\n", end) + 1
        return (
            Lines(self.split, self.prompt, n, (data[:end],)),
            Lines(self.split, self.prompt, rest, (data[end:],)),
        )


class Pile:
    """Lines of one split that wait until they are worth a write."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = self.rows = self.lines = 0
        self.picks = array("I")

    def add(self, found: Lines) -> None:
        """Add lines, all with picks or all without; memory that others own is copied."""
        self.pieces += map(bytes, found.pieces)
        self.size += found.size
        self.rows += found.rows
        if found.picks is not None:
            self.picks.extend([self.lines + line for line in found.picks])
            self.lines += found.lines
