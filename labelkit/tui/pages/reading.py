"""Pages that are only read: the whole prompt, the guideline and the keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from textual.content import Content

from labelkit.domain.guidelines import body
from labelkit.domain.safe_text import safe_text
from labelkit.tui.bench import Bench
from labelkit.tui.view.bars import prompt_lines
from labelkit.tui.view.paper import BAR, STRONG, Lines, Size, ends, fill, hints, line
from labelkit.tui.view.reading import MOST_READABLE, rendered

_ONWARD = frozenset(["space", "pagedown"])
_DOWN = {"down": 1, "j": 1, "wheeldown": 3, "up": -1, "k": -1, "wheelup": -3}

KEYS = """\
At any time                               Step 1: Rate
  a … i      show a completion              1 … 7      how good it is; 0 takes it back
  Tab ⇧Tab   next, previous                 Enter      next unrated, then step 2
  Space      page down; Backspace up        j k        scroll a line
  p          the whole prompt             Step 2: Rank
  v          compare two                    ↑ ↓        choose a completion
  m          flags on a completion          1 … 9      its place; same place is a tie
  x          marks on the prompt            0          take it out of the ranking
  n t        note on it, on the task        k j        move it up, down (also ⇧↑ ⇧↓)
  w          as Markdown, as it is          =          keep a tie, tie with the one
  u r        undo, redo: the whole task                above, or untie
  s          skip this task, and why        + -        change its rating
  Ctrl+P     your last submitted task       z          hide the board
  ?          the guideline, these keys      y          keep it in sight on the right
  →          a menu of all of these         Enter      review; Enter again submits
  q          save and quit                  Esc        back to step 1

Every key is saved at once: you may close the window at any time.
Capital letters do what small ones do. The mouse does what the keys do."""


class ReadPage(ABC):
    """A text that is scrolled."""

    title = ""
    way_out = "back"

    def __init__(self, bench: Bench[Any]) -> None:
        self.bench = bench
        self.top = 0

    @abstractmethod
    def lines(self, width: int) -> Lines:
        """Return the whole text, no line wider than `width`."""

    def draw(self, size: Size) -> Lines:
        room = size.height - 2
        width = min(size.width - 4, MOST_READABLE)
        found = self.lines(width)
        self.top = max(0, min(self.top, len(found) - room))
        left = (size.width - width) // 2 if size.width > MOST_READABLE else 2
        rows = [x.pad_left(left) for x in found[self.top : self.top + room]]
        head = ends(
            line((f" {self.title}", STRONG)), line(self._how_far(len(found), room)), size.width, BAR
        )
        return [head, *fill(rows, room, size.width), self._hints(size.width)]

    def _how_far(self, total: int, room: int) -> str:
        if total <= room:
            return ""
        bottom = min(total, self.top + room)
        more = "▼ " if bottom < total else ""
        return f"{100 * bottom // total}% of {-(-total // room)} pages {more}"

    def _hints(self, width: int) -> Content:
        pairs = [("enter", "Enter", self.way_out), ("space", "Space", "page"), ("", "↑↓", "scroll")]
        return hints(pairs, width)

    def press(self, key: str) -> None:
        room = self.bench.size.height - 3
        if key in _ONWARD:
            self._page(room)
        elif key in ("pageup", "backspace"):
            self.top -= room
        elif key in _DOWN:
            self.top += _DOWN[key]
        elif key in ("home", "end"):
            self.top = 0 if key == "home" else 10**6
        elif key in ("escape", "enter", "q", "p", "?"):
            self.bench.pop()

    def _page(self, room: int) -> None:
        self.top += room


class PromptPage(ReadPage):
    """The whole prompt; `first` when it is shown before anything else."""

    def __init__(self, bench: Bench[Any], *, first: bool = False) -> None:
        super().__init__(bench)
        self.title = "Read the prompt first" if first else "Prompt"
        self.way_out = "begin" if first else "back"

    def lines(self, width: int) -> Lines:
        return prompt_lines(self.bench.session.view, width)

    def _page(self, room: int) -> None:
        total = len(self.lines(min(self.bench.size.width - 4, MOST_READABLE)))
        if self.top + room + 1 >= total:
            self.bench.pop()
        else:
            self.top += room


class HelpPage(ReadPage):
    """The guideline at the version in force; Tab turns to the keys."""

    keys_text = KEYS

    def __init__(self, bench: Bench[Any]) -> None:
        super().__init__(bench)
        self.keys = False

    @property
    def title(self) -> str:  # type: ignore[override]
        guideline = self.bench.session.guideline
        return "Keys" if self.keys or guideline is None else f"Guideline {guideline.ref}"

    def lines(self, width: int) -> Lines:
        guideline = self.bench.session.guideline
        if self.keys or guideline is None or guideline.text is None:
            return [Content(x) for x in self.keys_text.splitlines()]
        return list(rendered(safe_text(body(guideline.text)), width))

    def _hints(self, width: int) -> Content:
        other = "guideline" if self.keys else "keys"
        pairs = [("tab", "Tab", other), ("space", "Space", "page"), ("escape", "Esc", "back")]
        return hints(pairs, width)

    def press(self, key: str) -> None:
        if key in ("tab", "shift+tab", "left", "right"):
            self.keys, self.top = not self.keys, 0
        else:
            super().press(key)
