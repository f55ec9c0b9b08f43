"""When two prompts are the same prompt to anybody who looks for leaks between splits."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

from labelkit.domain.models import Message


def prompt_text(messages: Iterable[Message]) -> str:
    """Return a conversation as one text; NUL, which no text holds, stands between its parts."""
    return "\0".join(part for m in messages for part in (m.role, m.content))


def folded(text: str) -> str:
    """Return a text without what nobody sees as a difference: case, composition, white space.

    >>> folded("What  IS\\n it?")
    'what is it?'
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def leak_key(text: str) -> int:
    """Return 64 bits that stay the same whatever a prompt's case, white space and composition.

    >>> leak_key("user\\0 What  is a leak?") == leak_key("user\\0what is a LEAK?\\n")
    True
    """
    plain = "\0".join(map(folded, text.split("\0")))
    return int.from_bytes(blake2b(plain.encode(), digest_size=8).digest(), "big")
