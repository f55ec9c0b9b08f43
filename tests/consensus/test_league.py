"""Games between models, and who of them can stand in one table of strengths."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers import at_most
from hypothesis import given
from hypothesis import strategies as st

from labelkit.consensus import _league
from labelkit.consensus._games import Games, Writers, games_of
from labelkit.consensus._league import (
    NEVER_MET,
    UNBEATEN,
    WINLESS,
    Results,
    fit,
    main_group,
    results_of,
)
from labelkit.consensus._strengths import davidson, strengths
from labelkit.domain.models import Completion


def writers(*completions: tuple[str, str]) -> Writers:
    """Completions given as (text, names of those who wrote it)."""
    found = Writers()
    for i, (text, names) in enumerate(completions):
        found.add(Completion(str(i), text), names.split())
    return found


def ints(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


def rows(games: Games) -> list[tuple[int, ...]]:
    columns = (games.prompt, games.i, games.j, games.value, games.longer)
    return [tuple(row) for row in np.array(columns).T.tolist()]


# -- games -----------------------------------------------------------------------------------------


def test_writers_are_numbered_by_name_whoever_came_first() -> None:
    found = writers(("x", "zed"), ("y", "amy mia"), ("z", ""), ("w", "mia"))
    assert found.order == ["amy", "mia", "zed"]
    assert found.who.tolist() == [2, 0, 1, 1]
    assert list(found.count) == [1, 2, 0, 1]
    assert list(found.length) == [1, 1, 1, 1]


def test_a_game_names_the_smaller_number_first_and_keeps_who_won() -> None:
    by = writers(("x", "amy"), ("y", "mia"))
    forth = games_of(ints(0), ints(1), ints(1), ints(7), by)
    back = games_of(ints(1), ints(0), ints(1), ints(7), by)
    tied = games_of(ints(1), ints(0), ints(0), ints(7), by)
    assert rows(forth) == [(7, 0, 1, 1, 0)]
    assert rows(back) == [(7, 0, 1, -1, 0)]
    assert rows(tied) == [(7, 0, 1, 0, 0)]


def test_a_text_by_several_plays_for_each_of_them_but_never_against_itself() -> None:
    by = writers(("x", "amy mia"), ("y", "mia zed"), ("z", ""))
    found = games_of(ints(0, 0), ints(1, 2), ints(1, 1), ints(3, 4), by)
    assert sorted(rows(found)) == [(3, 0, 1, 1, 0), (3, 0, 2, 1, 0), (3, 1, 2, 1, 0)]


@pytest.mark.parametrize(
    ("x", "y", "longer"),
    [(5, 4, 0), (4, 5, 0), (6, 4, 1), (4, 6, -1), (126, 100, 1), (125, 100, 0)],
)
def test_a_text_is_longer_from_over_five_quarters_on(x: int, y: int, longer: int) -> None:
    one, other = "." * x, "." * y
    found = games_of(ints(0), ints(1), ints(1), ints(0), writers((one, "amy"), (other, "mia")))
    assert rows(found) == [(0, 0, 1, 1, longer)]
    found = games_of(ints(0), ints(1), ints(1), ints(0), writers((one, "mia"), (other, "amy")))
    assert rows(found) == [(0, 0, 1, -1, -longer)]


NAMES = st.sets(st.sampled_from(["amy", "mia", "zed", "kim"]), max_size=3)


@given(st.lists(st.tuples(st.integers(1, 9), NAMES), min_size=2, max_size=5), st.data())
@at_most(40)
def test_games_are_every_writer_of_one_text_against_every_other_writer(
    texts: Any, data: st.DataObject
) -> None:
    by = writers(*[("." * n, " ".join(sorted(names))) for n, names in texts])
    numbers = st.integers(0, len(texts) - 1)
    said = data.draw(st.lists(st.tuples(numbers, numbers, st.sampled_from([-1, 0, 1])), max_size=6))
    wanted = []
    for prompt, (a, b, value) in enumerate(said):
        (x, one), (y, other) = texts[a], texts[b]
        longer = (x > 1.25 * y) - (y > 1.25 * x)
        for left, right in product(sorted(one), sorted(other)):
            i, j = by.order.index(left), by.order.index(right)
            turn = 1 if i < j else -1
            if i != j:
                wanted.append((prompt, min(i, j), max(i, j), turn * value, turn * longer))
    a, b, value = (ints(*column) for column in (zip(*said, strict=True) if said else ((), (), ())))
    assert sorted(rows(games_of(a, b, value, np.arange(len(said)), by))) == sorted(wanted)


def test_some_of_the_games() -> None:
    games = Games(ints(1, 2, 3), ints(0, 0, 1), ints(1, 2, 2), ints(1, 0, -1), ints(0, 1, -1))
    assert rows(games.of(np.array([True, False, True]))) == [(1, 0, 1, 1, 0), (3, 1, 2, -1, -1)]


# -- results ---------------------------------------------------------------------------------------


def results(*scores: tuple[str, str, float, float, float], names: str = "abcde") -> Results:
    """Results given as (one, other, won by one, won by other, tied)."""
    wins, ties = np.zeros((2, len(names), len(names)))
    for one, other, won, lost, tied in scores:
        i, j = names.index(one), names.index(other)
        wins[i, j], wins[j, i], ties[i, j], ties[j, i] = won, lost, tied, tied
    return Results(wins, ties)


def test_results_are_laid_out_by_cell_in_bulk_too() -> None:
    cells, sums = np.array([[0, 2], [1, 2]]), np.array([[3.0, 1, 2], [4, 5, 6]])
    found = results_of(cells, sums, 3)
    assert found.wins.tolist() == [[0, 0, 3], [0, 0, 4], [1, 5, 0]]
    assert found.ties.tolist() == [[0, 0, 2], [0, 0, 6], [2, 6, 0]]
    assert found.halves.tolist() == [[0, 0, 4], [0, 0, 7], [2, 8, 0]]
    assert found.games.tolist() == [[0, 0, 6], [0, 0, 15], [6, 15, 0]]
    bulk = results_of(cells, np.stack([sums, 2 * sums]), 3)
    assert bulk.wins.tolist() == [found.wins.tolist(), (2 * found.wins).tolist()]
    assert bulk.games[1].tolist() == (2 * found.games).tolist()


def test_results_among_some() -> None:
    found = results(("a", "c", 3, 1, 2), ("b", "c", 4, 5, 6), ("a", "b", 7, 8, 9)).among([0, 2])
    assert found.wins.tolist() == [[0, 3], [1, 0]]
    assert found.ties.tolist() == [[0, 2], [2, 0]]


def test_one_table_holds_those_who_scored_against_each_other() -> None:
    found = results(("a", "b", 1, 0, 0), ("b", "c", 1, 0, 0), ("c", "a", 1, 0, 0), names="abc")
    assert main_group(found) == ([0, 1, 2], {})
    tied = results(("a", "b", 0, 0, 1), names="ab")
    assert main_group(tied) == ([0, 1], {})


def test_each_one_outside_is_told_why() -> None:
    found = results(
        ("b", "c", 1, 1, 0),  # these two make the table
        ("a", "b", 2, 0, 0),  # never lost
        ("c", "d", 2, 0, 0),  # never won
    )
    assert main_group(found) == ([1, 2], {0: UNBEATEN, 3: WINLESS, 4: NEVER_MET})


def test_the_largest_group_is_taken() -> None:
    two, three = [("a", "b", 1, 1, 0)], [("c", "d", 1, 1, 0), ("d", "e", 0, 0, 1)]
    met = [("a", "c", 1, 0, 0)]
    assert main_group(results(*two, *three)) == ([2, 3, 4], {0: NEVER_MET, 1: NEVER_MET})
    assert main_group(results(*two, *met, *three)) == ([2, 3, 4], {0: UNBEATEN, 1: UNBEATEN})


def test_one_alone_is_no_table() -> None:
    assert main_group(results(names="ab")) == ([], {0: NEVER_MET, 1: NEVER_MET})
    found = main_group(results(("a", "b", 1, 0, 0), names="ab"))
    assert found[0] == []
    assert found[1][1] == WINLESS


# -- fits ------------------------------------------------------------------------------------------


def many(n: int) -> Results:
    chance = np.random.default_rng(4)
    off = 1 - np.eye(3)
    wins = chance.integers(1, 9, (2, n, 3, 3)) * off
    ties = np.triu(chance.integers(1, 4, (2, n, 3, 3)), 1)
    return Results(wins, (ties + np.swapaxes(ties, -1, -2)).astype(float))


@pytest.mark.parametrize("cells", [1, 30, 4_000_000])
def test_a_fit_of_many_leagues_is_that_of_each(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_league, "_CELLS", cells)
    leagues = many(5)
    scores, nu = fit(leagues)
    assert (scores.shape, nu.shape) == ((2, 5, 3), (2, 5))
    for at in np.ndindex(2, 5):
        wins, ties = leagues.wins[at], leagues.ties[at]
        assert scores[at] == pytest.approx(strengths(wins + ties / 2), abs=1e-9)
        assert nu[at] == pytest.approx(davidson(wins, ties)[1], abs=1e-9)


def test_a_fit_of_one_league() -> None:
    scores, nu = fit(results(("a", "b", 3, 1, 0), names="ab"))
    assert scores == pytest.approx([np.log(3) / 2, -np.log(3) / 2])
    assert nu.shape == ()
    assert np.isnan(nu)
    scores, nu = fit(results(("a", "b", 1, 1, 1), names="ab"))
    assert (scores.tolist(), float(nu)) == ([pytest.approx(0)] * 2, pytest.approx(1))


def test_memory_stays_flat_because_leagues_are_fitted_in_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = []

    def noting(wins: Any) -> Any:
        sizes.append(wins.shape)
        return strengths(wins)

    monkeypatch.setattr(_league, "_CELLS", 40)  # four leagues of three
    monkeypatch.setattr(_league, "strengths", noting)
    fit(many(5))
    assert sizes == [(4, 3, 3), (4, 3, 3), (2, 3, 3)]
