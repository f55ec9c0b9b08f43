"""A prompt as rows quote it, and what becomes of prompts that a dialect's rows cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from labelkit.domain.models import Bundle, Message

Chat = list[dict[str, str]]
Measure = Callable[[str], int]
"""Returns the length of a text, in whatever unit was asked for."""


@dataclass(frozen=True, slots=True)
class Carries:
    """What the rows of a stage can say.

    `alternating` rows need user and assistant to take turns, beginning with the user; `markers` are
    strings that a prompt or completion may not hold, because the dialect cuts its text at them.
    """

    system: bool = True
    turns: bool = True
    ties: bool = True
    alternating: bool = False
    markers: tuple[str, ...] = ()


class Asked:
    """One prompt and its completions, as rows quote them.

    What several rows need is worked out once, so a row costs little more than its own text.
    `messages` may differ from the prompt's own: flattened, or one example of a few-shot prompt.
    `texts` are those of the completions, or what stands in for them.
    """

    def __init__(
        self,
        bundle: Bundle,
        messages: Sequence[Message],
        split: str = "train",
        texts: Mapping[str, str] | None = None,
    ) -> None:
        self.prompt = bundle.prompt
        self.bundle = bundle
        self.messages = messages
        self.split = split
        self.texts = bundle.texts() if texts is None else texts
        self._sizes: dict[str, int] = {}

    @cached_property
    def chat(self) -> Chat:
        """Every message as a role/content object. Shared by all rows: never changed."""
        return [{"role": m.role, "content": m.content} for m in self.messages]

    @cached_property
    def system(self) -> str:
        """The system message, or nothing."""
        first = self.messages[0]
        return first.content if first.role == "system" else ""

    @cached_property
    def turns(self) -> Sequence[Message]:
        """The messages without the system message."""
        return self.messages[1:] if self.system else self.messages

    @property
    def question(self) -> str:
        """What the last user message says."""
        return self.messages[-1].content

    def size(self, measure: Measure) -> int:
        """The length of the prompt."""
        if "" not in self._sizes:
            self._sizes[""] = sum([measure(m.content) for m in self.messages])
        return self._sizes[""]

    def size_of(self, completion: str, measure: Measure) -> int:
        """The length of one completion."""
        if completion not in self._sizes:
            self._sizes[completion] = measure(self.texts[completion])
        return self._sizes[completion]


def misfits(messages: Sequence[Message], carries: Carries) -> list[str]:
    """Return what keeps messages from being a row's prompt: system, turns, order, marker, open.

    >>> misfits((Message("system", "Be brief."), Message("user", "Hi")), Carries(system=False))
    ['system']
    """
    turns = [m for m in messages if m.role != "system"]
    found = {
        "open": messages[-1].role != "user",
        "marker": carries.markers
        and any(mark in m.content for m in messages for mark in carries.markers),
        "system": not carries.system and len(turns) < len(messages),
        "turns": not carries.turns and len(turns) > 1,
        "order": carries.alternating and not _alternate(turns),
    }
    return [name for name, holds in found.items() if holds]


def _alternate(turns: Sequence[Message]) -> bool:
    roles = ("user", "assistant")
    return all(m.role == roles[i % 2] for i, m in enumerate(turns))


def fitted(
    messages: Sequence[Message], carries: Carries, *, flatten: bool = False
) -> tuple[Sequence[Message] | None, list[str]]:
    """Return the messages that a row can hold, or None, and what stood in the way.

    Flattening writes several turns as one transcript and puts a system message at the head of the
    first user message. A prompt that ends in an assistant message has nothing left to answer, and
    no flattening helps it; nor one that holds a marker.
    """
    reasons = misfits(messages, carries)
    if not reasons:
        return messages, reasons
    if not flatten or {"open", "marker"} & set(reasons):
        return None, reasons
    flat = _flattened(messages, reasons)
    return (None if misfits(flat, carries) else flat), reasons


def _flattened(messages: Sequence[Message], reasons: Sequence[str]) -> list[Message]:
    system = [m for m in messages if m.role == "system"]
    turns = [m for m in messages if m.role != "system"]
    if "turns" in reasons or "order" in reasons:
        turns = [Message("user", transcript(turns))]
    if "system" in reasons:
        first = Message(turns[0].role, f"{system[0].content}\n\n{turns[0].content}")
        return [first, *turns[1:]]
    return [*system, *turns]


def transcript(turns: Sequence[Message]) -> str:
    """Return a conversation as one text.

    >>> transcript([Message("user", "Hi"), Message("assistant", "Hello!"), Message("user", "Bye")])
    'User: Hi\\n\\nAssistant: Hello!\\n\\nUser: Bye'
    """
    return "\n\n".join(f"{m.role.capitalize()}: {m.content}" for m in turns)


def few_shot_examples(messages: Sequence[Message]) -> list[tuple[list[Message], str]]:
    """Cut a few-shot prompt of K query/response pairs into K (prompt, completion) examples.

    Each example has the other K - 1 pairs as its context (InstructGPT, arXiv 2203.02155, A.1). A
    prompt that is not made of such pairs has none.
    """
    head = [m for m in messages if m.role == "system"]
    turns = [m for m in messages if m.role != "system"]
    if len(turns) % 2 or not _alternate(turns):
        return []
    pairs = [turns[i : i + 2] for i in range(0, len(turns), 2)]
    return [
        (
            [*head, *(m for j, pair in enumerate(pairs) if j != i for m in pair), query],
            response.content,
        )
        for i, (query, response) in enumerate(pairs)
    ]
