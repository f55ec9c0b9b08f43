"""Tasks: how a prompt's completions are cut into them, and what a labeler is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from labelkit.domain.canonical import uid_of
from labelkit.domain.models import K_LEAST, Guideline, Message, Ranking, Scale, Tiers
from labelkit.domain.shuffle import shuffled
from labelkit.errors import InputError

EVERYONE = 1_000_000
"""The overlap of a task that goes to every labeler."""

LEASE_SECONDS = 30 * 60.0


class TaskKind(StrEnum):
    RANK = "rank"
    WRITE = "write"


class TaskRole(StrEnum):
    """Why a task is there. Labelers cannot tell them apart."""

    NORMAL = "normal"
    CALIBRATION = "calibration"
    GOLD = "gold"


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How a batch's tasks are made and worked on."""

    k_min: int = 4
    k_max: int = 9
    overlap: int = 1
    partial: bool = False
    seed_ratings: bool = True
    repeat: float = 0.0
    calibration: float = 0.0
    set_aside_after: int = 2
    with_demonstrations: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Which prompts a batch is made of. `again` takes those that were handed out before too."""

    use_case: str | None = None
    source: str | None = None
    language: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A completion as a labeler sees it: its text, and nothing about where it came from."""

    uid: str
    text: str


def handle_of(task: str, labeler: str, round_: int) -> str:
    """Name one labeler's place at a task; a silent repeat has another, so it looks new."""
    return uid_of("slot", [task, labeler, round_])[:16]


@dataclass(frozen=True, slots=True)
class TaskView:
    """Everything a labeler is shown. No model, no source, no user: the desk is blind.

    `candidates` are in the order they are shown; A is the first. `token` proves the lease.
    `handle` names this labeler's place at the task and says nothing else: a silent repeat has
    another one. `revises` is the uid of the label that the answer will take the place of.
    """

    token: str
    handle: str
    task: str
    kind: str
    batch: str
    prompt_uid: str
    messages: tuple[Message, ...]
    prompt_kind: str
    application: str
    candidates: tuple[Candidate, ...]
    guideline: Guideline | None
    settings: BatchSettings
    round: int
    done: int
    total: int
    revises: str | None = None

    @property
    def k(self) -> int:
        return len(self.candidates)


def is_calibration(index: int, share: float) -> bool:
    """Whether the task at `index` of a batch is one of the `share` that goes to everybody.

    The first one is, and from there on they are spread evenly.

    >>> [i for i in range(20) if is_calibration(i, 0.15)]
    [0, 6, 13]
    """
    return ceil(share * (index + 1)) > ceil(share * index)


def cut_into_tasks(
    completions: Sequence[str], k_min: int, k_max: int, seed: str
) -> list[list[str]]:
    """Cut one prompt's completions into groups of `k_min` to `k_max` that cover them all.

    Fewer than `k_min` completions make no task. Groups are as even as can be. Where there is room,
    each takes one completion of the next, so that the groups can be compared with one another.

    >>> [len(g) for g in cut_into_tasks(list("abcdefghij"), 4, 9, "seed")]
    [6, 6]
    >>> cut_into_tasks(["a", "b"], 4, 9, "seed")
    []
    """
    n = len(completions)
    if n < k_min:
        return []
    order = shuffled(sorted(completions), "cut", seed)
    if n <= k_max:
        return [order]
    count = ceil(n / k_max)
    size = min(k_max, max(k_min, ceil(n / count) + 1))
    starts = [i * n // count for i in range(count)]
    return [[order[(start + j) % n] for j in range(size)] for start in starts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A finished ranking as it leaves the desk; completions by uid."""

    tiers: Tiers
    unranked: tuple[str, ...] = ()
    ratings: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    note: str = ""
    seconds: float = 0.0
    read: Mapping[str, float] = field(default_factory=dict)
    seeded: bool = False
    revisions: int = 0
    origin: str = "screen"


def check_answer(view: TaskView, answer: Answer) -> None:
    """Raise InputError unless the answer is a ranking of this task and keeps its rules."""
    check_ranking([c.uid for c in view.candidates], view.settings, view.guideline, answer)


def check_ranking(
    shown: Sequence[str],
    settings: BatchSettings,
    guideline: Guideline | None,
    answer: Answer | Ranking,
) -> None:
    """Raise InputError unless a ranking places what was shown and keeps the rules of its task."""
    placed = [uid for tier in answer.tiers for uid in tier]
    everything = [*placed, *answer.unranked]
    if sorted(everything) != sorted(shown) or not all(answer.tiers):
        raise InputError("every completion must be placed once, or set aside as unranked")
    if answer.unranked and not settings.partial:
        raise InputError("this task wants every completion placed")
    if len(placed) < K_LEAST:
        raise InputError("place at least two completions, or skip the task")
    about = {*answer.ratings, *answer.flags, *answer.notes, *answer.read}
    if not about <= set(shown):
        raise InputError("it speaks of a completion that was not shown")
    _check_words(guideline, answer)


def _check_words(guideline: Guideline | None, answer: Answer | Ranking) -> None:
    scale = guideline.scale if guideline else Scale()
    for rating in answer.ratings.values():
        if not scale.least <= rating <= scale.most:
            raise InputError(f"{rating} is not on the scale {scale.least} to {scale.most}")
    for note in (answer.note, *answer.notes.values()):
        check_text(note, "a note")
    flags = {f.key for f in guideline.flags} if guideline else set()
    marks = {m.key for m in guideline.marks} if guideline else set()
    used = {f for found in answer.flags.values() for f in found}
    if strange := sorted((used - flags) | (set(answer.marks) - marks)):
        raise InputError(f"the guideline has no {strange[0]!r}")


def check_text(text: str, what: str) -> None:
    """Raise InputError when a labeler's text holds what no record can carry."""
    if "\x00" in text:
        raise InputError(f"{what} holds the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{what} holds half a character (a lone surrogate)") from None
