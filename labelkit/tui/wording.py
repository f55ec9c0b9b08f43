"""The words that the screen and the line mode share."""

from __future__ import annotations

from collections.abc import Iterable

from labelkit.domain.models import PromptKind, Scale
from labelkit.domain.safe_text import SafeText, safe_text
from labelkit.domain.tasks import TaskView

_WHO = {"user": "User", "assistant": "Assistant", "system": "System"}
_KINDS = {
    PromptKind.FEW_SHOT: "Few-shot prompt: an instruction with examples of how to follow it",
    PromptKind.USER_BASED: "Prompt for an application that a user asked for",
}


def prompt_blocks(view: TaskView) -> list[tuple[str, SafeText]]:
    """The prompt as (heading, text) blocks: its kind, its application, then its turns.

    A single turn by the user has no heading.
    """
    blocks = [(kind, safe_text(view.application))] if (kind := kind_line(view)) else []
    alone = len(view.messages) == 1 and view.messages[0].role == "user"
    for message in view.messages:
        who = _WHO.get(message.role, safe_text(message.role))
        blocks.append(("" if alone else who, safe_text(message.content)))
    return blocks


def task_title(view: TaskView) -> str:
    """`Task 3 of 52`."""
    return "Your earlier answer" if view.revises else f"Task {view.done + 1} of {view.total}"


def kind_line(view: TaskView) -> str:
    """What kind of prompt it is, in words; nothing for a plain one."""
    return _KINDS.get(PromptKind(view.prompt_kind), "")


def rating_words(scale: Scale, rating: int) -> str:
    """A rating as people say it: `6 of 7, very good`."""
    label = scale.labels.get(rating)
    return f"{rating} of {scale.most}" + (f", {safe_text(label)}" if label else "")


def count(n: int, noun: str) -> str:
    """`1 word`, `2 words`, `1,234 words`."""
    return f"{n:,} {noun if n == 1 else noun + 's'}"


def listed(words: Iterable[str]) -> str:
    """`A, B and C`."""
    found = list(words)
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def contradiction(higher: str, lower: str) -> str:
    return f"{higher} is above {lower} but rated lower"


def minutes(seconds: float) -> str:
    """`2:05`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
