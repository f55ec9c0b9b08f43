"""One labeler's work on one task, as a value; and how a draft keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from labelkit.tui.places import Place, Places

RATE, RANK = "rate", "rank"


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that one undo brings back. Completions are named by their letters.

    `unconfirmed` are ties that equal ratings made and nobody has looked at; `chosen` are the
    letters that were placed by hand.
    """

    focus: str
    places: Places
    step: str = RATE
    ratings: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    marks: tuple[str, ...] = ()
    unconfirmed: tuple[Place, ...] = ()
    chosen: tuple[str, ...] = ()
    seeded: bool = False


Change = dict[str, Any]
"""Some fields of a `Work`, as they were before it became another one."""


def change(before: Work, after: Work) -> Change:
    """What has to be put back into `after` to make it `before`."""
    return {
        f.name: getattr(before, f.name)
        for f in fields(Work)
        if getattr(before, f.name) != getattr(after, f.name)
    }


def from_plain(plain: Mapping[str, Any]) -> Change:
    """Read fields of a `Work` from JSON. Raises KeyError, TypeError or ValueError."""
    readers: dict[str, Callable[[Any], Any]] = {
        "places": _tuples,
        "unconfirmed": _tuples,
        "marks": tuple,
        "chosen": tuple,
        "flags": lambda flags: {letter: tuple(keys) for letter, keys in flags.items()},
    }
    if strange := set(plain) - {f.name for f in fields(Work)}:
        raise KeyError(*strange)
    return {name: readers.get(name, _same)(value) for name, value in plain.items()}


def work_from_plain(plain: Mapping[str, Any]) -> Work:
    """Read a whole `Work` from JSON. Raises KeyError, TypeError or ValueError."""
    read = from_plain(plain)
    return replace(Work(read.pop("focus"), read.pop("places")), **read)


def to_plain(work: Work) -> dict[str, Any]:
    """A `Work` as JSON knows it."""
    return {f.name: getattr(work, f.name) for f in fields(Work)}


def _tuples(lists: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(members) for members in lists)


def _same(value: Any) -> Any:
    return value
