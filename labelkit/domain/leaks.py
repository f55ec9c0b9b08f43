"""When two prompts are the same prompt to anybody who looks for leaks between splits."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

from labelkit.domain.models import Message


def prompt_text(messages: Iterable[Message]) -> str:
    """Return a conversation as one text; NUL, which no text holds, stands between its parts."""
    return "\0".join(part for m in messages for part in (m.role, m.content))


def leak_key(text: str) -> int:
    """Return 64 bits that stay the same whatever a prompt's case, white space and composition.

    >>> leak_key("user\\0What  is a leak?") == leak_key("user\\0what is a LEAK?\\n")
    True
    """
    plain = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    return int.from_bytes(blake2b(plain.encode(), digest_size=8).digest(), "big")
