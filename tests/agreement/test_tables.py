"""Tables of answers: the same counts whichever way the rows are told apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.agreement import _units
from labelkit.agreement._labeler_pairs import labeler_pairs
from labelkit.agreement._units import (
    PAIR_VALUES,
    Answers,
    Judgements,
    Tally,
    distinct_rows,
    in_order,
)

rows_of_counts = st.integers(1, 4).flatmap(
    lambda v: st.lists(st.lists(st.integers(0, 3), min_size=v, max_size=v), min_size=1)
)
SCALE = (1, 2, 7)


@pytest.mark.parametrize("dense", [1 << 20, 0])
@given(rows_of_counts)
def test_a_tally_has_every_row_once(dense: int, rows: list[list[int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_units, "_DENSE", dense)
        tally = Tally.of(np.array(rows), np.zeros(len(rows), dtype=np.int64))
    assert tally.patterns[tally.pattern].tolist() == rows
    wanted = Counter(map(tuple, rows))
    found = zip(map(tuple, tally.patterns.tolist()), tally.times.tolist(), strict=True)
    assert dict(found) == wanted
    assert len(tally.patterns) == len(wanted)


def test_rows_beyond_what_a_table_holds_are_told_apart() -> None:
    counts = np.zeros((3, 90), dtype=np.int64)
    counts[0, 70] = counts[1, 80] = counts[2, 70] = 1
    tally = Tally.of(counts, np.zeros(3, dtype=np.int64))
    assert (tally.patterns[tally.pattern] @ np.arange(90)).tolist() == [70, 80, 70]
    assert len(tally.patterns) == 2


def test_a_tally_of_nothing_is_empty() -> None:
    nothing = Tally.of(np.zeros((0, 3), dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert nothing.patterns.shape == (0, 3)
    assert nothing.times.tolist() == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), min_size=1))
def test_each_prompt_has_the_sum_of_its_units(units: list[tuple[int, int, int]]) -> None:
    prompt, *counts = np.array(units).T
    tally = Tally.of(np.column_stack(counts), prompt)
    used = tally.patterns.sum(axis=1) > 1
    values = tally.patterns[used] * [10.0, 0.5]
    wanted: dict[int, list[float]] = {}
    for where, a, b in units:
        if a + b > 1:
            one = wanted.setdefault(where, [0.0, 0.0])
            one[0] += 10 * a
            one[1] += b / 2
    assert tally.per_prompt(used, values).tolist() == [wanted[p] for p in sorted(wanted)]


@given(rows_of_counts)
def test_distinct_rows(rows: list[list[int]]) -> None:
    first, index = distinct_rows(np.array(rows))
    assert [rows[i] for i in first] == sorted({tuple(r): r for r in rows}.values())
    assert [rows[first[i]] for i in index] == rows
    assert [rows.index(rows[i]) for i in first] == first.tolist()


@given(st.lists(st.integers(0, 9)))
def test_keys_in_order(keys: list[int]) -> None:
    found, times = in_order(np.array(keys, dtype=np.int64))
    assert dict(zip(found.tolist(), times.tolist(), strict=True)) == Counter(keys)
    assert found.tolist() == sorted(set(keys))


said = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 4)), st.sampled_from(SCALE), max_size=20
)


@given(said)
def test_ratings_of_two_labelers_are_crossed_on_what_they_share(
    answered: dict[tuple[int, int], int],
) -> None:
    """Units 0 and 1 belong to prompt 0, 2 and 3 to prompt 1, and so on."""
    rows = np.array([(u, w, v) for (u, w), v in sorted(answered.items())], dtype=np.int64)
    answers = Answers(*rows.reshape(-1, 3).T, np.arange(6) // 2)
    wanted: dict[tuple[int, int, int], Counter[tuple[int, int]]] = defaultdict(Counter)
    for (one, a), (other, b) in combinations(sorted(answered), 2):
        if one == other:
            wanted[one // 2, a, b][answered[one, a], answered[one, b]] += 1
    crossed = labeler_pairs(answers, SCALE)
    found = {
        (int(p), *crossed.cells[c].tolist()): Counter(
            {(SCALE[i], SCALE[j]): int(table[i, j]) for i, j in np.argwhere(table)}
        )
        for p, c, table in zip(crossed.prompt, crossed.cell, crossed.table, strict=True)
    }
    assert found == wanted
    assert len(crossed.table) == len(wanted)


def test_a_tally_of_pairs_is_made_once() -> None:
    unit, labeler, value = np.array([[0, 0, 1], [0, 1, 0], [1, 0, -1]])
    pairs = Judgements(unit, labeler, value, np.arange(2), np.array([[0, 1], [2, 3]]))
    tally = pairs.tally(PAIR_VALUES)
    assert tally is pairs.pair_tally
    assert tally.patterns[tally.pattern].tolist() == [[0, 1, 1], [1, 0, 0]]
    wider = pairs.tally((-1, 0, 1, 2))
    assert wider.patterns[wider.pattern].tolist() == [[0, 1, 1, 0], [1, 0, 0, 0]]
