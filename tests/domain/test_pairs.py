"""Rankings become pairs: counts by definition, votes, margins and schemes."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from helpers import ranking, record, tiers_of
from hypothesis import given
from hypothesis import strategies as st

from labelkit.domain.models import Bundle
from labelkit.domain.pairs import Pair, PairOptions, comparisons, expand, fold
from labelkit.domain.records import from_record
from labelkit.errors import UsageError
from labelkit.services.export_options import parse_scheme

LETTERS = "abcdefghi"


def bundle(k: int, *rankings: dict[str, Any], **more: Any) -> Bundle:
    return from_record(record(k=k, rankings=list(rankings), **more)).bundle


def expanded(b: Bundle, **options: Any) -> tuple[list[Pair], Counter[str]]:
    counts: Counter[str] = Counter()
    return expand(b, PairOptions(**options), counts), counts


def named(b: Bundle, pairs: list[Pair]) -> list[str]:
    """Pairs as `a>b`, by the names the record used."""
    names = {c.uid: c.name for c in b.completions}
    return sorted(f"{names[p.chosen]}>{names[p.rejected]}" for p in pairs)


@pytest.mark.parametrize(
    ("tiers", "pairs", "ties"),
    [  # the cases of InstructGPT's C.2: ties are dropped
        ("a > b > c > d", 6, 0),
        ("a = b > c > d", 5, 1),
        ("a = b = c = d", 0, 6),
        ("b > a = c > d = e", 8, 2),
        ("a > b > c > d > e > f > g > h > i", 36, 0),
    ],
)
def test_pairs_by_definition(tiers: str, pairs: int, ties: int) -> None:
    k = sum(c.isalpha() for c in tiers)
    found, counts = expanded(bundle(k, ranking("ana", tiers)))
    assert (len(found), counts["ties"], counts["comparisons"]) == (pairs, ties, k * (k - 1) // 2)
    assert all((p.k, p.n_pairs) == (k, pairs) for p in found)


@given(tiers_of(list(LETTERS)))
def test_comparisons_are_every_pair_once(tiers: list[list[str]]) -> None:
    place = {name: i for i, tier in enumerate(tiers) for name in tier}
    found = {(a, b): value for a, b, value in comparisons(tuple(map(tuple, tiers)))}
    assert set(found) == set(combinations(LETTERS, 2))
    for (a, b), value in found.items():
        assert value == (place[a] < place[b]) - (place[a] > place[b])


@given(
    st.lists(tiers_of(list("abcde")), min_size=1, max_size=4), st.sampled_from(["majority", "each"])
)
def test_no_tie_and_no_self_and_majority_never_both_ways(
    orders: list[list[list[str]]], labels: str
) -> None:
    rankings = [{"labeler": f"l{i}", "tiers": tiers} for i, tiers in enumerate(orders)]
    b = bundle(5, *rankings)
    pairs, counts = expanded(b, labels=labels)
    found = [(p.chosen, p.rejected) for p in pairs]
    assert all(x != y for x, y in found)
    assert counts["pairs"] == len(pairs)
    if labels == "majority":
        assert len(set(found)) == len(found)
    else:
        accounted = len(pairs) + counts["ties"] + counts["contradictory"]
        assert accounted == counts["comparisons"]
    assert not {(y, x) for x, y in found} & set(found)


@given(st.lists(tiers_of(list("abcd")), min_size=1, max_size=4), st.permutations("abcd"))
def test_names_mean_nothing(orders: list[list[list[str]]], other: list[str]) -> None:
    """Calling the same texts by other names gives the same pairs of texts."""
    texts = {name: f"text {name}" for name in "abcd"}
    new = dict(zip("abcd", other, strict=True))

    def pairs_of(rename: dict[str, str]) -> set[tuple[str, str]]:
        b = from_record(
            {
                "prompt": "p",
                "completions": [{"id": rename[n], "text": t} for n, t in texts.items()],
                "rankings": [
                    {"labeler": f"l{i}", "tiers": [[rename[n] for n in t] for t in tiers]}
                    for i, tiers in enumerate(orders)
                ],
            }
        ).bundle
        return {(b.texts()[p.chosen], b.texts()[p.rejected]) for p in expanded(b)[0]}

    assert pairs_of({n: n for n in "abcd"}) == pairs_of(new)


def test_majority_goes_the_way_more_labelers_chose() -> None:
    b = bundle(3, ranking("x", "a > b > c"), ranking("y", "a > c > b"), ranking("z", "b > a = c"))
    pairs, counts = expanded(b)
    assert named(b, pairs) == ["a>b", "a>c", "b>c"]
    assert counts["ties"] == 1
    assert counts["no_majority"] == 0


def test_a_draw_makes_no_pair_and_ties_count_for_neither() -> None:
    b = bundle(2, ranking("x", "a > b"), ranking("y", "b > a"))
    assert expanded(b)[1]["no_majority"] == 1
    b = bundle(2, ranking("x", "a > b"), ranking("y", "a = b"), ranking("z", "a = b"))
    assert named(b, expanded(b)[0]) == ["a>b"]


@pytest.mark.parametrize(("least", "kept"), [(0.0, 1), (0.6, 1), (0.67, 1), (0.68, 0), (1.0, 0)])
def test_min_majority_is_compared_to_the_percent(least: float, kept: int) -> None:
    b = bundle(2, ranking("x", "a > b"), ranking("y", "a > b"), ranking("z", "b > a"))
    assert len(expanded(b, min_majority=least)[0]) == kept


def test_a_labeler_is_heard_once() -> None:
    first = ranking("x", "a > b", submitted_at="2026-01-01T00:00:00Z")
    later = ranking("x", "b > a", submitted_at="2026-01-02T00:00:00Z", repeat=True)
    b = bundle(2, later, first)
    pairs, counts = expanded(b)
    assert named(b, pairs) == ["a>b"]
    assert counts["repeated"] == 1


def test_without_times_the_file_decides_which_came_first() -> None:
    b = bundle(2, ranking("x", "b > a"), ranking("x", "a > b"))
    assert named(b, expanded(b)[0]) == ["b>a"]


def test_models_are_kept_apart() -> None:
    b = bundle(2, ranking("gpt", "a > b", labeler_kind="model"), ranking("x", "b > a"))
    assert named(b, expanded(b)[0]) == ["b>a"]
    assert named(b, expanded(b, labelers="model")[0]) == ["a>b"]
    assert expanded(b, labelers="all")[0] == []


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("all", ["a>b", "a>c", "a>d", "b>d", "c>d"]),
        ("adjacent", ["a>b", "a>c", "b>d", "c>d"]),
        ("best-worst", ["a>d"]),
    ],
)
def test_schemes(scheme: str, expected: list[str]) -> None:
    b = bundle(4, ranking("x", "a > b = c > d"))
    pairs, counts = expanded(b, scheme=scheme)
    assert named(b, pairs) == expected
    assert counts["not_chosen"] == 5 - len(expected)


def test_random_pairs_are_a_stable_choice() -> None:
    b = bundle(6, ranking("x", "a > b > c > d > e > f"))
    draws = {
        seed: tuple(named(b, expanded(b, scheme="random", random_n=4, seed=seed)[0]))
        for seed in "abcdefgh"
    }
    again = expanded(b, scheme="random", random_n=4, seed="a")[0]
    assert tuple(named(b, again)) == draws["a"]
    assert all(len(d) == 4 for d in draws.values())
    assert len(set(draws.values())) > 1


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        ("none", {"a>b": None, "a>c": None, "b>c": None}),
        ("rank", {"a>b": 0.5, "a>c": 1.0, "b>c": 0.5}),
        ("rating", {"a>b": 0.166667, "a>c": 0.833333, "b>c": 0.666667}),
        ("votes", {"a>b": 1.0, "a>c": 1.0, "b>c": 1.0}),
    ],
)
def test_margins(margin: str, expected: dict[str, float | None]) -> None:
    b = bundle(3, ranking("x", "a > b > c", ratings={"a": 7, "b": 6, "c": 2}))
    names = {c.uid: c.name for c in b.completions}
    found = {
        f"{names[p.chosen]}>{names[p.rejected]}": p.margin for p in expanded(b, margin=margin)[0]
    }
    assert found == expected


def test_vote_margin_counts_ties_as_doubt() -> None:
    b = bundle(2, ranking("x", "a > b"), ranking("y", "a > b"), ranking("z", "a = b"))
    assert expanded(b, margin="votes")[0][0].margin == pytest.approx(2 / 3)


def test_rating_margin_uses_the_scale_of_the_guideline() -> None:
    b = bundle(2, ranking("x", "a > b", ratings={"a": 3, "b": 1}, guideline="stars@1"))
    assert expanded(b, margin="rating", rating_spans={"stars@1": 4})[0][0].margin == 0.5


def test_texts_that_look_the_same_are_one_completion() -> None:
    """A trainer that strips and normalises must never see chosen == rejected, or both ways."""
    b = from_record(
        {
            "prompt": "p",
            "completions": [
                {"id": "a", "text": "café"},
                {"id": "b", "text": " café\n"},
                {"id": "c", "text": "tea"},
                {"id": "d", "text": "  "},
            ],
            "rankings": [ranking("x", "a > c > b > d")],
        }
    ).bundle
    pairs, counts = expanded(b)
    texts = b.texts()
    assert [(fold(texts[p.chosen]), texts[p.rejected]) for p in pairs] == [("café", "tea")]
    assert (counts["identical"], counts["empty"]) == (1, 1)


def test_partial_rankings_compare_only_what_they_place() -> None:
    b = bundle(4, ranking("x", "a > b", unranked=["c", "d"]))
    assert named(b, expanded(b)[0]) == ["a>b"]


@pytest.mark.parametrize("text", ["some", "random", "random:", "random:0", "random:x", "random:٣"])
def test_schemes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_scheme(text)
