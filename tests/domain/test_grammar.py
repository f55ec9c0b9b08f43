"""The ranking grammar reads back what it writes, and says what to type instead."""

from __future__ import annotations

import pytest
from helpers import tiers_of
from hypothesis import given
from hypothesis import strategies as st

from labelkit.domain.grammar import LETTERS, OrderError, format_order, parse_order


@st.composite
def index_tiers(draw: st.DrawFn) -> tuple[list[list[int]], list[int], int]:
    k = draw(st.integers(2, 9))
    everyone = draw(st.permutations(range(k)))
    placed = everyone[: draw(st.integers(1, k))]
    tiers = draw(tiers_of([str(i) for i in placed]))
    return [[int(i) for i in tier] for tier in tiers], sorted(everyone[len(placed) :]), k


@given(index_tiers())
def test_what_is_written_is_read_back(case: tuple[list[list[int]], list[int], int]) -> None:
    tiers, unranked, k = case
    assert parse_order(format_order(tiers, unranked), k) == ([sorted(t) for t in tiers], unranked)


@given(index_tiers())
def test_case_and_spaces_do_not_matter(case: tuple[list[list[int]], list[int], int]) -> None:
    tiers, unranked, k = case
    text = format_order(tiers, unranked)
    assert parse_order(text.lower().replace(" ", ""), k) == parse_order(text, k)


@pytest.mark.parametrize(
    ("text", "tiers"),
    [
        ("C > A = B > D", [[2], [0, 1], [3]]),
        ("ca=bd", [[2], [0, 1], [3]]),
        ("c a = b d", [[2], [0, 1], [3]]),
        ("c,a=b,d", [[2], [0, 1], [3]]),
        ("A=B=C=D", [[0, 1, 2, 3]]),
        ("  d>c>b>a\n", [[3], [2], [1], [0]]),
        ("C ≻ A ~ B ≻ D", [[2], [0, 1], [3]]),
    ],
)
def test_ways_to_write_a_ranking(text: str, tiers: list[list[int]]) -> None:
    assert parse_order(text, 4) == (tiers, [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A > B", "completion C, D is not placed (or set it aside after a slash: / C D)"),
        ("A > B / C", "completion D is not placed"),
        ("A > B > C > D > A", "completion A appears twice"),
        ("A > B > C / C D", "completion C appears twice"),
        ("A > B > C > E", "there is no completion E: this task has A to D"),
        ("", "nothing is placed"),
        ("   ", "nothing is placed"),
        ("/ *", "nothing is placed"),
        ("A > > B > C > D", "write one letter between"),
        ("A = = B > C > D", "write one letter between"),
        ("A > B > C > 1", "there is no completion 1"),
        ("> A > B > C > D", "write one letter between"),
    ],
)
def test_refusals_say_what_to_type(text: str, reason: str) -> None:
    with pytest.raises(OrderError) as caught:
        parse_order(text, 4)
    assert str(caught.value).startswith(reason)


def test_there_are_letters_for_nine() -> None:
    assert parse_order(">".join(LETTERS), 9)[0] == [[i] for i in range(9)]
