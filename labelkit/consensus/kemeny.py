"""Kemeny's method, exactly: the order that contradicts the fewest votes.

Kemeny (1959). Subset dynamic programming over 2^k sets, as Held and Karp (1962) do for tours. Where
several orders are best, completions on which they differ are tied.
"""

from __future__ import annotations

import numpy as np

from labelkit.consensus._votes import Bools, Floats, Votes, by_layers
from labelkit.domain.models import Tiers
from labelkit.plugins import ConsensusMethod

MOST = 9


def best_orders(wins: Floats) -> tuple[float, Bools]:
    """Return (votes contradicted, above): `above[i, j]` where every best order has i before j.

    >>> contradicted, above = best_orders(np.array([[0.0, 2, 2], [1, 0, 2], [1, 1, 0]]))
    >>> contradicted, above.astype(int).tolist()
    (3.0, [[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    """
    k = len(wins)
    everything = (1 << k) - 1
    against = _against(wins)
    # So far: `ahead[s]` is the least cost of ordering the set s; `behind[s]` of what follows it.
    ahead, behind = [0.0] + [np.inf] * everything, [np.inf] * everything + [0.0]
    for placed in range(1 << k):
        for i in _members(~placed & everything):
            cost = ahead[placed] + against[placed][i]
            ahead[placed | 1 << i] = min(ahead[placed | 1 << i], cost)
    for placed in range(everything, 0, -1):
        for i in _members(placed):
            before = placed & ~(1 << i)
            behind[before] = min(behind[before], behind[placed] + against[before][i])
    least = ahead[everything]
    first = np.zeros((k, k), dtype=bool)
    for placed in range(1 << k):
        if ahead[placed] + behind[placed] <= least + 1e-9:
            inside = np.array([bool(placed >> i & 1) for i in range(k)])
            first |= np.outer(inside, ~inside)
    return float(least), first & ~first.T


def _against(wins: Floats) -> list[list[float]]:
    """Return, for each set, the votes contradicted by putting i right behind all of it."""
    k = len(wins)
    table = [[0.0] * k]
    for placed in range(1, 1 << k):
        low = (placed & -placed).bit_length() - 1
        rest = table[placed & (placed - 1)]
        table.append([rest[i] + float(wins[i, low]) for i in range(k)])
    return table


def _members(subset: int) -> list[int]:
    return [i for i in range(subset.bit_length()) if subset >> i & 1]


def _order(votes: Votes) -> Tiers:
    return by_layers(votes.items, best_orders(votes.wins)[1])


PLUGIN = ConsensusMethod(
    title="Kemeny",
    rule=f"The order that contradicts the fewest votes, exactly, for up to {MOST} completions. "
    "Completions that several best orders place differently are tied.",
    order=_order,
    most=MOST,
)
