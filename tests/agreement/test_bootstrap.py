"""Intervals: by prompts, seeded, and the same whichever way the sums are made."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.agreement import _bootstrap
from labelkit.agreement._bootstrap import (
    FEW_PROMPTS,
    TOO_OFTEN_UNDEFINED,
    Means,
    _patterns,
    cells_measured,
    mean_measured,
    merged,
    ratio_measured,
    ratio_of_sums,
    scattered,
    summed,
)
from labelkit.plugins import Measured


def numbers(n: int, columns: int = 2, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).random((n, columns))


def test_a_replicate_is_a_draw_of_as_many_prompts() -> None:
    sums = Means(200).sums(np.column_stack([np.ones(60), numbers(60, 1)]))
    assert sums.shape == (200, 2)
    assert sums[:, 0].tolist() == [60.0] * 200
    assert len(np.unique(sums[:, 1])) == 200


def test_the_spread_is_that_of_resampling() -> None:
    """The standard error of a sum of n draws is sqrt(n) times the spread of the values."""
    values = numbers(400, 1)
    spread = np.sqrt(400) * values.std()
    assert Means(2000).sums(values)[:, 0].std() == pytest.approx(spread, rel=0.08)
    repeated = np.round(values, 1)  # eleven patterns: drawn together
    spread = np.sqrt(400) * repeated.std()
    assert Means(2000).sums(repeated)[:, 0].std() == pytest.approx(spread, rel=0.08)
    assert Means(2000).sums(repeated)[:, 0].mean() == pytest.approx(repeated.sum(), rel=0.01)


def test_the_same_seed_gives_the_same_replicates() -> None:
    values = numbers(50)
    assert np.array_equal(Means(120).sums(values), Means(120).sums(values))
    assert not np.array_equal(Means(120).sums(values), Means(120, seed=1).sums(values))


def test_the_same_seed_gives_the_same_replicates_where_rows_repeat() -> None:
    values = np.round(numbers(400), 1)[:, :1]  # eleven patterns: drawn together
    assert np.array_equal(Means(120).sums(values), Means(120).sums(values))
    assert not np.array_equal(Means(120).sums(values), Means(120, seed=1).sums(values))


def test_replicates_do_not_depend_on_what_is_kept_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = numbers(90)
    kept = Means(130).sums(values)
    monkeypatch.setattr(_bootstrap, "_KEPT", 0)
    assert np.allclose(Means(130).sums(values), kept)
    monkeypatch.setattr(_bootstrap, "_ROWS", 7)
    monkeypatch.setattr(_bootstrap, "_SMALL_PRODUCT", 50)
    assert np.allclose(Means(130).sums(values), kept)


def test_cells_add_up_to_the_whole() -> None:
    values, prompt = numbers(40), np.repeat(np.arange(20), 2)
    cell = np.tile([0, 2], 20)
    means = Means(150)
    cells = means.cell_sums(prompt, cell, values, 3)
    assert cells.shape == (150, 3, 2)
    assert np.allclose(cells.sum(axis=1), means.sums(summed(prompt, values)))
    assert not cells[:, 1].any()


def test_summed_and_merged() -> None:
    prompt, values = np.array([3, 0, 3]), np.array([[1.0, 2], [3, 4], [5, 6]])
    assert summed(prompt, values).tolist() == [[3, 4], [6, 8]]
    found = merged(prompt, np.array([1, 0, 1]), values, 2)
    assert [part.tolist() for part in found] == [[0, 3], [0, 1], [[3, 4], [6, 8]]]


@pytest.mark.parametrize("cells", [3, 90_000])
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(-9, 9))))
def test_merged_is_a_sum_for_each_prompt_and_cell(
    cells: int, said: list[tuple[int, int, int]]
) -> None:
    """Whether there are few cells, or far more than rows."""
    wanted: Counter[tuple[int, int]] = Counter()
    for prompt, cell, value in said:
        wanted[prompt, cells - 1 - cell] += value
    rows = np.array(said, dtype=np.int64).reshape(-1, 3)
    values = np.column_stack([rows[:, 2], np.ones(len(rows))])
    prompt, cell, sums = merged(rows[:, 0], cells - 1 - rows[:, 1], values, cells)
    assert list(zip(prompt.tolist(), cell.tolist(), strict=True)) == sorted(wanted)
    assert sums[:, 0].tolist() == [wanted[key] for key in sorted(wanted)]
    assert sums[:, 1].sum() == len(said)
    assert sums.dtype == np.float64


def test_a_ratio_resamples_only_prompts_that_have_something() -> None:
    prompt = np.arange(6)
    top, bottom = np.array([1.0, 0, 1, 0, 0, 0]), np.array([1.0, 1, 1, 1, 0, 0])
    found = ratio_measured(Means(), prompt, top, bottom, "why")
    assert (found.value, found.n, found.reason) == (0.5, 4, "")
    assert (found.low, found.high) == (0.0, 1.0)


def test_undefined_is_said() -> None:
    none = np.zeros(2)
    found = ratio_measured(Means(), np.arange(2), none, none, "nothing there")
    assert (found.value, found.low, found.n, found.reason) == (None, None, 0, "nothing there")
    one = ratio_measured(Means(), np.array([4, 4]), np.ones(2), np.ones(2), "")
    assert (one.value, one.low, one.high, one.reason) == (1.0, None, None, FEW_PROMPTS)


def test_a_mean_leaves_out_what_is_undefined() -> None:
    values = np.array([0.5, np.nan, 1.0])
    found = mean_measured(Means(), np.arange(3), values, "")
    assert (found.value, found.n) == (0.75, 2)


def test_intervals_are_those_of_each_column() -> None:
    whole, holes, too_many = np.random.default_rng(1).random((3, 400))
    holes[:20] = np.nan
    too_many[:21] = np.inf
    table = np.column_stack([too_many, whole, holes, 1 - whole])
    found = Means().intervals(table)
    assert found[0] is None
    for column, each in zip(table.T[1:], found[1:], strict=True):
        known = column[np.isfinite(column)]
        assert each == pytest.approx((np.percentile(known, 2.5), np.percentile(known, 97.5)))
    assert Means().intervals(table[:, :1]) == [None]
    assert Means().intervals(table[:, :0]) == []


def test_many_values_are_measured_as_each_alone() -> None:
    values = np.random.default_rng(2).random((100, 4))
    values[:, 2] = np.nan
    found = Means().each_measured([0.5, None, 0.25, 1.0], values, [5, 4, 3, 1], [9, 8, 7, 6])
    assert [(m.value, m.n) for m in found] == [(0.5, 9), (None, 8), (0.25, 7), (1.0, 6)]
    assert [m.reason for m in found] == ["", FEW_PROMPTS, TOO_OFTEN_UNDEFINED, FEW_PROMPTS]
    assert (found[0].low, found[0].high) == Means().interval(values[:, 0])
    alone = [Means().measured(m.value, v, 5 - i, m.n) for i, (m, v) in enumerate(
        zip(found[:3], values.T, strict=False))]  # fmt: skip
    assert alone == found[:3]


def test_what_was_found_goes_to_its_places() -> None:
    one, two = Measured(value=1.0), Measured(value=2.0)
    where = np.array([False, True, False, True])
    found = scattered([one, two], where, lambda at: Measured(value=None, n=at))
    assert [(m.value, m.n) for m in found] == [(None, 0), (1.0, 0), (None, 2), (2.0, 0)]


def test_a_ratio_of_sums_is_resampled_prompt_by_prompt() -> None:
    per_prompt = np.array([[1.0, 2], [3, 4], [0, 2]])
    found = ratio_of_sums(Means(300), per_prompt, "why")
    wanted = ratio_measured(Means(300), np.arange(3), *per_prompt.T, "why")
    assert found == wanted
    assert (found.value, found.n) == (0.5, 8)
    none = ratio_of_sums(Means(), per_prompt[:0], "nothing there")
    assert (none.value, none.n, none.reason) == (None, 0, "nothing there")


def test_rows_that_repeat_are_found_though_they_are_hard_to_tell_apart() -> None:
    """Rows that differ by less than a sum of them can hold."""
    rows = np.repeat([[1e9, 1.0], [1e9, 1.0 + 1e-15], [2.0, 3.0]], [40, 50, 60], axis=0)
    patterns, times = _patterns(rows)
    assert sorted(times.tolist()) == [40, 50, 60]
    assert patterns[times == 50].tolist() == [[1e9, 1.0 + 1e-15]]
    assert _patterns(rows[:48]) is None or len(_patterns(rows[:48])[0]) == 2
    assert _patterns(np.arange(32.0)[:, None] // 16) is None
    assert _patterns(np.arange(34.0)[:, None] // 17) is not None


def test_an_interval_is_the_middle_95_percent() -> None:
    assert Means().interval(np.arange(1001.0)) == pytest.approx((25.0, 975.0))
    few_holes = np.r_[np.arange(1001.0), [np.nan] * 50]
    assert Means().interval(few_holes) == pytest.approx((25.0, 975.0))
    assert Means().interval(np.r_[np.arange(100.0), [np.nan] * 20]) is None


def test_too_many_undefined_replicates_make_no_interval() -> None:
    found = Means().measured(0.5, np.array([np.nan, 0.5]), prompts=9, n=3)
    assert (found.value, found.low, found.reason, found.n) == (0.5, None, TOO_OFTEN_UNDEFINED, 3)


def test_each_cell_has_its_own_ratio() -> None:
    prompt, cell = np.array([0, 1, 0, 1, 0]), np.array([0, 0, 1, 1, 1])
    top, bottom = np.array([1.0, 0, 1, 1, 0]), np.ones(5)
    found = cells_measured(Means(), prompt, cell, top, bottom, 3, "nothing")
    assert [m.value for m in found] == [0.5, pytest.approx(2 / 3), None]
    assert [m.n for m in found] == [2, 3, 0]
    assert found[2].reason == "nothing"
    empty = np.zeros(0, dtype=np.int64)
    nothing = cells_measured(Means(), empty, empty, np.zeros(0), np.zeros(0), 2, "nothing")
    assert [m.reason for m in nothing] == ["nothing", "nothing"]
