"""How two texts differ, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from labelkit.domain.safe_text import SafeText

ALIKE = 0.35
"""Under this likeness marking words only makes both texts harder to read."""

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two texts differ, as (start, end) offsets in each; `likeness` is 0 to 1."""

    left: Spans
    right: Spans
    likeness: float

    @property
    def worth_marking(self) -> bool:
        return self.likeness >= ALIKE


@lru_cache(maxsize=64)
def difference(left: str, right: str) -> Difference:
    """Compare two texts by words.

    >>> difference("the red car", "the blue car").left
    ((4, 7),)
    """
    a, b = _TOKEN.findall(left), _TOKEN.findall(right)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    changed = [op for op in matcher.get_opcodes() if op[0] != "equal"]
    return Difference(
        _spans(a, [(op[1], op[2]) for op in changed]),
        _spans(b, [(op[3], op[4]) for op in changed]),
        matcher.ratio(),
    )


def _spans(tokens: list[str], ranges: list[tuple[int, int]]) -> Spans:
    """Token ranges as character ranges; ranges of nothing but space say nothing."""
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    return tuple((starts[i], starts[j]) for i, j in ranges if "".join(tokens[i:j]).strip())


def plain_difference(left: SafeText, right: SafeText) -> SafeText:
    """Both texts in one, with what only one of them has in brackets.

    >>> plain_difference(SafeText("the red car"), SafeText("the blue car"))
    'the [-red-]{+blue+} car'
    """
    a, b = _TOKEN.findall(left), _TOKEN.findall(right)
    pieces = []
    for op, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if op == "equal":
            pieces += a[i1:i2]
        else:
            pieces += [f"[-{''.join(a[i1:i2])}-]"] if i2 > i1 else []
            pieces += [f"{{+{''.join(b[j1:j2])}+}}"] if j2 > j1 else []
    return SafeText("".join(pieces))
