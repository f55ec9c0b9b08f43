"""Who judged, where a file does not say: nobody known, and not one and the same person.

One labeler has one vote about a pair, and the first counts. If all of a file's nameless judgements
were one labeler's, then of three votes on a pair the first would decide, whatever the other two
say. So a judgement of a pair that was judged before gets a voice of its own, NAME-2, and so on.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from hashlib import blake2b
from itertools import combinations
from typing import Any

_EMPTY = 0
_FIRST_ROOM = 1 << 10


class Voices:
    """Numbers nameless judgements, in the order of the file: no voice judges a pair twice."""

    def __init__(self) -> None:
        self.repeats = 0
        self._heard = _Keys()
        self._more: dict[int, int] = {}

    def name(self, labeler: str, record: Mapping[str, Any], ranking: Mapping[str, Any]) -> str:
        """Return what to call whoever made this ranking."""
        keys = _pairs(record, ranking)
        before = max(
            (0 if self._heard.add(key) else self._more.get(key, 1) for key in keys), default=0
        )
        if not before:
            return labeler
        self.repeats += 1
        self._more |= dict.fromkeys(keys, before + 1)
        return f"{labeler}-{before + 1}"


def _pairs(record: Mapping[str, Any], ranking: Mapping[str, Any]) -> list[int]:
    """Stand for each pair of the texts that were judged, 64 bits each."""
    texts = {each.get("id"): each["text"] for each in record.get("completions", ())}
    prompt = _digest(str(record["prompt"]).encode("utf-8", "surrogatepass"))
    placed = sorted(
        {
            _digest(prompt, str(texts.get(name, name)).encode("utf-8", "surrogatepass"))
            for tier in ranking["tiers"]
            for name in tier
        }
    )
    return [int.from_bytes(_digest(*pair), "big") or 1 for pair in combinations(placed, 2)]


def _digest(*parts: bytes) -> bytes:
    return blake2b(b"".join(parts), digest_size=8).digest()


class _Keys:
    """A set of numbers from 1 to 2**64 - 1 in 16 to 32 bytes each; a set of Python's takes 80."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_ROOM))
        self._count = 0

    def add(self, key: int) -> bool:
        """Keep a number, and return whether it is new."""
        at = self._find(self._slots, key)
        if self._slots[at] == key:
            return False
        self._slots[at] = key
        self._count += 1
        if 2 * self._count > len(self._slots):
            self._grow()
        return True

    def _grow(self) -> None:
        slots = array("Q", bytes(16 * len(self._slots)))
        for key in self._slots:
            if key != _EMPTY:
                slots[self._find(slots, key)] = key
        self._slots = slots

    @staticmethod
    def _find(slots: array[int], key: int) -> int:
        """Return where a number is, or the free place where it belongs."""
        mask = len(slots) - 1
        at = key & mask
        while slots[at] not in (_EMPTY, key):
            at = (at + 1) & mask
        return at
