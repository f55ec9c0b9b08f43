"""Dialogs with a list: flags, marks on the prompt, reasons to skip, and everything else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from textual.content import Content

from labelkit.domain.models import FlagRule
from labelkit.domain.safe_text import safe_text
from labelkit.tui.bench import Bench, RankBench
from labelkit.tui.session import OTHER
from labelkit.tui.view.paper import (
    EMPTY,
    FAINT,
    HERE,
    STRONG,
    WARN,
    Lines,
    Size,
    box,
    fit,
    line,
    over,
    press,
)

DIGITS = "1234567890-="
_WIDTH = 76


class ListPage(ABC):
    """A list over the page below: digits act, and so do the arrows with Space or Enter."""

    foot = ""

    def __init__(self, bench: Bench[Any]) -> None:
        self.bench = bench
        self.at = 0

    @property
    @abstractmethod
    def title(self) -> str: ...

    @abstractmethod
    def items(self) -> Sequence[Content]: ...

    @abstractmethod
    def act(self, index: int) -> None: ...

    def done(self) -> None:
        """Enter was pressed."""
        self.act(self.at)

    def draw(self, size: Size) -> Lines:
        width = min(_WIDTH, size.width - 2)
        room = max(1, size.height - 4)
        items = self.items()
        top = max(0, min(self.at - room // 2, len(items) - room))
        rows = [self._row(i, items[i], width - 4) for i in range(len(items))[top : top + room]]
        title = line((self.title, STRONG))
        said = self.bench.message
        foot = line((said, WARN) if said else (self.foot, FAINT))
        dialog = box(title, rows or [EMPTY], width, foot)
        return over(self.bench.pages[self.bench.pages.index(self) - 1].draw(size), dialog, size)

    def _row(self, index: int, item: Content, width: int) -> Content:
        here = index == self.at
        row = fit(line(("▸ " if here else "  ", STRONG), item), width)
        return press(row.stylize(HERE) if here else row, f"item {index}")

    def press(self, key: str) -> None:
        n = len(self.items())
        if key.startswith("item "):
            self._choose(int(key.removeprefix("item ")))
        elif key in DIGITS and DIGITS.index(key) < n:
            self._choose(DIGITS.index(key))
        elif key in ("down", "j", "tab", "up", "k", "shift+tab") and n:
            self.at = (self.at + (1 if key in ("down", "j", "tab") else -1)) % n
        elif key == "space" and n:
            self.act(self.at)
        elif key == "enter" and n:
            self.done()
        elif key in ("escape", "q", "enter", "left"):
            self.bench.pop()

    def _choose(self, index: int) -> None:
        self.at = index
        self.act(index)


class _TickPage(ListPage):
    """Boxes to tick. Every tick counts at once."""

    foot = "digits, or ↑↓ and Space, tick · Enter closes · every tick is saved, u undoes"
    bench: RankBench

    @property
    @abstractmethod
    def rules(self) -> Sequence[FlagRule]: ...

    @property
    @abstractmethod
    def chosen(self) -> Sequence[str]: ...

    def items(self) -> Sequence[Content]:
        return [self._item(i, rule) for i, rule in enumerate(self.rules)]

    def _item(self, index: int, rule: FlagRule) -> Content:
        on = rule.key in self.chosen
        key = DIGITS[index] if index < len(DIGITS) else " "
        style = WARN if on and not rule.positive else (STRONG if on else "")
        return line(f"{key} {'[x]' if on else '[ ]'} ", (safe_text(rule.label), style))

    def done(self) -> None:
        self.bench.pop()


class FlagsPage(_TickPage):
    """Flags on the completion in front."""

    @property
    def title(self) -> str:
        return f"Flags on completion {self.bench.session.state.work.focus}"

    @property
    def rules(self) -> Sequence[FlagRule]:
        return self.bench.session.flags

    @property
    def chosen(self) -> Sequence[str]:
        work = self.bench.session.state.work
        return work.flags.get(work.focus, ())

    def act(self, index: int) -> None:
        state = self.bench.session.state
        state.flag(state.work.focus, self.rules[index].key)


class MarksPage(_TickPage):
    """Marks on the prompt."""

    title = "Marks on the prompt"

    @property
    def rules(self) -> Sequence[FlagRule]:
        return self.bench.session.marks

    @property
    def chosen(self) -> Sequence[str]:
        return self.bench.session.state.work.marks

    def act(self, index: int) -> None:
        self.bench.session.state.mark(self.rules[index].key)


class SkipPage(ListPage):
    """Why the task is put back."""

    title = "Skip this task: why?"
    foot = "digit or Enter skips · Esc goes back"

    def items(self) -> Sequence[Content]:
        skips = self.bench.session.skips
        return [line(f"{DIGITS[i]}  {safe_text(rule.label)}") for i, rule in enumerate(skips)]

    def act(self, index: int) -> None:
        if not self.bench.meant():
            return
        reason = self.bench.session.skips[index].key
        self.bench.pop()
        if reason == OTHER and not self.bench.session.note_on(None):
            self.bench.message = "Write a note on the task that says why; then skip again"
            self.bench.ask_note(None)
        else:
            self.bench.skip(reason)


class MenuPage(ListPage):
    """A list of keys and what they do."""

    title = "What would you like to do?"
    foot = "↑↓ and Enter choose · Esc goes back"
    choices: tuple[tuple[str, str], ...] = ()

    def items(self) -> Sequence[Content]:
        return [line((f"{key:<7}", FAINT), words) for key, words in self.choices]

    def act(self, index: int) -> None:
        self.bench.pop()
        self.bench.pages[-1].press(self.choices[index][0])

    def press(self, key: str) -> None:
        letters = {choice: i for i, (choice, _) in enumerate(self.choices)}
        if key in letters and key not in ("k", "j"):
            self.act(letters[key])
        elif key not in DIGITS:
            super().press(key)


class RankMenu(MenuPage):
    """Everything that has a letter, for keyboards without those letters."""

    choices = (
        ("v", "Compare with another completion"),
        ("m", "Flags on this completion"),
        ("n", "Note on this completion"),
        ("x", "Marks on the prompt"),
        ("t", "Note on the task"),
        ("p", "Read the whole prompt"),
        ("?", "Guideline and keys"),
        ("u", "Undo"),
        ("r", "Redo"),
        ("k", "Move up in the ranking"),
        ("j", "Move down in the ranking"),
        ("=", "Tie, keep a tie, or untie"),
        ("+", "Rate higher"),
        ("-", "Rate lower"),
        ("w", "Show as Markdown, or as it is"),
        ("z", "Hide or show the board"),
        ("y", "Keep this completion in sight on the right"),
        ("ctrl+p", "Open the last submitted task again"),
        ("s", "Skip this task"),
        ("q", "Save and quit"),
    )


class WriteMenu(MenuPage):
    """What there is to do besides writing."""

    choices = (
        ("ctrl+s", "Submit the text"),
        ("p", "Read the whole prompt"),
        ("?", "Guideline and keys"),
        ("t", "Note on the task"),
        ("ctrl+p", "Open the last submitted text again"),
        ("s", "Skip this task"),
        ("q", "Save and quit"),
    )
