"""Pairwise agreement and agreement with gold, counted one by one."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.agreement._units import Judgements
from labelkit.agreement.gold import against_gold
from labelkit.agreement.pairwise import ALL_TIED, NOTHING_SHARED, pairwise

some_pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(6, 12)), unique=True)
VALUE = st.sampled_from([-1, 0, 1])


def judged(said: list[dict[int, int]], pairs: Any = None) -> Judgements:
    """Judgements from the answers of each unit by labeler, every unit of a prompt of its own."""
    rows = [(u, who, v) for u, unit in enumerate(said) for who, v in sorted(unit.items())]
    unit, labeler, value = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    named = [(0, 1)] * len(said) if pairs is None else pairs
    table = np.array(named, dtype=np.int64).reshape(-1, 2)
    return Judgements(unit, labeler, value, np.arange(len(said)), table)


def test_each_rule_counts_what_it_says() -> None:
    found = pairwise(judged([{0: 1, 1: 1, 2: -1}, {0: 0, 1: 1}, {0: 0, 1: 0}, {0: 1, 1: -1}]))
    counted = {rule: (x.agree, x.n, x.reason) for rule, x in found.items()}
    assert counted == {"category": (2, 6, ""), "drop": (1, 4, ""), "half": (2.5, 6, "")}
    assert [found[rule].value for rule in found] == pytest.approx([2 / 6, 1 / 4, 2.5 / 6])
    assert found["drop"].as_json()["agree"] == 1
    assert isinstance(found["drop"].as_json()["agree"], int)
    low, high = found["drop"].low, found["drop"].high
    assert found["drop"].as_json() == {"agree": 1, "n": 4, "rate": 0.25, "low": low, "high": high}
    assert (low, high) == (0, pytest.approx(1 / 3))
    assert found["half"].as_json()["agree"] == 2.5
    assert "reason" not in found["half"].as_json()


def test_the_reason_is_that_all_tied_or_that_nothing_is_shared() -> None:
    tied = pairwise(judged([{0: 0, 1: 0}]))
    assert (tied["drop"].value, tied["drop"].reason) == (None, ALL_TIED)
    assert (tied["category"].value, tied["half"].value) == (1, 1)
    alone = pairwise(judged([{0: 1}, {1: 1}]))
    for rule in ("category", "half"):
        assert (alone[rule].value, alone[rule].reason, alone[rule].n) == (None, NOTHING_SHARED, 0)
        assert alone[rule].as_json()["reason"] == NOTHING_SHARED


@given(some_pairs, some_pairs, st.data())
def test_gold_is_found_by_its_pair(mine: Any, known: Any, data: st.DataObject) -> None:
    said = [{who: data.draw(VALUE) for who in range(data.draw(st.integers(1, 3)))} for _ in mine]
    right = [{0: data.draw(VALUE)} for _ in known]
    judgements, gold = judged(said, mine), judged(right, known)
    rows, values = against_gold(judgements, gold)
    answer = {pair: unit[0] for pair, unit in zip(known, right, strict=True)}
    wanted = [
        (row, answer[mine[unit]])
        for row, unit in enumerate(judgements.unit.tolist())
        if mine[unit] in answer
    ]
    assert list(zip(rows.tolist(), values.tolist(), strict=True)) == wanted


def test_gold_may_stand_in_any_order() -> None:
    judgements = judged([{0: 1}, {0: 0}, {0: -1}], [(0, 7), (2, 3), (5, 6)])
    gold = judged([{0: 0}, {0: 1}, {0: -1}], [(5, 6), (2, 4), (0, 7)])
    rows, values = against_gold(judgements, gold)
    assert (rows.tolist(), values.tolist()) == ([0, 2], [-1, 0])
    known = [(0, 7), (1, 2), (2, 3), (2, 4), (5, 6)]
    for order in permutations(range(5)):
        gold = judged([{0: i % 3 - 1} for i in order], [known[i] for i in order])
        rows, values = against_gold(judged([{0: 1}] * 5, known), gold)
        assert (rows.tolist(), values.tolist()) == ([0, 1, 2, 3, 4], [-1, 0, 1, -1, 0])


def test_every_two_of_a_unit_are_compared_once() -> None:
    said = dict(enumerate([1, -1, 0, 1, 1, -1, 0, 0]))
    couples = list(combinations(said.values(), 2))
    found = pairwise(judged([said]))["category"]
    assert (found.n, found.agree) == (len(couples), sum(a == b for a, b in couples))
