"""The values that labelkit keeps: frozen, plain, and free of any storage detail.

A `uid` is the hex name from `canonical.uid_of`. Completions are named by uid everywhere inside
a bundle; the names a file used for them live on as external ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

Tiers = tuple[tuple[str, ...], ...]
"""Completion uids, best tier first; a tier with two of them is a tie."""

Role = Literal["system", "user", "assistant"]

K_LEAST, K_MOST = 2, 9
"""A ranking judges 2 to 9 completions (the screen has the letters A to I)."""


class PromptKind(StrEnum):
    """The three kinds of prompt that InstructGPT's labelers wrote (arXiv 2203.02155, 3.2)."""

    PLAIN = "plain"
    FEW_SHOT = "few_shot"
    USER_BASED = "user_based"


class LabelerKind(StrEnum):
    HUMAN = "human"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided about one prompt: an event, never changed.

    `aspect` is what it is about and `value` what holds from now on; None takes an earlier word
    back. `run` names the command that made it, together with others perhaps. `restores` names the
    decision that holds again, where this one is an undo.
    """

    uid: str = ""
    aspect: str
    value: str | None
    reason: str
    note: str = ""
    by: str | None = None
    made_at: str
    run: str
    supersedes: str | None = None
    restores: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked, and where it came from. The uid covers the messages only.

    `aliases` are the other ids that files gave the same messages. `decisions` are all that were
    ever made; `decisions.settled` gives the prompt as they leave it.
    """

    uid: str
    messages: tuple[Message, ...]
    kind: str = PromptKind.PLAIN
    use_case: str | None = None
    source: str | None = None
    user: str | None = None
    language: str | None = None
    split: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    external_id: str | None = None
    aliases: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def name(self) -> str:
        """The id that the outside world knows it by."""
        return self.external_id or self.uid


class Source(NamedTuple):
    """One way a completion came about: a model, its parameters, and the file's name for it.

    Of this and the next there are more than of anything: a named tuple is made in half the time.
    """

    model: str | None = None
    params: Mapping[str, Any] = MappingProxyType({})
    external_id: str | None = None


class Completion(NamedTuple):
    """One candidate text, with every source that produced it."""

    uid: str
    text: str
    sources: tuple[Source, ...] = ()

    @property
    def name(self) -> str:
        """The id that the outside world knows it by."""
        return next((s.external_id for s in self.sources if s.external_id), self.uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What every label remembers, whatever it says.

    `seq` is the label's place in the file it came from; together with `submitted_at` it says
    which of a labeler's judgements was the first. `guideline` is `name@version`.
    """

    uid: str
    labeler: str | None = None
    labeler_kind: str = LabelerKind.HUMAN
    guideline: str | None = None
    batch: str | None = None
    seconds: float | None = None
    note: str = ""
    submitted_at: str | None = None
    supersedes: str | None = None
    origin: str = "import"
    seq: int = 0

    @property
    def order(self) -> tuple[str, int, str]:
        """Sort key: the order in which labels were made."""
        return (self.submitted_at or "", self.seq, self.uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration(Label):
    """An ideal completion that a labeler wrote."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(Label):
    """A task somebody put back, and why. `task` is `rank` or `write`."""

    reason: str
    task: str = "rank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking(Label):
    """One labeler's judgement of one prompt's completions.

    `shown` is the order they were presented in, `read` the furthest point read of each (0 to 1),
    `seeded` whether the first order came from the ratings, `repeat` whether the task was shown
    to this labeler a second time on purpose.
    """

    tiers: Tiers
    unranked: tuple[str, ...] = ()
    ratings: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    read: Mapping[str, float] = field(default_factory=dict)
    seeded: bool | None = None
    revisions: int = 0
    repeat: bool = False

    @property
    def k(self) -> int:
        """How many completions were placed."""
        return sum(map(len, self.tiers))

    @property
    def judged(self) -> frozenset[str]:
        """Every completion the labeler had in front of them, placed or not."""
        return frozenset(c for tier in self.tiers for c in tier) | frozenset(self.unranked)


@dataclass(frozen=True, slots=True)
class Bundle:
    """One prompt and everything that hangs off it: the unit of import, export and counting.

    Labels include superseded ones; `current()` drops them.
    """

    prompt: Prompt
    completions: tuple[Completion, ...] = ()
    demonstrations: tuple[Demonstration, ...] = ()
    rankings: tuple[Ranking, ...] = ()
    skips: tuple[Skip, ...] = ()

    def texts(self) -> dict[str, str]:
        """Map each completion's uid to its text."""
        return {c.uid: c.text for c in self.completions}


AnyLabel = TypeVar("AnyLabel", bound=Label)


def current(labels: Sequence[AnyLabel]) -> list[AnyLabel]:
    """Return the labels nobody superseded, in the order they were made."""
    if len(labels) < 2:
        return list(labels)
    old = {label.supersedes for label in labels if label.supersedes}
    return sorted((x for x in labels if x.uid not in old), key=lambda x: x.order)


@dataclass(frozen=True, slots=True)
class Labeler:
    """A person or a model that labels. `cohort` groups them: training, held-out, ..."""

    name: str
    kind: str = LabelerKind.HUMAN
    cohort: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class FlagRule:
    """A yes/no mark that the guideline defines. `positive` ones are good news."""

    key: str
    label: str
    positive: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """The rating scale. `labels` names some or all of its points."""

    least: int = 1
    most: int = 7
    labels: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guideline:
    """One version of the instructions. `text` is None when only its name is known here."""

    uid: str
    name: str
    version: int
    title: str = ""
    text: str | None = None
    scale: Scale = Scale()
    flags: tuple[FlagRule, ...] = ()
    marks: tuple[FlagRule, ...] = ()
    skips: tuple[FlagRule, ...] = ()

    @property
    def ref(self) -> str:
        """`name@version`, as labels quote it."""
        return f"{self.name}@{self.version}"
