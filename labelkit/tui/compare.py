"""How two texts differ, word by word."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from labelkit.domain.safe_text import SafeText

ALIKE = 0.35
"""Under this likeness marking words only makes both texts harder to read."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_COSTLY = 400_000
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
    a, b = _places(left), _places(right)
    matcher = _matcher(left, right)
    changed = [op for op in matcher.get_opcodes() if op[0] != "equal"]
    return Difference(
        tuple((a[i][0], a[j - 1][1]) for _, i, j, _, _ in changed if j > i),
        tuple((b[i][0], b[j - 1][1]) for _, _, _, i, j in changed if j > i),
        matcher.ratio(),
    )


def plain_difference(left: SafeText, right: SafeText) -> SafeText:
    """Both texts in one, with what only one of them has in brackets.

    >>> plain_difference(SafeText("the red car"), SafeText("the blue car"))
    'the [-red-] {+blue+} car'
    """
    a, b = _places(left), _places(right)
    pieces, at = [], 0
    for op, i1, i2, j1, j2 in _matcher(left, right).get_opcodes():
        if op != "equal" and i2 > i1:
            gone = left[a[i1][0] : a[i2 - 1][1]]
            pieces.append(right[at : b[j1][0]] if j1 < len(b) else right[at:])
            at = b[j1][0] if j1 < len(b) else len(right)
            pieces.append(f"[-{gone}-] ")
        if op != "equal" and j2 > j1:
            pieces += [right[at : b[j1][0]], f"{{+{right[b[j1][0] : b[j2 - 1][1]]}+}}"]
            at = b[j2 - 1][1]
    return SafeText("".join([*pieces, right[at:]]))


def _places(text: str) -> list[tuple[int, int]]:
    """Where each word and sign stands."""
    return [found.span() for found in _TOKEN.finditer(text)]


def _matcher(left: str, right: str) -> SequenceMatcher[str]:
    """Words only: spaces are so many that they would cost the most and say the least.

    Texts that repeat a few words for ever are compared by their rarer words.
    """
    a, b = _TOKEN.findall(left), _TOKEN.findall(right)
    often, times = Counter(a), Counter(b)
    cost = sum(n * times[word] for word, n in often.items())
    return SequenceMatcher(None, a, b, autojunk=cost > _COSTLY and left != right)
