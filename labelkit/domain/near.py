"""Near-duplicates: texts that begin alike, or say the same words in the same order but for a few.

InstructGPT dropped "prompts that share a long common prefix" (arXiv 2203.02155, 3.2). Beside that,
two texts of n and m words are alike by 2 LCS / (n + m), the share of words that stand in both in
the same order (LCS: longest common subsequence; Indel similarity).

Pairs are found by prefix filtering (Bayardo, Ma, Srikant: Scaling Up All Pairs Similarity Search,
WWW 2007): of two texts that are alike enough at least one of the rarest words is the same. None is
missed, and almost none is compared in vain.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, log

from labelkit.domain.leaks import folded

# Chinese, Japanese and Korean are written without spaces: each character counts as a word.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_CODES = 0x110000
_MOST = _CODES - 1


@dataclass(frozen=True, slots=True)
class Text:
    """Something to compare. Of a group the one with the most `weight` stays, then the least uid.

    A `kept` one always stays.
    """

    uid: str
    text: str
    weight: int = 0
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A text that says what its group's representative says; `alike` is 1.0 for a common prefix."""

    uid: str
    why: str
    alike: float


@dataclass(frozen=True, slots=True)
class Group:
    """Near-duplicates: the one that stays, and the others."""

    stays: str
    members: tuple[Member, ...]


PREFIX, WORDS = "prefix", "words"


def groups(texts: Iterable[Text], threshold: float = 0.9, prefix: int = 200) -> list[Group]:
    """Return the groups of near-duplicates; the same whatever order the texts come in.

    `prefix` is how many characters at the beginning must be the same (the whole text, where it is
    shorter); 0 leaves that rule out. `threshold` is from 0.5 to 1.
    """
    ranked = sorted(texts, key=lambda t: (not t.kept, -t.weight, t.uid))
    search = _Search(threshold)
    starts: dict[str, int] = {}
    found: dict[int, list[Member]] = defaultdict(list)
    coded = _coded(folded(t.text) for t in ranked)
    common = Counter(c for words in coded for c in set(words))
    for i, text in enumerate(ranked):
        start = folded(text.text)[:prefix] if prefix else text.uid
        rarest = search.rarest(coded[i], common)
        near = (starts[start], 1.0) if start in starts else search.nearest(coded[i], rarest)
        if near is None or text.kept:
            search.add(i, coded[i], rarest)
            starts.setdefault(start, i)
            continue
        leader, alike = near
        why = PREFIX if start in starts else WORDS
        starts.setdefault(start, leader)
        found[leader].append(Member(text.uid, why, alike))
    return [Group(ranked[i].uid, tuple(found[i])) for i in sorted(found)]


def _coded(texts: Iterable[str]) -> list[str]:
    """Write each word as one character, which is the form that is compared fastest.

    Only beyond a million different words do two of the later ones share a character.
    """
    codes: dict[str, int] = {}
    return [
        "".join(chr(codes.setdefault(w, len(codes)) % _CODES) for w in _WORD.findall(text))
        for text in texts
    ]


Element = str
"""A word and its number among its equals, a character each: the second `the` is another element
than the first."""


class _Search:
    """Finds the text that is most like a new one, among those that were added."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        # Of texts that are alike enough the shorter has at least this share of the other's words.
        self._share = threshold / (2 - threshold)
        self._texts: dict[int, str] = {}
        self._places: dict[str, list[int]] = defaultdict(list)

    def add(self, i: int, words: str, rarest: Sequence[Element]) -> None:
        self._texts[i] = words
        size = chr(min(self._size(words), _MOST))
        for element in rarest:
            self._places[element + size].append(i)

    def nearest(self, words: str, rarest: Sequence[Element]) -> tuple[int, float] | None:
        """Return the most alike (the earliest of equals) and how much; None when none is enough."""
        from rapidfuzz.distance import Indel

        size, places = self._size(words), self._places
        sizes = [chr(min(s, _MOST)) for s in (size - 1, size, size + 1) if s >= 0]
        near = {i for e in rarest for s in sizes for i in places.get(e + s, ())}
        least, most = len(words) * self._share - _SLIP, len(words) / self._share + _SLIP
        best: tuple[int, float] | None = None
        for i in sorted(near):
            other = self._texts[i]
            if least <= len(other) <= most:
                # Whole steps: a share as the cut-off is rounded, and loses what just reaches it.
                total, wanted = len(words) + len(other), best[1] if best else self._threshold
                steps = int(total * (1 - wanted) + _SLIP)
                alike = 1 - Indel.distance(words, other, score_cutoff=steps) / total
                if alike >= self._threshold and (best is None or alike > best[1]):
                    best = (i, alike)
        return best

    def _size(self, words: str) -> int:
        """Texts that are alike enough have the same size, or the one next to it."""
        steps = -log(self._share)
        return int(log(max(1, len(words))) / steps + _SLIP) if steps > _SLIP else len(words)

    def rarest(self, words: str, common: Counter[str]) -> list[Element]:
        """The elements of which one at least is in every text that is alike enough."""
        seen: dict[str, int] = {}
        elements = []
        for word in words:
            n = seen.get(word, 0)
            seen[word] = n + 1
            elements.append((common[word] / (1 + n), word, n))
        elements.sort()
        shared = ceil(len(words) * self._share - _SLIP)
        return [word + chr(min(n, _MOST)) for _, word, n in elements[: len(words) - shared + 1]]


_SLIP = 1e-9
