"""A labeler's run through tasks: the desk on one side, the state on the other, no terminal."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

from labelkit.domain.grammar import LETTERS, format_order
from labelkit.domain.lengths import words
from labelkit.domain.models import Demonstration, FlagRule, Guideline, Ranking, Scale, Skip
from labelkit.domain.safe_text import SafeText, count_hidden, safe_text
from labelkit.domain.tasks import Answer, TaskView
from labelkit.errors import InputError
from labelkit.tui.clock import ActiveClock
from labelkit.tui.desk import Desk, RankDesk, WriteDesk
from labelkit.tui.places import of_tiers
from labelkit.tui.state import RankState, Rules
from labelkit.tui.work import RANK, Work

D = TypeVar("D", bound=Desk)
OTHER = "other"

# Every key draws every completion of the task again.
_safe = lru_cache(maxsize=32)(safe_text)
_hidden = lru_cache(maxsize=32)(count_hidden)


class Session(ABC, Generic[D]):
    """What ranking and writing share: one task at a time, its draft and its clock."""

    verb = ""

    def __init__(self, desk: D, origin: str, now: Callable[[], float] = time.monotonic) -> None:
        self.desk = desk
        self.origin = origin
        self.clock = ActiveClock(now=now)
        self.finished = 0
        self.resumed = False
        self.looks: dict[str, Any] = {}
        self._view: TaskView | None = None
        self._opened: Any = None

    @property
    def view(self) -> TaskView:
        """The task at hand. Only while there is one."""
        assert self._view is not None, "no task is open"
        return self._view

    @property
    def open(self) -> bool:
        return self._view is not None

    @property
    def guideline(self) -> Guideline | None:
        return self.view.guideline

    @property
    def skips(self) -> tuple[FlagRule, ...]:
        return self.guideline.skips if self.guideline else ()

    def next(self) -> bool:
        """Open the next task, where it was left; False when there is none."""
        self._take(self.desk.next_task())
        return self.open

    def renew(self) -> None:
        """Hold the task for longer. Raises LeaseLost."""
        self.desk.renew(self.view)

    def skip(self, reason: str, note: str = "") -> Skip:
        """Put the task back. Raises InputError for an unknown reason or a missing note."""
        note = note.strip() or self.note_on(None)
        if reason == OTHER and not note:
            raise InputError("say in a note why you skip it", hint="skip other WHY")
        seconds = self.clock.seconds
        skipped = self.desk.skip(self.view, reason, seconds=seconds, note=note, origin=self.origin)
        self._view = None
        return skipped

    @abstractmethod
    def submit(self) -> Any:
        """Store the answer. Raises InputError while something is in the way, or LeaseLost."""

    @abstractmethod
    def previous(self) -> bool:
        """Open the answer submitted last as a revision; False when there is none."""

    def save(self) -> None:
        """Keep everything as it is now. Raises StoreError."""
        more = {"looks": self.looks, "seconds": self.clock.seconds}
        self.desk.save_draft(self.view, {**self._body(), **more})

    def leave(self) -> bool:
        """Close the task for now: keep what was said, or give the task back when nothing was."""
        kept = self.resumed or self._said() != self._opened
        if kept:
            self.save()
        else:
            self.desk.release(self.view)
        self._view = None
        return kept

    def drop(self) -> None:
        """Close the task because somebody else has it; the draft stays."""
        self.save()
        self._view = None

    def _take(self, view: TaskView | None) -> None:
        self._view = view
        self.resumed = False
        if view is None:
            return
        body = self.desk.draft(view)
        self.resumed = body is not None and self._load(body)
        if self.resumed and body is not None:
            self.looks = dict(body.get("looks", {}))
            self.clock.pause(float(body.get("seconds", 0.0)))
        else:
            self.looks = {}
            self.restart()
            self.clock.pause(0.0)
        self._opened = self._said()

    @abstractmethod
    def _said(self) -> Any:
        """What the labeler has said so far, without where they are looking."""

    @abstractmethod
    def note_on(self, letter: str | None) -> str:
        """The note on a completion, or on the task."""

    @abstractmethod
    def write_note(self, letter: str | None, text: str) -> None:
        """Set a note, as it is being typed."""

    def end_note(self) -> None:
        """The note is written: the next one is a change of its own."""

    @abstractmethod
    def _body(self) -> dict[str, Any]: ...

    @abstractmethod
    def _load(self, body: Mapping[str, Any]) -> bool: ...

    @abstractmethod
    def restart(self) -> None:
        """Begin the task anew."""


class RankSession(Session[RankDesk]):
    """Ranking, one task after the other."""

    verb = "ranked"

    state: RankState

    @property
    def scale(self) -> Scale:
        return self.guideline.scale if self.guideline else Scale()

    @property
    def flags(self) -> tuple[FlagRule, ...]:
        return self.guideline.flags if self.guideline else ()

    @property
    def marks(self) -> tuple[FlagRule, ...]:
        return self.guideline.marks if self.guideline else ()

    @property
    def letters(self) -> str:
        return LETTERS[: self.view.k]

    def text(self, letter: str) -> SafeText:
        """A completion, fit for a terminal."""
        return _safe(self._raw(letter))

    def words(self, letter: str) -> int:
        return words(self._raw(letter))

    def hidden(self, letter: str) -> int:
        """How many characters of a completion had to be made visible."""
        return _hidden(self._raw(letter))

    def _raw(self, letter: str) -> str:
        return self.view.candidates[LETTERS.index(letter)].text

    @property
    def order_text(self) -> str:
        """The ranking as text, those left out after a slash."""
        tiers = [[LETTERS.index(x) for x in tier] for tier in self.state.tiers]
        return format_order(tiers, [LETTERS.index(x) for x in self.state.unplaced])

    def submit(self) -> Ranking:
        """Store the ranking. Raises InputError while something is in the way, or LeaseLost."""
        if obstacles := self.state.obstacles():
            raise InputError(f"not finished: {'; '.join(obstacles)}")
        ranking = self.desk.submit(self.view, self.answer())
        self._view = None
        self.finished += 1
        return ranking

    def answer(self) -> Answer:
        """The ranking with completions named by uid."""
        state, work, uid = self.state, self.state.work, self._uids()
        return Answer(
            tiers=tuple(tuple(uid[x] for x in tier) for tier in state.tiers),
            unranked=tuple(uid[x] for x in state.unplaced),
            ratings={uid[x]: rating for x, rating in work.ratings.items()},
            flags={uid[x]: flags for x, flags in work.flags.items()},
            notes={uid[x]: note for x, note in work.notes.items()},
            marks=work.marks,
            note=work.note,
            seconds=self.clock.seconds,
            read={uid[x]: share for x, share in state.read.items()},
            seeded=work.seeded,
            revisions=state.revisions,
            origin=self.origin,
        )

    def previous(self) -> bool:
        """Open the ranking submitted last as a revision; False when there is none."""
        found = self.desk.previous(self._view)
        if found is None:
            return False
        if self.open:
            self.save()
        view, ranking = found
        self._take(view)
        if not self.resumed:
            self.state = self._of_ranking(ranking)
            self.clock.pause(ranking.seconds or 0.0)
            self._opened = self._said()
        return True

    def _uids(self) -> dict[str, str]:
        return dict(zip(LETTERS, (c.uid for c in self.view.candidates), strict=False))

    def _rules(self) -> Rules:
        settings, scale = self.view.settings, self.scale
        return Rules(self.view.k, scale.least, scale.most, settings.partial, settings.seed_ratings)

    def _of_ranking(self, ranking: Ranking) -> RankState:
        """The state in which a ranking was submitted."""
        letter = {uid: x for x, uid in self._uids().items()}
        state = RankState(self._rules())
        tiers = [[letter[uid] for uid in tier] for tier in ranking.tiers]
        work = Work(
            focus=tiers[0][0],
            places=of_tiers(tiers, self.view.k),
            step=RANK,
            ratings={letter[uid]: rating for uid, rating in ranking.ratings.items()},
            flags={letter[uid]: flags for uid, flags in ranking.flags.items()},
            notes={letter[uid]: note for uid, note in ranking.notes.items()},
            note=ranking.note,
            marks=ranking.marks,
            chosen=tuple(sorted(x for tier in tiers for x in tier)),
            seeded=bool(ranking.seeded),
        )
        state.work = work
        state.read = {letter[uid]: share for uid, share in ranking.read.items()}
        state.revisions = ranking.revisions
        return state

    def _said(self) -> Any:
        return replace(self.state.work, focus="", step="")

    def note_on(self, letter: str | None) -> str:
        work = self.state.work
        return work.note if letter is None else work.notes.get(letter, "")

    def write_note(self, letter: str | None, text: str) -> None:
        self.state.write_note(letter, text)

    def end_note(self) -> None:
        self.state.show(self.state.work.focus)

    def _body(self) -> dict[str, Any]:
        shown = [c.uid for c in self.view.candidates]
        return {"shown": shown, "order": self.order_text, **self.state.to_draft()}

    def _load(self, body: Mapping[str, Any]) -> bool:
        if body.get("shown") != [c.uid for c in self.view.candidates]:
            return False
        try:
            self.state = RankState.from_draft(self._rules(), body)
        except (KeyError, TypeError, ValueError, AttributeError):
            return False
        return True

    def restart(self) -> None:
        self.state = RankState(self._rules())


class WriteSession(Session[WriteDesk]):
    """Writing demonstrations, one prompt after the other."""

    verb = "wrote"

    text: str = ""
    note: str = ""

    @property
    def words(self) -> int:
        return words(self.text)

    def submit(self) -> Demonstration:
        """Store the demonstration, without line ends around it.

        Raises InputError when there is no text, or LeaseLost.
        """
        stored = self.desk.submit_demonstration(
            self.view,
            self.text.strip("\n"),
            seconds=self.clock.seconds,
            note=self.note,
            origin=self.origin,
        )
        self._view = None
        self.finished += 1
        return stored

    def previous(self) -> bool:
        """Open the demonstration submitted last as a revision; False when there is none."""
        found = self.desk.previous_demonstration(self._view)
        if found is None:
            return False
        if self.open:
            self.save()
        view, demonstration = found
        self._take(view)
        if not self.resumed:
            self.text, self.note = demonstration.text, demonstration.note
            self.clock.pause(demonstration.seconds or 0.0)
            self._opened = self._said()
        return True

    def _said(self) -> Any:
        return (self.text, self.note)

    def note_on(self, letter: str | None) -> str:
        return self.note

    def write_note(self, letter: str | None, text: str) -> None:
        self.note = text

    def _body(self) -> dict[str, Any]:
        return {"text": self.text, "note": self.note}

    def _load(self, body: Mapping[str, Any]) -> bool:
        text, note = body.get("text"), body.get("note", "")
        if not isinstance(text, str) or not isinstance(note, str):
            return False
        self.text, self.note = text, note
        return True

    def restart(self) -> None:
        self.text = self.note = ""
