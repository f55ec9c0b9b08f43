"""How long rows are: trainers cut or drop what is over their limit, mostly without a word."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

LIMITS = (1024, 2048, 4096)
PERCENTILES = (50, 90, 99)
BYTES_PER_TOKEN = 4
ESTIMATE = f"estimated tokens: UTF-8 bytes / {BYTES_PER_TOKEN}"

# Kana and Han are written without spaces: each character counts, as in word processors.
_UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def words(text: str) -> int:
    """Count words as word processors do.

    >>> words("It isn't - far."), words("潮の満ち引き。"), words("月 is moon")
    (4, 6, 3)
    """
    spaced, unspaced = _UNSPACED.subn(" ", text)
    if not unspaced:
        return len(text.split())
    return unspaced + sum(any(c.isalnum() for c in word) for word in spaced.split())


def estimated_tokens(text: str) -> int:
    """Guess at a text's tokens from its bytes, rounding up. A rule of thumb for English prose.

    >>> estimated_tokens("twelve bytes"), estimated_tokens("日本")
    (3, 2)
    """
    size = len(text) if text.isascii() else len(text.encode())
    return -(-size // BYTES_PER_TOKEN)


def summary(lengths: Counter[int], unit: str) -> dict[str, Any] | None:
    """Return percentiles (nearest rank), the longest, and how many pass each limit.

    >>> summary(Counter({10: 98, 2000: 2}), "tokens")["over"]
    {'1024': 2, '2048': 0, '4096': 0}
    """
    total = lengths.total()
    if not total:
        return None
    ordered = sorted(lengths.items())
    return {
        "unit": unit,
        **{f"p{q}": _percentile(ordered, total, q) for q in PERCENTILES},
        "max": ordered[-1][0],
        "over": {str(x): sum(n for length, n in ordered if length > x) for x in LIMITS},
    }


def _percentile(ordered: list[tuple[int, int]], total: int, percent: int) -> int:
    rank = -(-total * percent // 100)
    seen = 0
    for length, n in ordered:
        seen += n
        if seen >= rank:
            return length
    raise AssertionError("the last length reaches every rank")
