"""A ranking under construction: K places, best first, each holding none, one or several letters.

Letters stand for completions. Places keep their numbers while something is still to be placed, so
that a digit means the place a labeler sees; `compact` closes the gaps.
"""

from __future__ import annotations

from collections.abc import Iterable

Place = tuple[str, ...]
Places = tuple[Place, ...]


def empty(k: int) -> Places:
    """`k` places with nothing in them."""
    return ((),) * k


def of_tiers(tiers: Iterable[Iterable[str]], k: int) -> Places:
    """Places that hold `tiers` from the best down.

    >>> of_tiers([["C"], ["B", "A"]], 4)
    (('C',), ('A', 'B'), (), ())
    """
    return _fit([tuple(sorted(tier)) for tier in tiers if tier], k)


def tiers(places: Places) -> Places:
    """The places that hold something."""
    return tuple(place for place in places if place)


def where(places: Places, letter: str) -> int | None:
    """The index of the place a letter is in, or None."""
    return next((i for i, place in enumerate(places) if letter in place), None)


def take(places: Places, letter: str) -> Places:
    """Take a letter out."""
    return tuple(tuple(x for x in place if x != letter) for place in places)


def put(places: Places, letter: str, index: int) -> Places:
    """Put a letter at a place; whoever is there already is tied with it.

    >>> put((("A",), ("B",), ()), "C", 1)
    (('A',), ('B', 'C'), ())
    """
    cleared = take(places, letter)
    joined = tuple(sorted((*cleared[index], letter)))
    return (*cleared[:index], joined, *cleared[index + 1 :])


def insert(places: Places, letter: str, index: int) -> Places:
    """Give a letter a place of its own in front of place `index`.

    >>> insert((("A", "B"), ("C",), ()), "B", 0)
    (('B',), ('A',), ('C',))
    """
    cleared = list(take(places, letter))
    return _fit([*cleared[:index], (letter,), *cleared[index:]], len(places), keep=index)


def move(places: Places, letter: str, *, up: bool) -> Places:
    """Move a letter one step: out of a tie to a place of its own, else past its neighbour.

    >>> move((("A",), ("B", "C"), ()), "C", up=True)
    (('A',), ('C',), ('B',))
    >>> move((("A",), ("B",), ()), "B", up=True)
    (('B',), ('A',), ())
    """
    at = where(places, letter)
    if at is None:
        return put(places, letter, 0 if up else len(places) - 1)
    if len(places[at]) > 1:
        return insert(places, letter, at if up else at + 1)
    way = range(at - 1, -1, -1) if up else range(at + 1, len(places))
    other = next((i for i in way if places[i]), None)
    if other is None:
        return places
    swapped = list(places)
    swapped[at], swapped[other] = places[other], places[at]
    return tuple(swapped)


def above(places: Places, letter: str) -> int | None:
    """The index of the nearest filled place above a letter's own, or None."""
    at = where(places, letter)
    if at is None:
        return None
    return next((i for i in range(at - 1, -1, -1) if places[i]), None)


def prefer(places: Places, winner: str, loser: str) -> Places:
    """Make sure that `winner` stands above `loser`, moving as little as possible.

    >>> prefer((("A",), ("B",), ("C",)), "C", "A")
    (('C',), ('A',), ('B',))
    """
    high, low = where(places, winner), where(places, loser)
    if high is None and low is None:
        return insert(insert(places, loser, 0), winner, 0)
    if low is None:
        assert high is not None
        return insert(places, loser, high + 1)
    if high is not None and high < low:
        return places
    return insert(places, winner, low)


def compact(places: Places) -> Places:
    """Close the gaps, so that place numbers are ranks."""
    return _fit(list(tiers(places)), len(places))


def _fit(found: list[Place], k: int, keep: int = -1) -> Places:
    """Exactly `k` places: empty ones go, the lowest first, or are added at the end."""
    while len(found) > k:
        found.pop(max(i for i, place in enumerate(found) if not place and i != keep))
    return (*found, *((),) * (k - len(found)))
