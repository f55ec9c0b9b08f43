"""An order that keeps rows of one prompt apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise, zip_longest

from labelkit.domain.shuffle import shuffled

_REACH = 1000


def spread(groups: Sequence[int], *key: object) -> list[int]:
    """Return positions in a shuffled order in which no two of a group are neighbours.

    `key` decides the shuffle and nothing else does. Neighbours remain only where no order could do
    without them: when one group holds more than half of all.

    >>> order = spread([7, 7, 8, 8, 9], "key")
    >>> sorted(order), any(a // 2 == b // 2 for a, b in zip(order, order[1:]))
    ([0, 1, 2, 3, 4], False)
    """
    order = shuffled(range(len(groups)), *key)
    _swap_apart(order, groups)
    if any(groups[a] == groups[b] for a, b in pairwise(order)):
        return _dealt(order, groups)
    return order


def _swap_apart(order: list[int], groups: Sequence[int]) -> None:
    """Trade each row that follows one of its own group for one nearby that does not."""
    for i in range(1, len(order)):
        before = groups[order[i - 1]]
        if groups[order[i]] != before:
            continue
        near = range(i + 1, min(i + _REACH, len(order)))
        j = next((j for j in near if groups[order[j]] != before), i)
        order[i], order[j] = order[j], order[i]


def _dealt(order: Sequence[int], groups: Sequence[int]) -> list[int]:
    """Deal the groups, largest first, onto every other place, then onto those between."""
    members: dict[int, list[int]] = defaultdict(list)
    for i in order:
        members[groups[i]].append(i)
    largest, *others = sorted(members.values(), key=len, reverse=True)
    rest = [i for group in others for i in group]
    line = [*largest, *rest]
    half = max((len(line) + 1) // 2, len(line) - len(rest))
    result = [i for pair in zip_longest(line[:half], line[half:]) for i in pair]
    return [i for i in result if i is not None]
