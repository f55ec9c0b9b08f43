"""The fast statistics give what their definitions give, on anything."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import by_hand
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.agreement._bootstrap import Means
from labelkit.agreement._consensus_of_others import half_agreement, others
from labelkit.agreement._units import Answers, Judgements
from labelkit.agreement.cohen_kappa import cohen_kappa, disagreement_of
from labelkit.agreement.fleiss_kappa import fleiss_kappa
from labelkit.agreement.gwet import ONE_VALUE, gwet_ac
from labelkit.agreement.gwet import measure as measure_gwet
from labelkit.agreement.kendall_tau_b import kendall_tau_b
from labelkit.agreement.kendall_w import kendall_w, mid_ranks
from labelkit.agreement.krippendorff_alpha import krippendorff_alpha
from labelkit.agreement.krippendorff_alpha import measure as measure_alpha

VALUES = (-1, 0, 1)
answers = st.dictionaries(
    st.integers(0, 7), st.dictionaries(st.integers(0, 4), st.sampled_from(VALUES)), min_size=1
)
places = st.lists(st.integers(0, 4), min_size=2, max_size=6)
close = lambda x: None if x is None else pytest.approx(x, abs=1e-9)  # noqa: E731


def table(said: by_hand.Answers, values: Any = VALUES) -> Any:
    return np.array([[list(u.values()).count(v) for v in values] for u in said.values()])


@given(answers)
def test_alpha(said: by_hand.Answers) -> None:
    assert krippendorff_alpha(table(said)) == close(by_hand.alpha(said, by_hand.nominal))
    wanted = by_hand.alpha(said, by_hand.interval)
    assert krippendorff_alpha(table(said), "interval", VALUES) == close(wanted)
    wanted = by_hand.alpha(said, by_hand.ordinal(said))
    assert krippendorff_alpha(table(said), "ordinal") == close(wanted)


@given(answers)
def test_alpha_on_pairs_replaces_the_totals_of_both_signs_by_their_mean(
    said: by_hand.Answers,
) -> None:
    """From the definition: the expected part of the doubled data, over n (n - 1) of the plain."""
    units = by_hand.pairable(said)
    values = [v for unit in units for v in unit]
    n = len(values)
    total = {v: (values.count(v) + values.count(-v)) / 2 for v in VALUES}
    observed = sum(
        (a != b) / (len(u) - 1) for u in units for i, a in enumerate(u) for b in u[:i] + u[i + 1 :]
    )
    expected = sum(total[a] * total[b] for a in VALUES for b in VALUES if a != b)
    wanted = 1 - observed * (n - 1) / expected if expected else None
    assert krippendorff_alpha(table(said), turn=True) == close(wanted)


@given(st.data())
def test_nothing_on_pairs_depends_on_which_completion_is_written_first(data: st.DataObject) -> None:
    said = data.draw(answers)
    flips = {unit: data.draw(st.sampled_from([-1, 1])) for unit in said}
    other = {u: {w: flips[u] * v for w, v in s.items()} for u, s in said.items()}
    for metric in ("nominal", "ordinal", "interval"):
        one = krippendorff_alpha(table(said), metric, VALUES, turn=True)
        assert krippendorff_alpha(table(other), metric, VALUES, turn=True) == close(one)


@given(answers.filter(lambda s: any(len(u) > 1 for u in s.values())))
def test_gwet(said: by_hand.Answers) -> None:
    rules: dict[Any, Any] = {
        "identity": lambda a, b: float(a == b),
        "linear": lambda a, b: 1 - abs(a - b) / 2,
        "quadratic": lambda a, b: 1 - (a - b) ** 2 / 4,
    }
    for weights, good in rules.items():
        found = gwet_ac(table(said), weights, VALUES)
        assert found == close(by_hand.gwet(said, VALUES, good))


@given(st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)), min_size=1))
def test_cohen(pairs: list[tuple[int, int]]) -> None:
    crossed = np.zeros((3, 3))
    for a, b in pairs:
        crossed[a + 1, b + 1] += 1
    assert cohen_kappa(crossed) == close(by_hand.cohen(pairs, by_hand.nominal))
    linear = by_hand.cohen(pairs, lambda a, b: abs(a - b))
    assert cohen_kappa(crossed, disagreement_of("linear", VALUES)) == close(linear)
    squared = by_hand.cohen(pairs, by_hand.interval)
    assert cohen_kappa(crossed, disagreement_of("quadratic", VALUES)) == close(squared)


@given(st.integers(2, 4).flatmap(lambda m: st.lists(
    st.lists(st.sampled_from(VALUES), min_size=m, max_size=m), min_size=1, max_size=6
)))  # fmt: skip
def test_fleiss(units: list[list[int]]) -> None:
    said = {i: dict(enumerate(unit)) for i, unit in enumerate(units)}
    assert fleiss_kappa(table(said)) == close(by_hand.fleiss(units))


@given(st.data())
def test_tau_b_and_w(data: st.DataObject) -> None:
    k = data.draw(st.integers(2, 6))
    ranking = st.lists(st.integers(0, 3), min_size=k, max_size=k)
    rankings = data.draw(st.lists(ranking, min_size=2, max_size=5))
    for x, y in combinations(rankings, 2):
        assert kendall_tau_b(x, y) == close(by_hand.tau_b(x, y))
    assert kendall_w(np.array(rankings)) == close(by_hand.kendall_w(rankings))
    assert mid_ranks(np.array(rankings)).tolist() == [by_hand.mid_ranks(r) for r in rankings]


def test_undefined_is_none() -> None:
    alone = np.array([[1, 0], [0, 1]])
    agreed = np.array([[2, 0], [3, 0]])
    assert krippendorff_alpha(alone) is None
    assert krippendorff_alpha(agreed) is None
    assert krippendorff_alpha(np.zeros((0, 3), dtype=int)) is None
    assert gwet_ac(alone) is None
    assert gwet_ac(agreed) == 1.0
    assert gwet_ac(np.array([[2], [3]])) is None
    assert cohen_kappa(np.array([[5, 0], [0, 0]])) is None
    assert cohen_kappa(np.zeros((2, 2))) is None
    assert fleiss_kappa(np.array([[2, 0], [2, 1]])) is None
    assert fleiss_kappa(np.array([[1, 0], [0, 1]])) is None
    assert fleiss_kappa(np.array([[2, 0], [2, 0]])) is None
    assert kendall_tau_b([1, 1, 1], [1, 2, 3]) is None
    assert kendall_tau_b([1, 2, 3], [1, 1, 1]) is None
    assert kendall_w(np.array([[1, 1], [2, 2], [1, 1]])) is None


def test_counts_of_answers() -> None:
    said = Answers(
        unit=np.array([0, 0, 2]),
        labeler=np.array([0, 1, 0]),
        value=np.array([-1, 1, 1]),
        unit_prompt=np.array([0, 0, 1]),
    )
    assert said.counts(VALUES).tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 1]]


def test_values_need_not_be_evenly_spaced() -> None:
    """A scale of 1, 2 and 7: how far two values agree goes by their numbers, not their places."""
    scale = (1, 2, 7)
    said: by_hand.Answers = {0: {0: 1, 1: 2}, 1: {0: 7, 1: 1}, 2: {0: 7, 1: 7}, 3: {0: 2}}
    wanted = by_hand.gwet(said, scale, lambda a, b: 1 - abs(a - b) / 6)
    assert gwet_ac(table(said, scale), "linear", scale) == close(wanted)
    assert gwet_ac(table(said, scale), "linear") != close(wanted)
    wanted_alpha = by_hand.alpha(said, by_hand.interval)
    assert krippendorff_alpha(table(said, scale), "interval", scale) == close(wanted_alpha)
    assert krippendorff_alpha(table(said, scale), "interval") != close(wanted_alpha)


@given(answers)
def test_alpha_by_ratio_counts_two_zeros_as_the_same(said: by_hand.Answers) -> None:
    shifted = {u: {w: v + 1 for w, v in s.items()} for u, s in said.items()}  # 0, 1, 2
    wanted = by_hand.alpha(shifted, lambda a, b: ((a - b) / (a + b)) ** 2 if a + b else 0.0)
    assert krippendorff_alpha(table(shifted, (0, 1, 2)), "ratio", (0, 1, 2)) == close(wanted)
    assert krippendorff_alpha(table(shifted, (0, 1, 2)), "ratio") == close(wanted)


def test_alpha_from_answers_on_an_uneven_scale() -> None:
    """Two prompts, whose interval reaches from the alpha of one to that of the other."""
    unit, labeler, value = np.array([[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [1, 2, 7, 7, 7, 1]])
    answers = Answers(unit, labeler, value, np.array([0, 0, 1]))
    scale, counts = (1, 2, 7), np.array([[1, 1, 0], [0, 0, 2], [1, 0, 1]])
    found = measure_alpha(answers, scale, ["interval", "ordinal"], Means(replicates=200))
    for metric in ("interval", "ordinal"):
        assert found[metric].value == close(krippendorff_alpha(counts, metric, scale))
        ends = [krippendorff_alpha(counts[rows], metric, scale) for rows in ([0, 1, 0, 1], [2, 2])]
        assert [found[metric].high, found[metric].low] == [
            pytest.approx(end, abs=1e-6) for end in ends
        ]


def test_ranks_may_be_unsigned() -> None:
    """Whatever numpy makes of 1 - 2 in whole numbers without a sign."""
    one, two = [1, 2, 3, 3], [2, 1, 3, 4]
    unsigned: Any = [np.array(ranks, dtype=np.uint8) for ranks in (one, two)]
    assert kendall_tau_b(*unsigned) == close(by_hand.tau_b(one, two))


@given(answers)
def test_leave_one_out(said: by_hand.Answers) -> None:
    rows = [(u, who, v) for u, unit in enumerate(said.values()) for who, v in sorted(unit.items())]
    unit, labeler, value = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    n = len(said)
    judged = Judgements(unit, labeler, value, np.arange(n), np.zeros((n, 2), dtype=np.int64))
    kept, consensus = others(judged)
    agree = half_agreement(value[kept], consensus)
    for who in range(5):
        mine = labeler[kept] == who
        assert (agree[mine].sum(), mine.sum()) == close_pair(by_hand.leave_one_out(said, who))


def close_pair(pair: tuple[float, int]) -> Any:
    return (pytest.approx(pair[0]), pair[1])


@pytest.mark.parametrize("weights", ["identity", "linear", "quadratic"])
def test_gwet_from_answers_on_an_uneven_scale(weights: Any) -> None:
    """Two prompts; a unit that one labeler answered, and one that nobody did."""
    scale = (1, 2, 7)
    unit, labeler, value = np.array([[0, 0, 1, 1, 1, 2], [0, 1, 0, 1, 2, 0], [1, 2, 7, 7, 2, 1]])
    answers = Answers(unit, labeler, value, np.array([0, 0, 1, 1]))
    found = measure_gwet(answers, scale, weights, Means(replicates=20))
    counts = np.array([[1, 1, 0], [0, 1, 2], [1, 0, 0]])
    assert found.value == close(gwet_ac(counts, weights, scale))
    assert found.n == 2


def test_gwet_of_one_possible_answer_has_an_n_and_a_reason() -> None:
    answers = Answers(np.array([0, 0]), np.array([0, 1]), np.array([1, 1]), np.array([0]))
    found = measure_gwet(answers, (1,), "identity", Means(replicates=20))
    assert (found.value, found.n, found.reason) == (None, 1, ONE_VALUE)


def test_lists_do_as_well_as_arrays() -> None:
    """In a notebook nobody should have to think of the type of a table."""
    counts = [[3, 0, 0], [1, 2, 0], [0, 1, 2], [0, 0, 3]]
    for statistic in (krippendorff_alpha, fleiss_kappa, gwet_ac):
        assert statistic(counts) == statistic(np.array(counts)) is not None
    ranks = [[1, 2, 2], [1, 3, 2]]
    assert kendall_w(ranks) == kendall_w(np.array(ranks)) is not None
    table = [[3, 1], [0, 4]]
    assert cohen_kappa(table) == cohen_kappa(np.array(table)) is not None
