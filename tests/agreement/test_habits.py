"""Chance, habits and consistency, case by case."""

from __future__ import annotations

from math import comb

import pytest

from labelkit.agreement._chance import binomial_tail, chi_square_tail
from labelkit.agreement._habits import Habits, shown_of
from labelkit.agreement._transitive import consistency
from labelkit.domain.models import Ranking, Tiers


@pytest.mark.parametrize(
    ("df", "x"),
    [(1, 3.841459), (2, 5.991465), (3, 7.814728), (4, 9.487729), (7, 14.067140), (8, 15.507313)],
)
def test_chi_square_has_its_tabled_five_percent(df: int, x: float) -> None:
    assert chi_square_tail(x, df) == pytest.approx(0.05, abs=1e-7)
    assert chi_square_tail(0, df) == pytest.approx(1.0)


def test_binomial_tail() -> None:
    for successes in range(8):
        ways = sum(comb(7, k) * 3 ** (7 - k) for k in range(successes, 8))
        assert binomial_tail(successes, 7, 0.25) == pytest.approx(ways / 4**7)
    assert max(binomial_tail(1, n, p / 99) for n in range(9, 99) for p in range(98)) == 1.0
    assert binomial_tail(0, 5, 0.5) == 1.0
    assert binomial_tail(5, 5, 0.5) == pytest.approx(1 / 32)
    assert binomial_tail(4, 5, 0.5) == pytest.approx(6 / 32)
    assert binomial_tail(1, 5, 0.0) == 0.0
    assert binomial_tail(3, 5, 1.0) == 1.0


def ranked(tiers: Tiers, **more: object) -> Ranking:
    return Ranking(uid=str(tiers), labeler="ana", tiers=tiers, **more)  # type: ignore[arg-type]


LENGTHS = dict.fromkeys("abcd", 100)


def habits(*rankings: Ranking, prompt: int = 0) -> Habits:
    found = Habits()
    for one in rankings:
        found.add(one, LENGTHS, prompt)
    return found


def test_hurried_is_faster_than_five_seconds_or_40_characters_a_second() -> None:
    tiers = (("a",), ("b",))
    assert habits(ranked(tiers, seconds=4.9)).hurried.value == 1
    assert habits(ranked(tiers, seconds=5.0)).hurried.value == 0
    assert habits(ranked(tiers, seconds=9.9), prompt=200).hurried.value == 1
    assert habits(ranked(tiers, seconds=10.0), prompt=200).hurried.value == 0
    none = habits(ranked(tiers))
    assert (none.hurried.value, none.median_seconds) == (None, None)
    both = habits(ranked(tiers, seconds=10.0), ranked(tiers, seconds=30.0))
    assert (both.median_seconds, both.rankings) == (20, 2)


def test_all_tied() -> None:
    assert habits(ranked((("a", "b"),))).tied.value == 1
    assert habits(ranked((("a", "b"), ("c",)))).tied.value == 0
    assert habits(ranked((("a",),), unranked=("b",))).tied.n == 0


def test_copies_of_the_order_shown() -> None:
    strict = (("a",), ("b",), ("c",))
    assert habits(ranked(strict, shown=("a", "b", "c"))).copied.value == 1
    assert habits(ranked(strict, shown=("c", "b", "a"))).copied.value == 1
    assert habits(ranked(strict, shown=("b", "a", "c"))).copied.value == 0
    assert habits(ranked((("a", "b"), ("c",)), shown=("a", "b", "c"))).copied.value == 0
    found = habits(ranked(strict, shown=("a", "d", "b", "c"), unranked=("d",)))
    assert (found.copied.value, found.by_chance) == (1, pytest.approx(1 / 3))
    assert habits(ranked(strict)).copied.n == 0
    twice = habits(*[ranked(strict, shown=("a", "b", "c"))] * 2)
    assert (twice.copied.n, twice.by_chance) == (2, pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("tiers", "shown", "found"),
    [
        ((("b",), ("a",)), "ab", ["a", "b"]),
        ((("b",), ("a",)), "acb", ["a", "b"]),  # c was shown and not placed
        ((("b",), ("a",)), "", []),
        ((("b",), ("a",)), "a", []),  # known only in part
        ((("a",),), "ab", []),  # one alone
    ],
)
def test_the_order_shown_is_known_whole_or_not_at_all(
    tiers: Tiers, shown: str, found: list[str]
) -> None:
    assert shown_of(ranked(tiers, shown=tuple(shown))) == found


def test_first_places_by_position() -> None:
    one = ranked((("b", "c"), ("a",)), shown=("a", "b", "c"))
    found = habits(one)
    assert dict(found.firsts) == {1: 0.5, 2: 0.5}
    assert dict(found.fair) == {p: pytest.approx(1 / 3) for p in range(3)}
    assert found.position_effect() is None
    many = habits(*[ranked((("a",), ("b",)), shown=("a", "b"))] * 10)
    assert many.position_effect() == (10.0, 1)


def test_pairs_ranked_against_their_ratings() -> None:
    tiers = (("a",), ("b", "c"))
    found = habits(ranked(tiers, ratings={"a": 3, "b": 5, "c": 3})).contradicted
    assert (found.part, found.n) == (1, 2)


def test_circles_and_pairs_turned_round() -> None:
    circle = [ranked((("a",), ("b",))), ranked((("b",), ("c",))), ranked((("c",), ("a",)))]
    assert consistency(circle).circle
    assert not consistency(circle[:2]).circle
    tie = [*circle[:2], ranked((("a", "c"),))]
    assert not consistency(tie).circle
    again = consistency([*circle[:1], ranked((("b",), ("a",))), ranked((("a", "b"),))])
    assert (again.again, again.opposite, again.circle) == (2, 1, False)
