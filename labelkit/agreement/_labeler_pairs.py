"""Two labelers at a time: what every labeler-by-labeler matrix starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labelkit.agreement._bootstrap import Means
from labelkit.agreement._units import Answers, Floats, Ints, in_order, no_ints, pieces
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

    def resampled(self, means: Means, values: Floats, work: Callable[[Floats], Floats]) -> Floats:
        """Add up rows of values (n, c) by cell, for every resample; return `work` on the sums.

        `work` makes (n, d) of (n, c), and the result has shape (replicates, cells, d).
        """
        return means.by_cell(self.prompt, self.cell, values, len(self.cells), work)

    def prompts(self) -> list[int]:
        """Count the prompts of each cell."""
        return [int(n) for n in np.bincount(self.cell)]


def labeler_pairs(answers: Answers, values: Sequence[int], *, turn: bool = False) -> LabelerPairs:
    """Cross every two labelers who answered the same unit. Rows must be sorted by unit and
    labeler, units by prompt.

    With `turn`, each unit counts half as it stands and half turned round (the first completion of
    a pair and the second change places), so that it does not matter which was written first.
    """
    v = len(values)
    n_labelers = int(answers.labeler.max(initial=0)) + 1
    cut = pieces(answers.unit_prompt[answers.unit], _AT_ONCE)
    counted = [in_order(_crossed(answers, rows, values, n_labelers)) for rows in cut]
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
        table=(table + table[:, ::-1, ::-1]) / 2 if turn else table,
        cells=np.column_stack(np.divmod(cells, n_labelers)),
    )


def _crossed(answers: Answers, rows: slice, values: Sequence[int], n_labelers: int) -> Ints:
    """Return every two answers on one unit among some rows, each two as one number.

    Its digits: prompt, first labeler, second labeler, first answer, second answer.
    """
    unit, labeler, v = answers.unit[rows], answers.labeler[rows], len(values)
    code = np.searchsorted(np.asarray(values), answers.value[rows])
    first = ((answers.unit_prompt[unit] * n_labelers + labeler) * n_labelers * v + code) * v
    second = labeler * v**2 + code
    keys = [no_ints()]
    for shift in range(1, n_labelers):
        same = unit[shift:] == unit[:-shift]
        if not same.any():
            break
        keys.append((first[:-shift] + second[shift:])[same])
    return np.concatenate(keys)


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
