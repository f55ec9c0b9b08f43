"""How prompts, completions and labels get their uids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields, replace
from functools import cache
from hashlib import sha256
from typing import Any

import orjson

from labelkit.domain.canonical import uid_of
from labelkit.domain.models import AnyLabel, Message

# The kind of a labeler is a fact about the labeler and may be set right later.
_NOT_HASHED = frozenset({"uid", "seq", "labeler_kind"})


def prompt_uid(messages: Iterable[Message]) -> str:
    """Name a prompt by what it says: same messages, same prompt, wherever they came from."""
    return uid_of("prompt", [[m.role, m.content] for m in messages])


def completion_uid(prompt: str, text: str) -> str:
    """Name a completion by its prompt's uid and its text."""
    # What uid_of does, without looking for keys to sort: there are more of these than of anything.
    return sha256(orjson.dumps(["completion", [prompt, text]])).hexdigest()[:32]


def label_uid(prompt: str, label: AnyLabel) -> str:
    """Name a label by everything it says, so that storing it twice stores it once.

    Fields at their default are left out: a field added later changes no old name.
    """
    kind: type = type(label)
    said = {
        name: value for name, default in _hashed(kind) if (value := getattr(label, name)) != default
    }
    return uid_of(kind.__name__.lower(), [prompt, said])


@cache
def _hashed(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The fields that make a uid, and their defaults."""
    return tuple((f.name, _default(f)) for f in fields(kind) if f.name not in _NOT_HASHED)


def named(prompt: str, label: AnyLabel) -> AnyLabel:
    """Return `label` with the uid that its content gives it."""
    return replace(label, uid=label_uid(prompt, label))


def _default(f: Any) -> Any:
    return f.default_factory() if f.default_factory is not MISSING else f.default
