"""Two labelers at a time: what every labeler-by-labeler matrix starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from labelkit.agreement._arrays import Floats, Ints, in_order, no_ints, pieces
from labelkit.plugins import Finding, Measured

_AT_ONCE = 1 << 16
"""Answers that are crossed together: they fit into the cache."""


@dataclass(frozen=True)
class LabelerPairs:
    """What two labelers said about the units of one prompt that both answered.

    `prompt`, `cell` have shape (n,); `table` (n, v, v) counts units on which the cell's first
    labeler gave the value of the row and its second that of the column. `cells` (c, 2) are the
    labelers, by index, the smaller first; each has a row at least.
    """

    prompt: Ints
    cell: Ints
    table: Floats
    cells: Ints

    def totals(self, values: Floats) -> Floats:
        """Add up rows of values (n, c) by cell: (cells, c)."""
        columns = [np.bincount(self.cell, v) for v in values.T]
        return np.column_stack(columns).astype(np.float64)

    def turned(self) -> LabelerPairs:
        """Count each unit half as it stands and half turned round.

        The first completion of a pair and the second change places in it, so that it does not
        matter which was written first.
        """
        return replace(self, table=(self.table + self.table[:, ::-1, ::-1]) / 2)

    def prompts(self) -> list[int]:
        """Count the prompts of each cell."""
        return [int(n) for n in np.bincount(self.cell)]


def labeler_pairs(prompt: Ints, unit: Ints, labeler: Ints, code: Ints, values: int) -> LabelerPairs:
    """Cross every two labelers who answered the same unit.

    One row (n,) for each answer: its prompt, unit and labeler, in this order, and a code under
    `values` for what was said.
    """
    v, n_labelers = values, int(labeler.max(initial=0)) + 1
    counted = []
    for here in pieces(prompt, _AT_ONCE):
        # Digits of one number: prompt, first labeler, second labeler, first answer, second answer.
        first = prompt[here] * n_labelers + labeler[here]
        first = (first * n_labelers * v + code[here]) * v
        second = labeler[here] * v**2 + code[here]
        counted.append(in_order(_crossed(unit[here], first, second)))
    found = np.concatenate([no_ints(), *(keys for keys, _ in counted)])
    times = np.concatenate([no_ints(), *(n for _, n in counted)])
    both, answer = np.divmod(found, v**2)
    row = np.cumsum(np.diff(both, prepend=-1) != 0) - 1
    table = np.zeros((int(row.max(initial=-1)) + 1, v, v))
    table[(row, *np.divmod(answer, v))] = times
    rows = np.empty(len(table), dtype=np.int64)
    rows[row] = both
    prompt, pair = np.divmod(rows, n_labelers**2)
    cells, cell = np.unique(pair, return_inverse=True)
    return LabelerPairs(
        prompt=prompt,
        cell=cell,
        table=table,
        cells=np.column_stack(np.divmod(cells, n_labelers)),
    )


def _crossed(unit: Ints, first: Ints, second: Ints) -> Ints:
    """Return first + second of every two rows (n,) of one unit; the rows of a unit stand together.

    >>> _crossed(np.array([0, 0, 0, 1]), 10 * np.arange(4), np.arange(4)).tolist()
    [1, 12, 2]
    """
    sums = [no_ints()]
    for shift in range(1, len(unit)):
        same = unit[shift:] == unit[:-shift]
        if not same.any():
            break
        sums.append((first[:-shift] + second[shift:])[same])
    return np.concatenate(sums)


def matrix(
    labelers: Sequence[str], cells: Ints, measured: Sequence[Measured]
) -> Mapping[str, Finding]:
    """Lay cells out as {labeler: {labeler: value}}, in the order of the labelers."""
    result: dict[str, dict[str, Finding]] = {}
    for (a, b), value in zip(cells, measured, strict=True):
        result.setdefault(labelers[a], {})[labelers[b]] = value
    return result


def by_labeler(labelers: Sequence[str], measured: Sequence[Measured]) -> Mapping[str, Finding]:
    """Lay values out as {labeler: value}, in the order of the labelers."""
    return dict(zip(labelers, measured, strict=True))
