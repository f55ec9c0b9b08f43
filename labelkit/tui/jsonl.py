"""Ranking and writing for scripts: tasks out and answers in, one JSON object a line.

docs/ranking.md is the reference of this protocol.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from labelkit.domain.grammar import LETTERS, OrderError, parse_order
from labelkit.domain.models import FlagRule
from labelkit.domain.tasks import TaskView
from labelkit.errors import InputError, LabelkitError, LeaseLost, NothingToDo
from labelkit.importers._jsonl import LineError, parse_object, read_lines
from labelkit.tui.desk import RankDesk, WriteDesk
from labelkit.tui.lines import Lines
from labelkit.tui.session import RankSession, Session, WriteSession

S = TypeVar("S", bound=Session[Any])
_COMMON = frozenset(["task", "skip", "note"])
_RANKING = frozenset(["order", "ratings", "flags", "notes", "marks"])


class Jsonl(ABC, Generic[S]):
    """One labeler, as a script."""

    answers: frozenset[str] = frozenset()

    def __init__(self, session: S, lines: Lines | None = None) -> None:
        self.session = session
        self.lines = lines or Lines.standard()

    def run(self) -> int:
        """Answer until nothing is left; return how many. Raises NothingToDo when input ends."""
        while self.session.next():
            self._send("task", **self._task())
            for _, line in read_lines(self.lines.source):
                self._answer(line)
                if not self.session.open:
                    break
            else:
                self.session.leave()
                raise NothingToDo("end of input: a task is not finished")
        if not self.session.finished:
            raise NothingToDo(f"no task is left for {self.session.desk.labeler!r}")
        self._send("done", finished=self.session.finished)
        return self.session.finished

    def _answer(self, line: bytes | None) -> None:
        handle = self.session.view.handle
        self.session.clock.touch()
        try:
            said = self._read(line, handle)
            if "skip" in said:
                skip = self.session.skip(said["skip"], said.get("note", ""))
                self._send("skipped", task=handle, uid=skip.uid)
            else:
                self._send("stored", task=handle, uid=self._submit(said))
        except LeaseLost as error:
            self._error(error, handle)
            self.session.drop()
        except (LabelkitError, OrderError) as error:
            self._error(error, handle)

    def _read(self, line: bytes | None, handle: str) -> dict[str, Any]:
        """Parse an answer. Raises InputError that names the field at fault."""
        try:
            said = parse_object(line)
        except LineError as error:
            raise InputError(str(error)) from None
        if strange := sorted(set(said) - _COMMON - self.answers):
            raise InputError(f"{strange[0]}: there is no such field")
        if said.get("task") != handle:
            raise InputError(f"task: the task at hand is {handle!r}")
        for name in ("skip", "note", "order", "text"):
            if not isinstance(said.get(name, ""), str):
                raise InputError(f"{name}: not a string")
        return said

    def _send(self, event: str, **values: Any) -> None:
        # ASCII only: whatever a model wrote, no terminal can be made to act on it.
        self.lines.target.write(json.dumps({"event": event, **values}) + "\n")
        self.lines.target.flush()

    def _error(self, error: Exception, handle: str) -> None:
        self._send("error", task=handle, error=str(error), hint=getattr(error, "hint", None))

    def _task(self) -> dict[str, Any]:
        view = self.session.view
        return {
            "task": view.handle,
            "kind": view.kind,
            "batch": view.batch,
            "prompt": [{"role": m.role, "content": m.content} for m in view.messages],
            "prompt_kind": str(view.prompt_kind),
            "application": view.application or None,
            "guideline": view.guideline.ref if view.guideline else None,
            "skips": _rules(self.session.skips),
            "done": view.done,
            "total": view.total,
        }

    @abstractmethod
    def _submit(self, said: dict[str, Any]) -> str: ...


class JsonlRank(Jsonl[RankSession]):
    """Ranks."""

    answers = _RANKING

    def __init__(self, desk: RankDesk, lines: Lines | None = None) -> None:
        super().__init__(RankSession(desk, "jsonl"), lines)

    def _task(self) -> dict[str, Any]:
        session, view = self.session, self.session.view
        return {
            **super()._task(),
            "completions": _completions(view),
            "scale": {
                "min": session.scale.least,
                "max": session.scale.most,
                "labels": {str(n): label for n, label in session.scale.labels.items()},
            },
            "flags": _rules(session.flags),
            "marks": _rules(session.marks),
            "partial": view.settings.partial,
        }

    def _submit(self, said: dict[str, Any]) -> str:
        k = self.session.view.k
        if "order" not in said:
            hint = '"order": "C > A = B > D", or "skip": "unclear"'
            raise InputError("order: missing", hint=hint)
        tiers, _ = parse_order(said["order"], k)
        ratings = self._by_letter(said, "ratings", _integer)
        flags = self._by_letter(said, "flags", _strings)
        notes = self._by_letter(said, "notes", _string)
        self.session.restart()
        state = self.session.state
        state.set_order([[LETTERS[i] for i in tier] for tier in tiers])
        for letter, rating in ratings.items():
            state.rate(letter, rating)
        for letter, keys in flags.items():
            for key in dict.fromkeys(keys):
                state.flag(letter, key)
        for letter, note in notes.items():
            state.write_note(letter, note)
        for mark in dict.fromkeys(_strings(said.get("marks", []), "marks")):
            state.mark(mark)
        state.write_note(None, said.get("note", ""))
        return self.session.submit().uid

    def _by_letter(
        self, said: Mapping[str, Any], name: str, read: Callable[[Any, str], Any]
    ) -> dict[str, Any]:
        """A map from letters; either case. Raises InputError."""
        found = said.get(name, {})
        if not isinstance(found, dict):
            raise InputError(f"{name}: not an object")
        for letter in found:
            if letter.upper() not in list(self.session.letters):
                raise InputError(f"{name}: there is no completion {letter}")
        return {x.upper(): read(value, f"{name}.{x}") for x, value in found.items()}


class JsonlWrite(Jsonl[WriteSession]):
    """Writes demonstrations."""

    answers = frozenset(["text"])

    def __init__(self, desk: WriteDesk, lines: Lines | None = None) -> None:
        super().__init__(WriteSession(desk, "jsonl"), lines)

    def _submit(self, said: dict[str, Any]) -> str:
        if "text" not in said:
            raise InputError("text: missing", hint='"text": "...", or "skip": "unclear"')
        self.session.text = said["text"]
        self.session.note = said.get("note", "")
        return self.session.submit().uid


def _completions(view: TaskView) -> list[dict[str, str]]:
    return [
        {"letter": letter, "text": candidate.text}
        for letter, candidate in zip(LETTERS, view.candidates, strict=False)
    ]


def _rules(rules: tuple[FlagRule, ...]) -> list[dict[str, Any]]:
    return [{"key": r.key, "label": r.label} for r in rules]


def _integer(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{where}: not a whole number")
    return value


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: not a string")
    return value


def _strings(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise InputError(f"{where}: not a list of strings")
    return value
