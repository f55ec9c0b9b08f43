"""What holds for every consensus method in the folder, found by listing it."""

from __future__ import annotations

import random
from itertools import permutations

import numpy as np
import pytest
from bundles import bundles
from helpers import at_most
from hypothesis import given
from hypothesis import strategies as st

from labelkit import plugins
from labelkit.consensus._merge import consensus_tiers, support
from labelkit.consensus._votes import votes_of
from labelkit.consensus.kemeny import best_orders
from labelkit.domain.models import Bundle, Ranking, Tiers
from labelkit.domain.pairs import consensus_tiers as margin_tiers
from labelkit.plugins import ConsensusMethod

NAMES = plugins.consensus.names()
CONDORCET = ("copeland", "kemeny", "ranked-pairs", "schulze")


def method(name: str) -> ConsensusMethod:
    return plugins.consensus.get(name)


def ranking(labeler: str, tiers: str) -> Ranking:
    places = tuple(tuple(part.strip().split(" = ")) for part in tiers.split(">"))
    return Ranking(uid=f"{labeler} {tiers}", labeler=labeler, tiers=places)


def as_sets(tiers: Tiers | None) -> list[set[str]] | None:
    return None if tiers is None else [set(tier) for tier in tiers]


def test_there_are_methods() -> None:
    assert len(NAMES) == 7


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    assert method(name).title
    assert method(name).rule.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_one_ranking_is_its_own_consensus(name: str) -> None:
    said = [ranking("ana", "c > a = b > d")]
    assert consensus_tiers(said, method(name)) == (("c",), ("a", "b"), ("d",))


@pytest.mark.parametrize("name", NAMES)
def test_unanimity(name: str) -> None:
    said = [ranking(who, "c > a = b > e > d") for who in ("ana", "ben", "chloe")]
    assert consensus_tiers(said, method(name)) == (("c",), ("a", "b"), ("e",), ("d",))


@pytest.mark.parametrize("name", NAMES)
def test_a_draw_is_a_tie(name: str) -> None:
    said = [ranking("ana", "a > b"), ranking("ben", "b > a")]
    assert consensus_tiers(said, method(name)) == (("a", "b"),)


@pytest.mark.parametrize("name", NAMES)
def test_all_ties_and_a_circle_are_ties(name: str) -> None:
    tied = [ranking("ana", "a = b = c"), ranking("ben", "a = b = c")]
    assert consensus_tiers(tied, method(name)) == (("a", "b", "c"),)
    circle = [ranking("x", "a > b > c"), ranking("y", "b > c > a"), ranking("z", "c > a > b")]
    assert consensus_tiers(circle, method(name)) == (("a", "b", "c"),)


@pytest.mark.parametrize("name", NAMES)
def test_partial_rankings_meet(name: str) -> None:
    said = [ranking("ana", "a > b"), ranking("ben", "b > c"), ranking("chloe", "c > d")]
    found = consensus_tiers(said, method(name))
    assert found is not None
    assert sorted(uid for tier in found for uid in tier) == ["a", "b", "c", "d"]
    place = {uid: i for i, tier in enumerate(found) for uid in tier}
    assert place["a"] < place["d"]


@pytest.mark.parametrize("name", NAMES)
def test_too_little_is_no_consensus(name: str) -> None:
    assert consensus_tiers([], method(name)) is None
    alone = Ranking(uid="1", labeler="ana", tiers=(("a",),), unranked=("b",))
    assert consensus_tiers([alone], method(name)) is None


def test_kemeny_says_when_it_is_beyond_it() -> None:
    many = [ranking("ana", " > ".join("abcdefghij"))]
    assert consensus_tiers(many, method("kemeny")) is None
    assert consensus_tiers(many, method("schulze")) is not None


@pytest.mark.parametrize("name", NAMES)
@given(bundles(), st.randoms(use_true_random=False))
@at_most(40)
def test_names_and_listing_change_nothing(
    name: str, said: list[Bundle], chance: random.Random
) -> None:
    for bundle in said:
        uids = [c.uid for c in bundle.completions]
        other = dict(zip(uids, chance.sample(uids, len(uids)), strict=True))
        once = consensus_tiers(bundle.rankings, method(name))
        renamed = [
            Ranking(
                uid=r.uid,
                labeler=r.labeler,
                tiers=tuple(tuple(other[uid] for uid in tier) for tier in r.tiers),
            )
            for r in bundle.rankings
        ]
        found = as_sets(consensus_tiers(renamed, method(name)))
        wanted = as_sets(once)
        assert found == (wanted and [{other[uid] for uid in tier} for tier in wanted])


@pytest.mark.parametrize("name", NAMES)
@given(bundles())
@at_most(40)
def test_turning_every_ranking_round_turns_the_consensus_round(
    name: str, said: list[Bundle]
) -> None:
    """Layers are cut from the top, so ranked pairs, Schulze and Kemeny are held to their order."""
    for bundle in said:
        once = consensus_tiers(bundle.rankings, method(name))
        turned = [
            Ranking(uid=r.uid, labeler=r.labeler, tiers=r.tiers[::-1]) for r in bundle.rankings
        ]
        back = consensus_tiers(turned, method(name))
        if once is None or back is None:
            assert once is back
            continue
        if name in ("ranked-pairs", "schulze", "kemeny"):
            assert len(back) == len(once)
            place = {uid: i for i, tier in enumerate(once) for uid in tier}
            behind = {uid: i for i, tier in enumerate(back) for uid in tier}
            assert not any(
                place[a] < place[b] and behind[a] < behind[b] and _strict(bundle, name, a, b)
                for a in place
                for b in place
            )
        else:
            assert as_sets(back) == (as_sets(once) or [])[::-1]


def _strict(bundle: Bundle, name: str, a: str, b: str) -> bool:
    """Whether the votes on two completions alone, unanimous, put a above b."""
    votes = votes_of(bundle.rankings)
    i, j = votes.items.index(a), votes.items.index(b)
    return bool(votes.wins[i, j] and not votes.wins[j, i] and not votes.ties[i, j])


@pytest.mark.parametrize("name", CONDORCET)
@given(bundles())
@at_most(40)
def test_who_beats_everybody_comes_first(name: str, said: list[Bundle]) -> None:
    for bundle in said:
        votes = votes_of(bundle.rankings)
        k = len(votes.items)
        beaten = (votes.margin > 0).sum(axis=1) if k else np.zeros(0)
        for winner in np.flatnonzero(beaten == k - 1) if k > 1 else []:
            found = consensus_tiers(bundle.rankings, method(name))
            assert found is not None
            assert found[0] == (votes.items[winner],)


@given(bundles())
@at_most(60)
def test_kemeny_is_the_best_of_all_orders(said: list[Bundle]) -> None:
    for bundle in said:
        votes = votes_of(bundle.rankings)
        k = len(votes.items)
        if k < 2:
            continue
        cost = {
            order: sum(votes.wins[b, a] for i, a in enumerate(order) for b in order[i + 1 :])
            for order in permutations(range(k))
        }
        least = min(cost.values())
        best = [order for order, c in cost.items() if c == least]
        found, above = best_orders(votes.wins)
        assert found == least
        wanted = [[all(o.index(i) < o.index(j) for o in best) and i != j for j in range(k)]
                  for i in range(k)]  # fmt: skip
        assert above.tolist() == wanted


@given(bundles())
@at_most(40)
def test_mean_margin_is_the_order_that_pairs_are_chosen_by(said: list[Bundle]) -> None:
    """The same rule stands in domain.pairs, for schemes such as best-worst."""
    from collections import Counter

    from labelkit.domain.pairs import _tally

    for bundle in said:
        found = consensus_tiers(bundle.rankings, method("mean-margin"))
        votes = _tally(list(bundle.rankings), set(), Counter())
        assert as_sets(found) == (as_sets(margin_tiers(votes)) or None)


@given(bundles())
def test_a_labelers_second_word_does_not_count(said: list[Bundle]) -> None:
    for bundle in said:
        again = [
            Ranking(uid=f"{r.uid} again", labeler=r.labeler, tiers=r.tiers[::-1])
            for r in bundle.rankings
        ]
        one, two = votes_of(bundle.rankings), votes_of([*bundle.rankings, *again])
        assert np.array_equal(one.wins, two.wins)
        assert np.array_equal(one.ties, two.ties)


def test_weights_count_votes_and_0_silences() -> None:
    said = [ranking("ana", "a > b = c"), ranking("ben", "b > a > c")]
    votes = votes_of(said, {"ana": 2.0, "ben": 0.0})
    assert votes.wins.tolist() == [[0, 2, 2], [0, 0, 0], [0, 0, 0]]
    assert votes.ties.tolist() == [[0, 0, 0], [0, 0, 2], [0, 2, 0]]
    assert votes.judged.tolist() == [[0, 2, 2], [2, 0, 2], [2, 2, 0]]
    assert votes_of(said, {"ana": 2.0}).wins.tolist() == [[0, 2, 3], [1, 0, 1], [0, 0, 0]]
    found = consensus_tiers(said, method("bradley-terry"), {"ana": 2.0, "ben": 0.0})
    assert found == (("a",), ("b", "c"))
    assert consensus_tiers(said, method("borda"), {"ben": 0.0}) == (("a",), ("b",), ("c",))


def test_rankings_by_nobody_are_each_somebody() -> None:
    one = Ranking(uid="1", tiers=(("a",), ("b",)))
    two = Ranking(uid="2", tiers=(("a",), ("b",)))
    assert votes_of([one, two]).wins.tolist() == [[0, 2], [0, 0]]


def test_support_counts_preferences_that_the_consensus_follows() -> None:
    said = [ranking("ana", "a > b > c"), ranking("ben", "b > a = c")]
    found = support(said, (("a",), ("b", "c")))
    assert (found.agree, found.n, found.share) == (2, 3, 2 / 3)
    assert support(said, (("a", "b", "c"),)).share is None


def test_votes_of_nothing() -> None:
    votes = votes_of([])
    assert (votes.items, votes.wins.shape, votes.ties.shape) == ((), (0, 0), (0, 0))
