"""Writing a demonstration: what stands around the editor, and what its keys do."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from labelkit.domain.safe_text import safe_text
from labelkit.tui.bench import Page, WriteBench
from labelkit.tui.pages.choose import SkipPage, WriteMenu
from labelkit.tui.pages.reading import HelpPage, PromptPage
from labelkit.tui.view.bars import prompt_lines
from labelkit.tui.view.paper import (
    BAR,
    EMPTY,
    FAINT,
    KEY,
    STRONG,
    WARN,
    Lines,
    Size,
    box,
    ends,
    fill,
    fit,
    hints,
    line,
    over,
    press,
    rule,
)
from labelkit.tui.wording import count, minutes, task_title

WRITE_KEYS = """\
  Write as in any editor. Ctrl+Z undoes, Ctrl+Y makes it again.

  Ctrl+S   submit: the text is shown once more before it is stored
  Esc      a menu: submit, prompt, guideline, note, skip, quit
  F1       the guideline, these keys
  Ctrl+P   your last submitted text

Every key is saved at once: you may close the window at any time."""


class EditPage:
    """Stands for the editor at the bottom of the stack; draws all that is not the editor."""

    def __init__(self, bench: WriteBench) -> None:
        self.bench = bench
        self._keys: dict[str, Callable[[], None]] = {
            "ctrl+s": self._review,
            "p": lambda: bench.push(PromptPage(bench)),
            "?": lambda: bench.push(WriteHelp(bench)),
            "t": lambda: bench.ask_note(None),
            "s": lambda: bench.push(SkipPage(bench)),
            "escape": lambda: bench.push(WriteMenu(bench)),
            "ctrl+p": bench.previous,
            "q": bench.leave,
        }

    def draw(self, size: Size) -> Lines:
        """The page behind a dialog: the editor is not in it."""
        return [self.header(size.width), *self.prompt(Size(size.width, size.height - 1))]

    def header(self, width: int) -> Content:
        session = self.bench.session
        left = line((f" {task_title(session.view)} ", STRONG), ("  Write the best answer", FAINT))
        trouble = self.bench.trouble
        state = (f"! {safe_text(trouble)}", WARN) if trouble else ("✓ saved", FAINT)
        time = (minutes(session.clock.seconds), FAINT)
        words = (count(session.words, "word"), STRONG)
        return ends(left, line(words, "  ", time, "  ", state, " "), width, BAR)

    def prompt(self, size: Size) -> Lines:
        """The prompt pane: what fits, and where the rest is."""
        title = rule(Content.styled("Prompt", STRONG), size.width, "$accent")
        lines = prompt_lines(self.bench.session.view, size.width - 2)
        shown = [x.pad_left(1) for x in lines[: size.height - 1]]
        if len(lines) > len(shown):
            more = count(len(lines) - len(shown) + 1, "more line")
            shown[-1] = press(line((f" … {more}: ", FAINT), ("Esc p", KEY)), "p")
        return [title, *fill(shown, size.height - 1, size.width)]

    def foot(self, width: int) -> Lines:
        """A line for what happened, and the keys."""
        pairs = [
            ("ctrl+s", "Ctrl+S", "submit"),
            ("escape", "Esc", "menu"),
            ("?", "F1", "guideline"),
            ("ctrl+p", "Ctrl+P", "previous"),
        ]
        return [fit(line((f" {self.bench.message}", WARN)), width), hints(pairs, width)]

    def press(self, key: str) -> None:
        if key in self._keys:
            self._keys[key]()

    def _review(self) -> None:
        if self.bench.session.text.strip():
            self.bench.push(WriteReview(self.bench))
        else:
            self.bench.message = "Nothing is written yet. To put the task back: Esc, s"


class WriteHelp(HelpPage):
    """The guideline, and the keys of the editor."""

    keys_text = WRITE_KEYS


class WriteReview:
    """Once more before it is stored."""

    def __init__(self, bench: WriteBench) -> None:
        self.bench = bench

    def draw(self, size: Size) -> Lines:
        session = self.bench.session
        width = min(64, size.width - 2)
        start = Content(safe_text(session.text.strip("\n")), strip_control_codes=False)
        rows = start.wrap(width - 4)
        shown = rows if len(rows) <= 6 else [*rows[:3], Content("…"), *rows[-2:]]
        title = line(("Submit ", STRONG), (count(session.words, "word"), STRONG))
        said = self.bench.message
        rest = (f"  {said}", WARN) if said else (" · Esc goes on writing", FAINT)
        foot = line(press("Enter submits", "enter", STRONG), rest)
        dialog = box(title, [*shown, EMPTY], width, foot)
        return over(self.bench.pages[0].draw(size), dialog, size)

    def press(self, key: str) -> None:
        if key == "enter":
            if self.bench.meant():
                self.bench.pop()
                self.bench.submit()
        elif key in ("escape", "q", "backspace"):
            self.bench.pop()


def first_pages(bench: WriteBench) -> list[Page]:
    """The pages a task begins with."""
    return [EditPage(bench)]
