"""Columns of numbers, and what is done to them everywhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def no_ints(*shape: int) -> Ints:
    return np.zeros(shape or (0,), dtype=np.int64)


def distinct_rows(rows: Ints | Floats) -> tuple[Ints, Ints]:
    """Return (where each distinct row (n, c) stands first, which of them each row is).

    >>> [found.tolist() for found in distinct_rows(np.array([[2, 0], [0, 3], [2, 0]]))]
    [[1, 0], [1, 0, 1]]
    """
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    change = np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)][: len(rows)]
    index = np.empty(len(rows), dtype=np.int64)
    index[order] = np.cumsum(change) - 1
    return order[change], index


def in_order(keys: Ints) -> tuple[Ints, Ints]:
    """Return (the distinct keys, how often each is there), keys in order.

    Fastest where they are nearly in order already, such as keys that go up prompt by prompt.

    >>> [found.tolist() for found in in_order(np.array([7, 3, 7]))]
    [[3, 7], [1, 2]]
    """
    keys = np.sort(keys, kind="stable")
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[first], np.diff(first, append=len(keys))


def pieces(prompt: Ints, at_once: int) -> list[slice]:
    """Cut rows that stand prompt by prompt into pieces of about so many, never within a prompt.

    What works on a piece at a time stays in the cache, and asks for little memory.

    >>> pieces(np.array([0, 0, 0, 1, 2, 2]), 2)
    [slice(0, 3, None), slice(3, 4, None), slice(4, 6, None)]
    """
    first = np.append(np.flatnonzero(np.diff(prompt, prepend=-1)), len(prompt))
    near = np.searchsorted(first, np.arange(0, len(prompt), at_once))
    edges = np.unique(np.append(first[near], len(prompt))).tolist()
    return [slice(*ends) for ends in pairwise(edges)]
