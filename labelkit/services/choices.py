"""Words that a command takes one of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelkit.errors import UsageError


def one_of(word: str, allowed: Sequence[str], option: str) -> Any:
    """Return `word` when it is allowed. Raises UsageError with the words that are."""
    if word not in allowed:
        raise UsageError(
            f"{option}: not one of them: {word!r}", hint=f"{option} {'|'.join(allowed)}"
        )
    return word
