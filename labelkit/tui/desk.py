"""What a screen needs of the desk behind it. The services provide one; so can a test."""

from __future__ import annotations

from typing import Any, Protocol

from labelkit.domain.models import Demonstration, Ranking, Skip
from labelkit.domain.tasks import Answer, TaskView


class Desk(Protocol):
    """One labeler's place at the store."""

    @property
    def labeler(self) -> str: ...

    def next_task(self) -> TaskView | None:
        """The next task, held for this labeler, or None."""

    def draft(self, view: TaskView) -> dict[str, Any] | None:
        """What was saved of a task."""

    def save_draft(self, view: TaskView, body: dict[str, Any]) -> None:
        """Keep work in progress; waits for nobody."""

    def skip(
        self, view: TaskView, reason: str, *, seconds: float, note: str = "", origin: str
    ) -> Skip:
        """Put a task back and say why. Raises LeaseLost."""

    def renew(self, view: TaskView) -> None:
        """Hold a task for longer. Raises LeaseLost."""

    def release(self, view: TaskView) -> None:
        """Give back a task about which nothing was said."""


class RankDesk(Desk, Protocol):
    """A desk that hands out completions to rank."""

    def submit(self, view: TaskView, answer: Answer) -> Ranking:
        """Store a ranking. Raises LeaseLost; then the draft stays."""

    def previous(self, before: TaskView | None = None) -> tuple[TaskView, Ranking] | None:
        """The ranking submitted last, or the one before the revision at hand."""


class WriteDesk(Desk, Protocol):
    """A desk that hands out prompts to write for."""

    def submit_demonstration(
        self, view: TaskView, text: str, *, seconds: float, note: str = "", origin: str
    ) -> Demonstration:
        """Store a demonstration. Raises LeaseLost; then the draft stays."""

    def previous_demonstration(
        self, before: TaskView | None = None
    ) -> tuple[TaskView, Demonstration] | None:
        """The demonstration submitted last, or the one before the revision at hand."""
