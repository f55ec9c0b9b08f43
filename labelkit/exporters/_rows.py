"""Pieces that rows of several dialects share."""

from __future__ import annotations

from collections.abc import Iterable

from labelkit.domain.models import Message

Chat = list[dict[str, str]]


def chat(messages: Iterable[Message]) -> Chat:
    """Messages as role/content objects."""
    return [{"role": m.role, "content": m.content} for m in messages]


def answer(text: str) -> Chat:
    """One assistant turn."""
    return [{"role": "assistant", "content": text}]
