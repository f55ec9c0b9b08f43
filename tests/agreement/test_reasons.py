"""What is undefined, or has no interval, says so in words that name what is missing."""

from __future__ import annotations

from typing import Any

import by_hand
import pytest

from labelkit import plugins
from labelkit.agreement._bootstrap import FEW_PROMPTS, Means
from labelkit.agreement._collect import Collector
from labelkit.domain.models import Bundle, Completion, Message, Prompt, Ranking
from labelkit.plugins import Finding, Measured

Said = dict[str, str]
"""What the labelers said about one prompt: {name: "a > b = c"}."""


def measured(name: str, *prompts: Said, least: int = 1, gold: str = "", **more: Any) -> Finding:
    collector = Collector()
    for number, said in enumerate(prompts):
        rankings = [_ranking(f"{number}{who}", who, order, more) for who, order in said.items()]
        completions = tuple(Completion(uid, uid) for uid in "abcd")
        bundle = Bundle(Prompt(str(number), (Message("user", "?"),)), completions)
        collector.add(bundle, rankings, gold=[_tiers(gold)] if gold else [])
    return plugins.statistics.get(name).compute(collector.units(), Means(50, min_overlap=least))


def _tiers(order: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(tier.strip().split(" = ")) for tier in order.split(">"))


def _ranking(uid: str, who: str, order: str, more: Any) -> Ranking:
    name = who.rstrip("12")  # `ana2` is a second ranking by ana
    return Ranking(uid=uid, labeler=name, tiers=_tiers(order), **more)


def at(found: Finding, *path: str) -> Measured:
    for name in path:
        found = (found.parts if isinstance(found, Measured) else found)[name]
    assert isinstance(found, Measured)
    return found


def said(found: Finding, *path: str) -> tuple[float | None, int, str]:
    one = at(found, *path)
    if one.reason:
        assert (one.low, one.high) == (None, None)
    return (None if one.value is None else round(one.value, 4), one.n, one.reason)


ALONE: Said = {"ana": "a > b > c"}
SAME: Said = {"ana": "a > b > c", "ben": "a > b > c"}
TIED: Said = {"ana": "a = b = c", "ben": "a = b = c"}
APART: Said = {"ana": "a > b", "ben": "c > d"}


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_alpha(metric: str) -> None:
    unpaired = "no two labelers answered the same unit"
    same = "everybody gave the same answer everywhere: chance agreement is already complete"
    more: Any = {"ratings": {"a": 5}, "flags": {"a": ("x",)}}
    tied = measured("krippendorff-alpha", TIED, ALONE, **more)
    assert said(tied, "pairs", metric) == (None, 3, same)
    assert said(tied, "ratings") == (None, 1, same)
    assert said(tied, "flags", "x") == (1, 3, FEW_PROMPTS)
    alone = measured("krippendorff-alpha", ALONE, **more)
    for path in (("pairs", metric), ("ratings",), ("flags", "x")):
        assert said(alone, *path) == (None, 0, unpaired)
    assert said(measured("krippendorff-alpha", SAME), "pairs", metric) == (1, 3, FEW_PROMPTS)


def test_gwet() -> None:
    unpaired = "no two labelers answered the same unit"
    alone = measured("gwet", ALONE, ratings={"a": 5}, flags={"a": ("x",)})
    for path in (("pairs", "ac1"), ("pairs", "ac2"), ("ratings", "ac2"), ("flags", "x")):
        assert said(alone, *path) == (None, 0, unpaired)
    found = measured("gwet", SAME, SAME, ratings={"a": 5})
    assert said(found, "ratings", "ac2") == (None, 2, "there is only one answer to give")
    assert said(found, "pairs", "ac1") == (1, 6, "")
    assert said(measured("gwet", SAME), "pairs", "ac2") == (1, 3, FEW_PROMPTS)
    one_pair = {"ana": "a > b", "ben": "a > b"}
    assert said(measured("gwet", one_pair, one_pair), "pairs", "ac1") == (1, 2, "")
    assert said(measured("gwet", one_pair, ALONE), "pairs", "ac1")[1:] == (1, FEW_PROMPTS)


def test_cohens_kappa_of_labelers_who_share_too_little() -> None:
    found = measured("cohen-kappa", SAME, ALONE, least=4)
    few = "no two labelers share 4 units"
    assert said(found, "pairs") == said(found, "pairs_weighted") == (None, 0, few)
    blank = (None, 3, "only 3 shared, under 4")
    assert said(found, "pairs", "labelers", "ana", "ben") == blank
    assert said(found, "ratings_weighted") == (None, 0, few)
    assert said(measured("cohen-kappa", SAME, least=3), "pairs") == (1, 3, FEW_PROMPTS)


def test_cohens_kappa_of_labelers_who_always_say_the_same() -> None:
    found = measured("cohen-kappa", TIED, TIED, ratings={"a": 4})
    same = "both gave one and the same answer everywhere"
    for kind, n in {"pairs": 6, "pairs_weighted": 6, "ratings_weighted": 2}.items():
        assert said(found, kind) == (None, 0, same)
        assert said(found, kind, "labelers", "ana", "ben") == (None, n, same)


def test_cohens_kappa_is_the_mean_over_the_cells_that_have_one() -> None:
    """ana and ben agree, ben and cy tie everything they share, ana and cy share one pair."""
    one = {"ana": "a > b > c", "ben": "a > b > c"}
    two = {"ben": "a = b = c", "cy": "a = b = c"}
    three = {"ana": "a > b", "cy": "b > a"}
    found = measured("cohen-kappa", one, two, three, one, least=2)
    cells = at(found, "pairs").parts["labelers"]
    assert said(cells, "ana", "ben") == (1, 6, "")
    assert said(cells, "ben", "cy")[:2] == (None, 3)
    assert said(cells, "ana", "cy") == (None, 1, "only 1 shared, under 2")
    assert said(found, "pairs")[:2] == (1, 6)


def test_fleiss_kappa() -> None:
    assert said(measured("fleiss-kappa", ALONE)) == (
        None,
        0,
        "no two labelers judged the same pair",
    )
    uneven = {**SAME, "cy": "a > b"}
    assert said(measured("fleiss-kappa", uneven)) == (
        None,
        3,
        "pairs were judged by 2 to 3 labelers; it needs the same number everywhere: "
        "see Krippendorff's alpha",
    )
    same = "everybody gave the same answer everywhere"
    assert said(measured("fleiss-kappa", TIED, TIED)) == (None, 6, same)
    assert said(measured("fleiss-kappa", SAME)) == (1, 3, FEW_PROMPTS)


def test_tau_b() -> None:
    tied = "one of the two tied everything"
    assert said(measured("kendall-tau-b", APART)) == (
        None,
        0,
        "no two labelers judged the same pair",
    )
    nothing = measured("kendall-tau-b", TIED, TIED)
    assert said(nothing) == said(nothing, "labelers", "ana", "ben") == (None, 0, tied)
    some = measured("kendall-tau-b", SAME, TIED, SAME)
    assert said(some, "labelers", "ana", "ben") == (1, 2, "")
    whole = at(some)
    assert (whole.value, whole.low, whole.high, whole.n) == (1, 1, 1, 2)
    assert whole.reason == f"1 of 3 left out: {tied}"
    assert said(measured("kendall-tau-b", SAME, TIED)) == (
        1,
        1,
        f"{FEW_PROMPTS}; 1 of 2 left out: {tied}",
    )
    assert said(measured("kendall-tau-b", SAME, SAME)) == (1, 2, "")


def test_w() -> None:
    no_set = "no three labelers ranked the same set of completions"
    assert said(measured("kendall-w", SAME, {**SAME, "cy": "a > b"})) == (None, 0, no_set)
    assert said(measured("kendall-w", {**SAME, "ana2": "c > b > a"})) == (None, 0, no_set)
    tied = {**TIED, "cy": "a = b = c"}
    assert said(measured("kendall-w", tied)) == (None, 0, "everybody tied everything")
    assert said(measured("kendall-w", {**SAME, "cy": "a > b > c"})) == (1, 1, FEW_PROMPTS)


def test_w_of_sets_that_more_and_fewer_labelers_ranked() -> None:
    three = {"ana": "a > b > c", "ben": "a > c > b", "cy": "b > a > c"}
    four = {**three, "di": "c > b = a"}
    ranks = [[1.0, 2, 3], [1, 3, 2], [2, 1, 3]]
    small, large = by_hand.kendall_w(ranks), by_hand.kendall_w([*ranks, [2.5, 2.5, 1]])
    assert small is not None
    assert large is not None
    found = at(measured("kendall-w", three, four, {"ana": "a > b", "ben": "b > a"}))
    assert (found.value, found.n) == (pytest.approx((small + large) / 2), 2)
    assert (found.low, found.high) == (pytest.approx(large), pytest.approx(small))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("leave-one-out", "nobody else judged the same pairs"),
        ("gold", "no gold ranking covers what was judged"),
        ("intra", "nobody judged the same pair twice"),
    ],
)
def test_labelers_with_nothing_to_be_held_against(name: str, reason: str) -> None:
    found = measured(name, ALONE, {"ben": "c > d"})
    assert said(found) == (None, 0, reason)
    assert said(found, "labelers", "ana") == said(found, "labelers", "ben") == (None, 0, reason)


def test_gold_covers_what_it_covers() -> None:
    found = measured("gold", {"ana": "a > b > c", "ben": "b > a"}, APART, gold="b > a > d")
    assert said(found, "labelers", "ana") == (0.0, 2, "")
    assert said(found, "labelers", "ben") == (1.0, 1, FEW_PROMPTS)
    assert said(found)[:2] == (round(1 / 3, 4), 3)


def test_a_second_word_is_held_against_the_first() -> None:
    found = measured("intra", {"ana": "a > b > c", "ana2": "a > b = c"}, ALONE)
    assert said(found, "labelers", "ana") == (round(2.5 / 3, 4), 3, FEW_PROMPTS)
