"""What is on the screen, whatever draws it: pages on a stack, and the session they work on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from textual.content import Content

from labelkit.errors import InputError, LabelkitError, LeaseLost, StoreError
from labelkit.tui.session import RankSession, Session, WriteSession
from labelkit.tui.view.paper import SMALLEST, Lines, Size, fill
from labelkit.tui.wording import count

S = TypeVar("S", bound=Session[Any])

FLOOD = 32
"""Keys without a pause that nobody types."""


class Page(Protocol):
    """Something that fills the screen."""

    def draw(self, size: Size) -> Lines:
        """Exactly `size.height` lines of `size.width` cells."""

    def press(self, key: str) -> None:
        """Act on a key."""


@dataclass(frozen=True, slots=True)
class NoteRequest:
    """A page wants a text to be written: the note on `letter`, or on the task."""

    title: str
    letter: str | None
    text: str


class Bench(Generic[S]):
    """Holds the stack of pages. Every key goes in at `press`, and is saved before it returns."""

    def __init__(
        self, session: S, size: Size, first_pages: Callable[[Bench[S]], list[Page]]
    ) -> None:
        self.session = session
        self.size = size
        self._first_pages = first_pages
        self.pages: list[Page] = []
        self.message = ""
        self.trouble = ""
        self.note: NoteRequest | None = None
        self.parting: str | None = None
        self.nothing_left = False
        self.hurried = 0
        self.acted = 0.0

    def start(self) -> bool:
        """Open the first task; False when there is none."""
        self.open_next("")
        return bool(self.pages)

    def press(self, key: str) -> None:
        """Act on a key and save. After the end keys mean nothing."""
        if self.parting is not None:
            return
        self.session.clock.touch()
        self.message = ""
        self.pages[-1].press(key)
        self.save()
        self.acted = time.monotonic()

    def save(self) -> None:
        """Keep everything; what cannot be kept is said in the header until it can."""
        if not self.session.open:
            return
        try:
            self.session.save()
            self.trouble = ""
        except StoreError as error:
            self.trouble = f"NOT SAVED: {error}"

    def meant(self) -> bool:
        """Whether a key that puts the task away was pressed by somebody, and not pasted.

        Some terminals hand a paste over as keys. Those come without a pause, each before the one
        before it has shown its effect; a few such are typed ahead, over a slow line, or a script's.
        """
        if self.hurried < FLOOD:
            return True
        self.message = "That came too fast to be meant: once more, please"
        return False

    def draw(self, size: Size) -> Lines:
        self.size = size
        if self.parting is not None:
            return fill([], size.height, size.width)
        if size.width < SMALLEST.width or size.height < SMALLEST.height:
            words = f"Make the window larger: {SMALLEST.width} x {SMALLEST.height} or more"
            return fill(list(Content(words).wrap(max(1, size.width))), size.height, size.width)
        return self.pages[-1].draw(size)

    # -- pages -----------------------------------------------------------------------------------

    def push(self, page: Page) -> None:
        self.pages.append(page)

    def pop(self) -> None:
        self.pages.pop()

    def ask_note(self, letter: str | None) -> None:
        """Ask whoever draws for an editor; it answers with `write_note` and `end_note`."""
        title = f"Note on completion {letter}" if letter else "Note on the task"
        self.note = NoteRequest(title, letter, self.session.note_on(letter))

    def write_note(self, text: str) -> None:
        """The note as it is being typed."""
        assert self.note is not None
        self.session.clock.touch()
        self.session.write_note(self.note.letter, text)
        self.save()

    def end_note(self) -> None:
        """The editor is closed; the next note is a change of its own."""
        self.note = None
        self.session.end_note()
        self.save()

    # -- from task to task -----------------------------------------------------------------------

    def open_next(self, message: str) -> None:
        """Go on to the next task, or end when there is none."""
        if self.session.next():
            self._open(message)
        else:
            self.nothing_left = True
            self.parting = f"No task is left. {self._done()}"

    def _open(self, message: str) -> None:
        self.message = "Resumed where you left off" if self.session.resumed else message
        self.pages = self._first_pages(self)

    def submit(self) -> None:
        """Store the ranking and go on."""
        try:
            self.session.submit()
        except LeaseLost as error:
            self._lost(error)
        except LabelkitError as error:
            self.message = f"Not stored: {error}"
        else:
            self.open_next("Stored. Ctrl+P opens it again.")

    def skip(self, reason: str) -> None:
        """Put the task back and go on."""
        try:
            self.session.skip(reason)
        except LeaseLost as error:
            self._lost(error)
        except InputError as error:
            self.message = f"{error}: t"
        except LabelkitError as error:
            self.message = f"Not stored: {error}"
        else:
            self.open_next("Skipped.")

    def _lost(self, error: LeaseLost) -> None:
        """Keep the draft; when nobody else took the task, it comes straight back with it."""
        self.session.drop()
        self.open_next("")
        if not self.parting:
            self.message = f"Not stored: {error}. Your answer is kept as a draft."

    def previous(self) -> None:
        """Open the last submitted task as a revision."""
        if self.session.previous():
            self._open("Your earlier answer: Enter stores a change, q leaves it as it was")
        else:
            self.message = "There is nothing submitted before this"

    def leave(self) -> None:
        """Save and quit."""
        kept = self.session.leave()
        self.parting = "Your work is kept as a draft." if kept else "Nothing was begun."
        if self.session.finished:
            self.parting += f" {self._done()}"

    def _done(self) -> str:
        return f"You {self.session.verb} {count(self.session.finished, 'task')}."

    def renew(self) -> str:
        """Hold the task for longer; returns what went wrong, or nothing."""
        try:
            self.session.renew()
        except LabelkitError as error:
            return str(error)
        return ""


RankBench = Bench[RankSession]
WriteBench = Bench[WriteSession]
