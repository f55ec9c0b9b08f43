"""The one ranking that stands in for many: its tiers, its name and who agrees with it."""

from __future__ import annotations

from dataclasses import replace

from labelkit.consensus._merge import (
    consensus_ranking,
    consensus_tiers,
    support,
    supporters,
)
from labelkit.consensus._votes import Votes
from labelkit.domain.canonical import uid_of
from labelkit.domain.models import Ranking, Tiers
from labelkit.plugins import ConsensusMethod


def ranking(uid: str, tiers: str, labeler: str = "") -> Ranking:
    places = tuple(tuple(part.strip().split(" = ")) for part in tiers.split(">"))
    return Ranking(uid=uid, labeler=labeler or uid, tiers=places)


SAID = [ranking("r2", "a > b > c"), ranking("r1", "b > a = c"), ranking("r3", "b > d")]


def test_it_is_named_after_the_method_and_what_it_was_made_from() -> None:
    tiers: Tiers = (("b",), ("a",), ("c",))
    found = consensus_ranking(SAID, "borda", tiers, "human")
    assert found == Ranking(
        uid=uid_of("consensus", ["borda", ["r1", "r2", "r3"]]),
        labeler_kind="human",
        tiers=tiers,
        origin="consensus:borda",
    )
    assert consensus_ranking(SAID[::-1], "borda", tiers, "human") == found
    assert consensus_ranking(SAID, "kemeny", tiers, "human").uid != found.uid
    assert consensus_ranking(SAID[1:], "borda", tiers, "human").uid != found.uid
    assert consensus_ranking(SAID, "borda", tiers, "model").labeler_kind == "model"


def test_supporters_put_the_chosen_above_the_rejected() -> None:
    assert supporters(SAID, "b", "a") == ("r1",)
    assert supporters(SAID, "a", "c") == ("r2",)  # a tie supports nobody
    assert supporters(SAID, "b", "c") == ("r1", "r2")
    assert supporters(SAID, "b", "d") == ("r3",)
    assert supporters(SAID, "a", "d") == ()  # nobody placed both
    assert supporters(SAID, "a", "a") == ()


def test_support_is_over_pairs_that_the_consensus_puts_in_an_order() -> None:
    found = support(SAID, (("b",), ("a", "c"), ("d",)))
    assert (found.agree, found.n, found.share) == (4, 5, 0.8)
    assert support(SAID, (("b",), ("a",))).n == 2
    assert support([], (("b",), ("a",))).share is None


def everything_tied(votes: Votes) -> Tiers:
    return (votes.items[::-1],)


TIED = ConsensusMethod(title="", rule="", order=everything_tied)


def test_tiers_list_their_completions_by_name() -> None:
    assert consensus_tiers(SAID, TIED) == (("a", "b", "c", "d"),)


def test_a_method_is_asked_for_what_it_can_take_and_no_more() -> None:
    assert consensus_tiers(SAID, replace(TIED, most=4)) is not None
    assert consensus_tiers(SAID, replace(TIED, most=3)) is None
    assert consensus_tiers(SAID[2:], replace(TIED, most=2)) == (("b", "d"),)


def test_only_a_weighted_method_hears_the_weights() -> None:
    heard: list[Votes] = []

    def listening(votes: Votes) -> Tiers:
        heard.append(votes)
        return (votes.items,)

    method = ConsensusMethod(title="", rule="", order=listening)
    for weighted in (False, True):
        consensus_tiers(SAID[:1], replace(method, weighted=weighted), {"r2": 3.0})
    assert [votes.wins.max() for votes in heard] == [1, 3]
