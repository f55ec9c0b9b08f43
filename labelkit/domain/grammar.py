"""The ranking grammar: `C > A = B > D`, also `ca=bd`; `/` sets the rest aside as unranked.

Letters stand for completions in the order they were shown: A is the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LETTERS = "ABCDEFGHI"
IndexTiers = list[list[int]]

_BETTER = re.compile(r"[>≻,]")
_EQUAL = re.compile(r"[=~≈]")
_EVERYONE_ELSE = "*"


class OrderError(ValueError):
    """The text is not a ranking. The message says what to type instead."""


def parse_order(text: str, k: int) -> tuple[IndexTiers, list[int]]:
    """Return (tiers, unranked) as 0-based indexes into the `k` completions shown.

    Raises OrderError when a letter is unknown, missing or used twice.

    >>> parse_order("C > A = B > D", 4)
    ([[2], [0, 1], [3]], [])
    >>> parse_order("ca=bd", 4)
    ([[2], [0, 1], [3]], [])
    >>> parse_order("b > a / *", 4)
    ([[1], [0]], [2, 3])
    """
    letters = LETTERS[:k]
    ranked, slash, rest = text.upper().strip().partition("/")
    tiers = [_tier(part, letters) for part in _split_tiers(ranked)]
    placed = [i for tier in tiers for i in tier]
    unranked = _unranked(rest, placed, letters)
    _check_cover(placed + unranked, letters, partial=bool(slash))
    return tiers, unranked


def format_order(tiers: Sequence[Sequence[int]], unranked: Iterable[int] = ()) -> str:
    """Return tiers as text that `parse_order` reads back.

    >>> format_order([[2], [1, 0], [3]], [4])
    'C > A = B > D / E'
    """
    text = " > ".join(" = ".join(LETTERS[i] for i in sorted(tier)) for tier in tiers)
    rest = " ".join(LETTERS[i] for i in sorted(unranked))
    return f"{text} / {rest}".lstrip() if rest else text


def _split_tiers(text: str) -> list[str]:
    """Cut at `>`; letters that touch without a sign are separate places."""
    signed = re.sub(r"(?<=[^\W\d_])(?=\s*[^\W\d_])", ">", text)
    parts = [part.strip() for part in _BETTER.split(signed)]
    if parts == [""]:
        raise OrderError("nothing is placed: write the best first, for example C > A = B > D")
    return parts


def _tier(part: str, letters: str) -> list[int]:
    members = [member.strip() for member in _EQUAL.split(part)]
    if any(len(member) != 1 for member in members):
        raise OrderError("write one letter between '>' or '=' signs, for example C > A = B > D")
    return sorted(_index(member, letters) for member in members)


def _index(letter: str, letters: str) -> int:
    position = letters.find(letter)
    if position < 0:
        raise OrderError(f"there is no completion {letter}: this task has A to {letters[-1]}")
    return position


def _unranked(text: str, placed: list[int], letters: str) -> list[int]:
    if text.strip() == _EVERYONE_ELSE:
        return [i for i in range(len(letters)) if i not in placed]
    return sorted(_index(c, letters) for c in re.sub(r"[\s,]", "", text))


def _check_cover(indexes: list[int], letters: str, *, partial: bool) -> None:
    if twice := sorted({letters[i] for i in indexes if indexes.count(i) > 1}):
        raise OrderError(f"completion {', '.join(twice)} appears twice")
    if missing := [c for i, c in enumerate(letters) if i not in indexes]:
        how = "" if partial else " (or set it aside after a slash: / " + " ".join(missing) + ")"
        raise OrderError(f"completion {', '.join(missing)} is not placed{how}")
