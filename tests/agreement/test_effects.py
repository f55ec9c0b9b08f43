"""Place and length: what the desk does to judgements, counted by hand."""

from __future__ import annotations

import pytest

from labelkit.agreement._bootstrap import FEW_PROMPTS, Means
from labelkit.agreement._effects import NO_PREFERENCE, Effects
from labelkit.domain.models import Ranking, Tiers

LENGTHS = {"a": 100, "b": 100, "c": 110, "d": 125, "e": 500}
BINS = ["up to 1.1 x", "1.1 to 1.25 x", "1.25 to 1.5 x", "1.5 to 2 x", "2 to 4 x", "over 4 x"]


def ranked(tiers: Tiers, shown: str = "") -> Ranking:
    return Ranking(uid=str(tiers), labeler="ana", tiers=tiers, shown=tuple(shown))


def strict(order: str, shown: str = "") -> Ranking:
    return ranked(tuple((uid,) for uid in order), shown)


def effects(*said: tuple[int, Ranking]) -> Effects:
    found = Effects()
    for prompt, ranking in said:
        found.add(prompt, ranking, LENGTHS)
    return found


def test_first_places_won_over_first_places_due() -> None:
    found = effects(
        (0, strict("abc", shown="abc")),
        (1, strict("bac", shown="bac")),
        (1, ranked((("a", "c"), ("b",)), shown="abc")),
        (2, strict("ab", shown="ba")),
    ).positions(Means(200))
    due = 3 * 1 / 3 + 1 / 2
    assert {name: (m.value, m.n) for name, m in found.items()} == {
        "A": (pytest.approx(2.5 / due), 4),
        "B": (pytest.approx(1 / due), 4),
        "C": (pytest.approx(0.5), 3),
    }
    assert found["A"].low == pytest.approx(0)
    assert found["A"].high == pytest.approx(3)


def test_places_of_rankings_whose_order_shown_is_not_known_are_not_counted() -> None:
    assert effects((0, strict("abc"))).positions(Means()) == {}
    assert effects().positions(Means()) == {}


def test_first_places_on_one_prompt_have_no_interval() -> None:
    found = effects((0, strict("ab", shown="ab"))).positions(Means())
    assert (found["A"].value, found["B"].value) == (2, 0)
    assert (found["A"].low, found["A"].reason, found["A"].n) == (None, FEW_PROMPTS, 1)


def test_how_often_the_longer_text_is_preferred_by_how_much_longer_it_is() -> None:
    found = effects(
        (0, strict("ca")),  # 1.1 x, the longer one
        (1, strict("ac")),  # 1.1 x, the shorter one
        (2, strict("da")),  # 1.25 x
        (2, strict("ae")),  # 5 x, the shorter one
        (3, strict("ed")),  # 4 x
        (3, ranked((("a", "e"),))),  # a tie says nothing
        (3, strict("ab")),  # nor do texts of the same length
    ).lengths(Means(300))
    assert list(found) == BINS
    assert {name: (m.value, m.n) for name, m in found.items() if m.n} == {
        "up to 1.1 x": (0.5, 2),
        "1.1 to 1.25 x": (1.0, 1),
        "2 to 4 x": (1.0, 1),
        "over 4 x": (0.0, 1),
    }
    assert (found["up to 1.1 x"].low, found["up to 1.1 x"].high) == (0, 1)
    assert (found["1.5 to 2 x"].value, found["1.5 to 2 x"].reason) == (None, NO_PREFERENCE)


@pytest.mark.parametrize(
    ("longer", "name"),
    [
        (101, BINS[0]),
        (111, BINS[1]),
        (126, BINS[2]),
        (151, BINS[3]),
        (201, BINS[4]),
        (401, BINS[5]),
    ],
)
@pytest.mark.parametrize("wins", [True, False])
def test_bins_end_with_their_upper_bound(longer: int, name: str, wins: bool) -> None:
    found = Effects()
    found.add(0, strict("yx" if wins else "xy"), {"x": 100, "y": longer})
    assert {bin: m.value for bin, m in found.lengths(Means()).items() if m.n} == {name: float(wins)}
