"""A desk without a store, for tests of everything in front of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from labelkit.domain.guidelines import parse_guideline
from labelkit.domain.models import Demonstration, Guideline, Message, Ranking, Skip
from labelkit.domain.tasks import Answer, BatchSettings, Candidate, TaskView, check_answer
from labelkit.errors import InputError, LabelkitError

GUIDELINE = """\
---
name: house-rules
version: 3
scale: {min: 1, max: 7, labels: {1: terrible, 7: excellent}}
flags:
  - {key: hallucination, label: Makes up facts}
  - {key: harmful, label: Gives harmful advice}
marks:
  - {key: ambiguous, label: Can be read in two ways}
---
# Be kind

Judge what is written.
"""


def a_view(texts: list[str], prompt: str = "Why is the sky blue?", **more: Any) -> TaskView:
    """A task as a labeler sees it."""
    number = more.pop("number", 1)
    view = TaskView(
        token=f"{number}.token",
        handle=f"handle-{number}",
        task=f"task-{number}",
        kind="rank",
        batch="batch",
        prompt_uid="00" * 16,
        messages=(Message("user", prompt),),
        prompt_kind="plain",
        application="",
        candidates=tuple(Candidate(f"uid-{i}", text) for i, text in enumerate(texts)),
        guideline=parse_guideline(GUIDELINE, "house-rules.md"),
        settings=BatchSettings(k_min=2),
        round=0,
        done=0,
        total=3,
    )
    return replace(view, **more)


@dataclass
class FakeDesk:
    """Hands out views and keeps what comes back. `refuses` is raised instead of storing."""

    views: list[TaskView]
    labeler: str = "ana"
    stored: list[Any] = field(default_factory=list)
    drafts: dict[str, dict[str, Any]] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)
    refuses: LabelkitError | None = None

    def next_task(self) -> TaskView | None:
        return self.views.pop(0) if self.views else None

    def draft(self, view: TaskView) -> dict[str, Any] | None:
        return self.drafts.get(view.handle)

    def save_draft(self, view: TaskView, body: dict[str, Any]) -> None:
        self.drafts[view.handle] = body

    def renew(self, view: TaskView) -> None:
        """It always works."""

    def release(self, view: TaskView) -> None:
        self.released.append(view.handle)

    def submit(self, view: TaskView, answer: Answer) -> Ranking:
        check_answer(view, answer)
        self._keep(answer)
        return Ranking(uid="11" * 16, tiers=answer.tiers)

    def submit_demonstration(
        self, view: TaskView, text: str, *, seconds: float, note: str = "", origin: str
    ) -> Demonstration:
        self._keep(text)
        return Demonstration(uid="22" * 16, text=text)

    def skip(
        self, view: TaskView, reason: str, *, seconds: float, note: str = "", origin: str
    ) -> Skip:
        known = [s.key for s in view.guideline.skips] if view.guideline else [reason]
        if reason not in known:
            raise InputError(f"not a reason to skip: {reason!r}")
        self._keep((reason, note))
        return Skip(uid="33" * 16, reason=reason)

    def previous(self, before: TaskView | None = None) -> None:
        return None

    def previous_demonstration(self, before: TaskView | None = None) -> None:
        return None

    def _keep(self, what: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.stored.append(what)


def a_guideline(text: str) -> Guideline:
    return parse_guideline(text, "test.md")
