"""Tables of answers: the same counts whichever way the rows are told apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import fields
from itertools import combinations, pairwise

import numpy as np
import pytest
from bundles import bundles, units_of
from hypothesis import given
from hypothesis import strategies as st

from labelkit.agreement import _judging, _labeler_pairs, _units
from labelkit.agreement._arrays import distinct_rows, in_order, pieces
from labelkit.agreement._judging import judge
from labelkit.agreement._units import PAIR_VALUES, Answers, Judgements, Rankings, Tally
from labelkit.domain.models import Bundle

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


@pytest.mark.parametrize("dense", [1 << 20, 0])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), min_size=1))
def test_each_prompt_has_the_sum_of_its_units(
    dense: int, units: list[tuple[int, int, int]]
) -> None:
    prompt, *counts = np.array(units).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_units, "_DENSE", dense)
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
    crossed = answers.cross(SCALE)
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
    assert pairs.crossed is pairs.crossed
    wider = pairs.tally((-1, 0, 1, 2))
    assert wider.patterns[wider.pattern].tolist() == [[0, 1, 1, 0], [1, 0, 0, 0]]


@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_pieces_are_whole_prompts_and_no_larger_than_they_must_be(
    prompts: list[int], at_once: int
) -> None:
    prompt = np.array(sorted(prompts), dtype=np.int64)
    cut = [prompt[rows].tolist() for rows in pieces(prompt, at_once)]
    assert [p for piece in cut for p in piece] == sorted(prompts)
    assert all(cut)
    for one, other in pairwise(cut):
        assert one[-1] < other[0]
    for piece in cut:
        assert len(piece) < at_once + prompts.count(piece[-1])


@given(bundles())
def test_nothing_depends_on_how_many_are_looked_at_together(said: list[Bundle]) -> None:
    whole = units_of(said)
    crossed = whole.pairs.crossed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_judging, "_AT_ONCE", 1)
        patch.setattr(_labeler_pairs, "_AT_ONCE", 1)
        cut = units_of(said)
        again = cut.pairs.crossed
    for one, other in (
        (whole.pairs, cut.pairs), (whole.repeats, cut.repeats), (crossed, again)
    ):  # fmt: skip
        for column in fields(one):
            a, b = getattr(one, column.name), getattr(other, column.name)
            assert np.array_equal(a, b), column.name
            assert a.dtype == b.dtype


def test_the_items_of_rankings_go_up_and_keep_their_places() -> None:
    prompt = labeler = np.zeros(2, dtype=np.int64)
    rankings = Rankings(
        prompt=prompt,
        labeler=labeler,
        k=np.array([3, 3]),
        item=np.array([5, 1, 3, 2, 7, 4]),
        rank=np.array([0, 1, 1, 0, 1, 2]),
        item_prompt=np.zeros(8, dtype=np.int64),
    )
    rows, items, ranks = rankings.of_size(3)
    assert (rows.tolist(), rankings.of_size(2)[0].tolist()) == ([0, 1], [])
    assert items.tolist() == [[1, 3, 5], [2, 4, 7]]
    assert ranks.tolist() == [[1, 1, 0], [0, 2, 1]]
    pairs, repeats = judge(rankings, 1)
    found = {tuple(p): int(v) for p, v in zip(pairs.pair.tolist(), pairs.value, strict=True)}
    assert found == {(1, 3): 0, (1, 5): -1, (3, 5): -1, (2, 4): 1, (2, 7): 1, (4, 7): -1}
    assert len(repeats.first) == 0


@given(bundles(), st.integers(1, 4))
def test_the_pieces_of_rankings_are_the_whole(said: list[Bundle], at_once: int) -> None:
    rankings = units_of(said).rankings
    cut = list(rankings.cut(at_once))
    for name in ("prompt", "labeler", "k", "item", "rank"):
        whole = getattr(rankings, name).tolist()
        assert [x for piece in cut for x in getattr(piece, name).tolist()] == whole
    assert all(piece.item_prompt is rankings.item_prompt for piece in cut)
    assert not any(set(a.prompt) & set(b.prompt) for a, b in pairwise(cut))
