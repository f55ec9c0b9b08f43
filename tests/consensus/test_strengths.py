"""Fits: where the likelihood is highest, in bulk as one by one, and None where there is no top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import at_most
from hypothesis import given
from hypothesis import strategies as st

from labelkit.consensus import _strengths
from labelkit.consensus._strengths import davidson, strengths, with_first_effect
from labelkit.consensus._votes import Votes
from labelkit.consensus.bradley_terry import (
    PRIOR,
    reliability_weight,
    weights_of,
    worths,
)


def tables(least: int = 0) -> Any:
    return st.integers(2, 5).flatmap(
        lambda m: st.lists(
            st.lists(st.integers(least, 9), min_size=m, max_size=m), min_size=m, max_size=m
        ).map(lambda rows: np.array(rows, dtype=float) * (1 - np.eye(m)))
    )


def chances(x: Any) -> Any:
    return 1 / (1 + np.exp(x[None, :] - x[:, None]))


@given(tables(1))
@at_most(60)
def test_everybody_wins_as_often_as_expected(wins: Any) -> None:
    """The likelihood equations of Bradley-Terry."""
    x = strengths(wins)
    games = wins + wins.T
    assert (games * chances(x)).sum(axis=1) == pytest.approx(wins.sum(axis=1), abs=1e-6)
    assert x.sum() == pytest.approx(0, abs=1e-8)


@given(tables(1), st.integers(1, 4))
@at_most(60)
def test_davidson_expects_the_wins_and_the_ties_there_were(wins: Any, tied: int) -> None:
    ties = tied * (1 - np.eye(len(wins)))
    x, nu = davidson(wins, ties)
    games = wins + wins.T + ties
    a = np.exp(x)
    both = np.sqrt(np.outer(a, a))
    z = a[:, None] + a[None, :] + nu * both
    assert (games * nu * both / z).sum() == pytest.approx(ties.sum(), abs=1e-6)
    score = (games * (a[:, None] + nu * both / 2) / z).sum(axis=1)
    assert score == pytest.approx((wins + ties / 2).sum(axis=1), abs=1e-6)


@given(tables(1), st.integers(1, 3))
@at_most(60)
def test_being_first_is_expected_to_help_as_often_as_it_did(first: Any, seed: int) -> None:
    second = np.random.default_rng(seed).integers(1, 5, first.shape) * (1 - np.eye(len(first)))
    x, lead = with_first_effect(first, second)
    p = 1 / (1 + np.exp(x[None, :] - x[:, None] - lead))
    games = first + second
    assert (games * p).sum() == pytest.approx(first.sum(), abs=1e-6)


def test_in_bulk_as_one_by_one() -> None:
    chance = np.random.default_rng(1)
    wins = chance.integers(1, 20, (7, 4, 4)) * (1 - np.eye(4))
    ties = np.triu(chance.integers(1, 5, (7, 4, 4)), 1)
    ties = (ties + np.swapaxes(ties, 1, 2)).astype(float)
    wins[3, 2], wins[3, :, 2] = 0, 0  # the third never played
    ties[3, 2], ties[3, :, 2] = 0, 0
    found = strengths(wins)
    assert np.isnan(found[3]).all()
    some, nu = davidson(wins, ties)
    assert np.isnan(nu[3])
    for i in (0, 1, 2, 4, 5, 6):
        assert found[i] == pytest.approx(strengths(wins[i]), abs=1e-9)
        alone = davidson(wins[i], ties[i])
        assert some[i] == pytest.approx(alone[0], abs=1e-9)
        assert nu[i] == pytest.approx(alone[1], abs=1e-9)


def test_being_first_in_bulk_as_one_by_one() -> None:
    chance = np.random.default_rng(2)
    first, second = (chance.integers(1, 20, (5, 3, 3)) * (1 - np.eye(3)) for _ in range(2))
    first[4], second[4] = np.triu(first[4]), np.tril(second[4])  # the first of all never lost
    some, lead = with_first_effect(first, second)
    assert np.isnan(some[4]).all()
    assert np.isnan(lead[4])
    for i in range(4):
        alone = with_first_effect(first[i], second[i])
        assert some[i] == pytest.approx(alone[0], abs=1e-9)
        assert lead[i] == pytest.approx(alone[1], abs=1e-9)


def test_being_first_is_fitted_for_each_one_too() -> None:
    """The likelihood equations: everybody wins as often as expected, wherever they stood."""
    first = np.array([[0.0, 9, 4], [2, 0, 7], [5, 1, 0]])
    second = np.array([[0.0, 1, 6], [3, 0, 2], [1, 8, 0]])
    x, lead = with_first_effect(first, second)
    p = 1 / (1 + np.exp(x[None, :] - x[:, None] - lead))
    games = first + second
    expected = (games * p).sum(axis=1) + (games * (1 - p)).sum(axis=0)
    assert expected == pytest.approx(first.sum(axis=1) + second.sum(axis=0), abs=1e-6)


def test_whoever_comes_second_can_win_too() -> None:
    """Three who always meet in one order: as many parameters as there are shares to fit."""
    first = np.array([[0.0, 3, 1], [0, 0, 1], [0, 0, 0]])
    second = np.array([[0.0, 1, 1], [0, 0, 2], [0, 0, 0]])
    some, leads = with_first_effect(np.stack([first, first]), np.stack([second, 3 * second]))
    for x, lead, times in zip(some, leads, (1, 3), strict=True):
        for i, j in ((0, 1), (0, 2), (1, 2)):
            share = first[i, j] / (first[i, j] + times * second[i, j])
            assert 1 / (1 + np.exp(x[j] - x[i] - lead)) == pytest.approx(share)


def test_where_nobody_tied_only_that_one_has_no_tie_parameter() -> None:
    wins = np.array([[[0.0, 3], [2, 0]]] * 2)
    ties = np.array([[[0.0, 1], [1, 0]], [[0.0, 0], [0, 0]]])
    _, nu = davidson(wins, ties)
    assert np.isfinite(nu).tolist() == [True, False]


@pytest.mark.parametrize(
    "wins",
    [
        [[0, 3], [0, 0]],  # never lost
        [[0, 0], [0, 0]],  # never met
        [[0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]],  # two leagues
        [[0, 1, 1], [0, 0, 2], [0, 1, 0]],  # one above all the others
    ],
)
def test_where_there_is_no_fit_there_is_no_number(wins: Any) -> None:
    table = np.array(wins, dtype=float)
    assert np.isnan(strengths(table)).all()
    assert np.isnan(davidson(table, np.zeros(table.shape))[0]).all()
    assert np.isnan(with_first_effect(table, np.zeros(table.shape))[1])


def test_davidson_without_a_tie_has_no_fit() -> None:
    wins = np.array([[0.0, 3], [1, 0]])
    assert np.isnan(davidson(wins, np.zeros((2, 2)))[1])


def test_a_great_gap_is_still_found() -> None:
    wins = np.array([[0.0, 1e6, 1e6], [1, 0, 1e6], [1, 1, 0]])
    x = strengths(wins)
    games = wins + wins.T
    assert (games * chances(x)).sum(axis=1) == pytest.approx(wins.sum(axis=1), rel=1e-9)


def ordinary(m: int) -> tuple[Any, Any, Any]:
    """A hundred leagues of m: wins, other wins, and ties, everybody against everybody."""
    chance = np.random.default_rng(m)
    wins, others = chance.integers(1, 10, (2, 100, m, m)) * (1.0 - np.eye(m))
    ties = np.triu(chance.integers(1, 4, (100, m, m)), 1).astype(float)
    return wins, others, ties + np.swapaxes(ties, 1, 2)


@pytest.mark.parametrize("m", [2, 3, 5])
def test_a_fit_takes_a_handful_of_steps(m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newton's method doubles the digits with each, if its slopes are right."""
    wins, others, ties = ordinary(m)
    monkeypatch.setattr(_strengths, "_STEPS", 6)
    assert np.isfinite(strengths(wins)).all()
    assert np.isfinite(with_first_effect(wins, others)[1]).all()
    monkeypatch.setattr(_strengths, "_STEPS", 7)
    assert np.isfinite(davidson(wins, ties)[1]).all()


def test_a_fit_that_does_not_arrive_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    wins = np.array([[[0.0, 5], [5, 0]], [[0, 9], [1, 0]]])
    monkeypatch.setattr(_strengths, "_STEPS", 3)
    assert np.isfinite(strengths(wins)).tolist() == [[True, True], [False, False]]


def test_steps_are_bounded_so_that_a_great_gap_is_not_overshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wins = np.array([[0.0, 1000, 1000], [1, 0, 1000], [1, 1, 0]])
    monkeypatch.setattr(_strengths, "_STEPS", 11)
    assert np.isfinite(strengths(wins)).all()


def test_worths_have_a_prior_of_ties() -> None:
    votes = Votes(("a", "b"), np.array([[0.0, 3], [1, 0]]), np.array([[0.0, 2], [2, 0]]))
    wanted = np.log((4 + PRIOR / 2) / (2 + PRIOR / 2)) / 2
    assert worths(votes) == pytest.approx([wanted, -wanted])


def test_weights_are_log_odds_that_start_at_a_coin() -> None:
    assert reliability_weight(0, 0) == 0
    assert reliability_weight(96, 96) == pytest.approx(np.log(98 / 2))
    assert reliability_weight(10, 100) == 0
    found = weights_of({"a": (80, 100), "b": (80, 100), "c": (20, 100)})
    assert found == {"a": pytest.approx(1.5), "b": pytest.approx(1.5), "c": 0.0}
    assert weights_of({"a": (1, 10), "b": (2, 10)}) == {"a": 1.0, "b": 1.0}
    assert weights_of({}) == {}
