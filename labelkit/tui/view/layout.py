"""Where things go, by the size of the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from labelkit.tui.view.paper import Size
from labelkit.tui.work import RANK

NORMAL, WIDE, TALL = 110, 140, 34


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns and rows of the ranking page; a width of 0 means that a part is not there.

    `body` counts the rows between prompt and question, the line with the titles included.
    """

    size: Size
    board: int
    reader: int
    second: int
    prompt: int
    body: int

    @property
    def rows(self) -> int:
        """Rows of text in the reader."""
        return max(1, self.body - 1)

    @property
    def tall(self) -> bool:
        return self.size.height >= TALL

    @property
    def strip(self) -> bool:
        """Whether the completions are listed in one line, for want of a board."""
        return self.board == 0


def prompt_room(size: Size, step: str) -> int:
    """The most rows that the prompt may take."""
    if size.height >= TALL:
        return 8
    return 2 if step == RANK else 4


def layout(size: Size, step: str, prompt: int, *, board_hidden: bool = False) -> Layout:
    """Lay the ranking page out; `prompt` is how many rows the prompt takes."""
    board = 0 if board_hidden else _board(size.width, step)
    left = size.width - (board + 1 if board else 0)
    second = (left - 1) // 2 if size.width >= WIDE and step == RANK else 0
    reader = left - (second + 1 if second else 0)
    body = max(2, size.height - 4 - prompt)
    return Layout(size, board, reader, second, prompt, body)


def _board(width: int, step: str) -> int:
    if width >= WIDE:
        return 42
    if width >= NORMAL:
        return 36
    return 27 if step == RANK else 0
