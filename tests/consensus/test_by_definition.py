"""Each method's own numbers, from their definitions, on votes small enough to follow."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from bundles import bundles
from helpers import at_most
from hypothesis import given
from hypothesis import strategies as st

from labelkit import plugins
from labelkit.consensus._votes import Votes, by_layers, by_score, reachable, votes_of
from labelkit.consensus.borda import borda_points
from labelkit.consensus.copeland import copeland_wins
from labelkit.consensus.mean_margin import mean_margins
from labelkit.consensus.ranked_pairs import locked
from labelkit.consensus.schulze import strongest_paths
from labelkit.domain.models import Bundle, Tiers


def votes(*said: tuple[str, str, float, float, float], items: str = "abcd") -> Votes:
    """Votes given as (one, other, for one, for other, for neither)."""
    wins, ties = np.zeros((2, len(items), len(items)))
    for one, other, won, lost, tied in said:
        i, j = items.index(one), items.index(other)
        wins[i, j], wins[j, i], ties[i, j], ties[j, i] = won, lost, tied, tied
    return Votes(tuple(items), wins, ties)


def tiers(method: str, said: Votes) -> Tiers:
    return plugins.consensus.get(method).order(said)


# a was judged against all, d against a alone; nobody judged b against d, or c against d
PARTIAL = votes(("a", "b", 3, 1, 0), ("a", "c", 0, 1, 1), ("b", "c", 2, 2, 1), ("a", "d", 0, 4, 0))


def test_mean_margins_are_over_the_pairs_that_were_judged() -> None:
    a, b, c, d = mean_margins(PARTIAL)
    assert a == pytest.approx((2 / 4 - 1 / 2 - 4 / 4) / 3)
    assert b == pytest.approx((-2 / 4 + 0) / 2)
    assert c == pytest.approx((1 / 2 + 0) / 2)
    assert d == 1.0
    assert mean_margins(votes(items="ab")).tolist() == [0, 0]
    assert mean_margins(votes(("a", "b", 1, 0, 0), items="abc")).tolist() == [1, -1, 0]


def test_borda_points_are_per_comparison() -> None:
    assert borda_points(PARTIAL).tolist() == [3.5, 3.5, 4, 4]
    judged = [10, 9, 7, 4]
    assert PARTIAL.judged.sum(axis=1).tolist() == judged
    assert tiers("borda", PARTIAL) == (("d",), ("c",), ("b",), ("a",))
    assert tiers("borda", votes(("a", "b", 0.25, 0.5, 0), items="ab")) == (("b",), ("a",))


def test_copelands_wins() -> None:
    """Majorities over the three others; a draw and a pair nobody judged are half a win."""
    assert copeland_wins(PARTIAL).tolist() == [1, 1, 2, 2]


# -- circles: the clearest majorities hold, the weakest gives way ----------------------------------


@pytest.mark.parametrize(
    ("ab", "bc", "ca", "order"),
    [(3, 2, 1, "abc"), (2, 3, 1, "abc"), (1, 3, 2, "bca"), (3, 1, 2, "cab"), (2, 1, 3, "cab")],
)
@pytest.mark.parametrize("method", ["ranked-pairs", "schulze"])
def test_the_weakest_majority_of_a_circle_gives_way(
    method: str, ab: int, bc: int, ca: int, order: str
) -> None:
    said = votes(("a", "b", ab, 0, 0), ("b", "c", bc, 0, 0), ("c", "a", ca, 0, 0), items="abc")
    assert tiers(method, said) == tuple((uid,) for uid in order)


def test_a_majority_that_would_close_a_circle_is_left_out_and_later_ones_still_count() -> None:
    said = votes(
        ("a", "b", 5, 0, 0), ("b", "c", 4, 0, 0), ("c", "a", 3, 0, 0), ("a", "d", 1, 0, 0),
        ("d", "b", 2, 0, 0),
    )  # fmt: skip
    lock = locked(said.margin)
    assert {("abcd"[i], "abcd"[j]) for i, j in np.argwhere(lock)} == {
        ("a", "b"), ("b", "c"), ("d", "b"), ("a", "d"),
    }  # fmt: skip
    assert tiers("ranked-pairs", said) == (("a",), ("d",), ("b",), ("c",))
    paths = strongest_paths(said.margin)
    assert paths[0, 2] == 4  # a > b > c, by its weakest link
    assert paths[2, 3] == 1  # c > a > d


def test_equal_majorities_that_close_a_circle_together_are_all_left_out() -> None:
    said = votes(("a", "b", 2, 0, 0), ("b", "c", 2, 0, 0), ("c", "a", 2, 0, 0), ("a", "d", 1, 0, 0))
    lock = locked(said.margin)
    assert np.argwhere(lock).tolist() == [[0, 3]]
    assert tiers("ranked-pairs", said) == (("a", "b", "c"), ("d",))


def naive_paths(margin: np.ndarray) -> list[list[float]]:
    """Schulze's strengths by trying every path."""
    k = len(margin)
    best = np.zeros((k, k))
    for length in range(2, k + 1):
        for path in permutations(range(k), length):
            links = [max(0.0, margin[a, b]) for a, b in pairwise(path)]
            best[path[0], path[-1]] = max(best[path[0], path[-1]], min(links))
    return [[best[i, j] for j in range(k) if j != i] for i in range(k)]


@given(bundles())
@at_most(30)
def test_schulzes_paths_are_the_strongest_of_all(said: list[Bundle]) -> None:
    for bundle in said:
        margin = votes_of(bundle.rankings).margin
        found = strongest_paths(margin)
        k = len(margin)
        assert [[found[i, j] for j in range(k) if j != i] for i in range(k)] == naive_paths(margin)


@given(bundles())
@at_most(30)
def test_what_is_locked_has_no_circle_and_follows_majorities(said: list[Bundle]) -> None:
    for bundle in said:
        margin = votes_of(bundle.rankings).margin
        lock = locked(margin)
        assert not reachable(lock).diagonal().any()
        assert (margin[lock] > 0).all()
        if not reachable(margin > 0).diagonal().any():
            assert np.array_equal(lock, margin > 0)


# -- tiers -----------------------------------------------------------------------------------------


def test_scores_that_only_rounding_tells_apart_are_equal() -> None:
    found = by_score(["a", "b", "c"], np.array([0.1 + 0.2, 0.3, 0.300001]))
    assert found == (("c",), ("a", "b"))


def test_layers_are_cut_from_the_top() -> None:
    above = np.zeros((4, 4), dtype=bool)
    above[0, 1] = above[1, 2] = above[3, 2] = True
    assert by_layers("abcd", above) == (("a", "d"), ("b",), ("c",))


@given(st.integers(1, 7), st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=9))
def test_reachable_is_along_one_edge_or_more(k: int, pairs: list[tuple[int, int]]) -> None:
    edges = np.zeros((k, k), dtype=bool)
    for i, j in pairs:
        edges[i % k, j % k] = True
    wanted = edges.copy()
    for via in range(k):
        wanted |= np.outer(wanted[:, via], wanted[via])
    assert np.array_equal(reachable(edges), wanted)
    assert np.array_equal(reachable(np.stack([edges, edges.T])), np.stack([wanted, wanted.T]))


def test_a_long_way_is_followed_to_its_end() -> None:
    for k in range(2, 20):
        assert reachable(np.eye(k, k=1, dtype=bool))[0].tolist() == [False] + [True] * (k - 1)
