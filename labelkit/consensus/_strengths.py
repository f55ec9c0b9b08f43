"""Bradley-Terry and its relatives, fitted on counts by Newton's method.

Bradley and Terry (1952); Davidson (1970) for ties; Hunter (2004) for when a fit exists: everybody
must be reachable from everybody along wins, or a strength runs off to infinity.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from labelkit.consensus._votes import Bools, Floats, reachable

TOLERANCE = 1e-10
_STEPS = 100
_LONGEST = 2.0

Slope = Callable[[Floats], tuple[Floats, Floats]]
"""From parameters (..., p) to the likelihood's gradient (..., p) and information (..., p, p)."""


def strengths(wins: Floats) -> Floats:
    """Return log strengths that add up to 0: (..., m, m) to (..., m), NaN where no fit exists.

    `wins[..., i, j]` counts how often i beat j; a tie is half a win for both.

    >>> strengths(np.array([[0.0, 3], [1, 0]])).round(4).tolist()  # log 3, split in two
    [0.5493, -0.5493]
    """
    exists = _strongly_connected(wins > 0)
    wins = _where(exists, wins)
    games = wins + np.swapaxes(wins, -1, -2)
    won = wins.sum(axis=-1)

    def slope(x: Floats) -> tuple[Floats, Floats]:
        p = _logistic(x[..., :, None] - x[..., None, :])
        return won - (games * p).sum(axis=-1), _laplacian(games * p * (1 - p))

    return np.where(exists[..., None], _climb(slope, np.zeros(won.shape)), np.nan)


def davidson(wins: Floats, ties: Floats) -> tuple[Floats, Floats]:
    """Return (log strengths that add up to 0, tie parameter nu): (..., m) and (...).

    `wins` as above without the ties; `ties` (..., m, m) symmetric. With strengths a and b two meet
    so that a win : tie : loss = a : nu sqrt(ab) : b. NaN where there is no tie, or where wins alone
    do not lead from everybody to everybody.
    """
    exists = _strongly_connected(wins > 0) & (ties > 0).any(axis=(-1, -2))
    wins, ties = _where(exists, wins), _where(exists, ties)
    games = wins + np.swapaxes(wins, -1, -2) + ties
    won = (wins + ties / 2).sum(axis=-1)
    tied = ties.sum(axis=(-1, -2)) / 2
    observed = np.concatenate([won, tied[..., None]], axis=-1)

    def slope(x: Floats) -> tuple[Floats, Floats]:
        difference = x[..., :-1, None] - x[..., None, :-1]
        nu = np.exp(x[..., -1, None, None])
        z = np.exp(difference / 2) + np.exp(-difference / 2) + nu
        p, t = np.exp(difference / 2) / z, nu / z
        score = p + t / 2  # a tie is half a point
        expected = (games * score).sum(axis=-1)
        expected_ties = (games * t).sum(axis=(-1, -2)) / 2
        mixed = (games * t * (0.5 - score)).sum(axis=-1)
        pairs = games * (score * (1 - score) - t / 4)
        corner = (games * t * (1 - t)).sum(axis=(-1, -2)) / 2
        gradient = observed - np.concatenate([expected, expected_ties[..., None]], axis=-1)
        return gradient, _bordered(_laplacian(pairs), mixed, corner)

    found = np.where(exists[..., None], _climb(slope, np.zeros(observed.shape)), np.nan)
    return found[..., :-1], np.exp(found[..., -1])


def with_first_effect(first_won: Floats, second_won: Floats) -> tuple[Floats, Floats]:
    """Return (log strengths that add up to 0, advantage of being first): (..., m) and (...).

    `first_won[..., i, j]` counts meetings with i first and j second that i won, `second_won` those
    that j won. The advantage is added to the log strength of whoever is first.
    """
    exists = _strongly_connected(first_won + np.swapaxes(second_won, -1, -2) > 0)
    first_won, second_won = _where(exists, first_won), _where(exists, second_won)
    games = first_won + second_won
    won = first_won.sum(axis=-1) + second_won.sum(axis=-2)
    observed = np.concatenate([won, first_won.sum(axis=(-1, -2))[..., None]], axis=-1)

    def slope(x: Floats) -> tuple[Floats, Floats]:
        lead = x[..., -1, None, None]
        p = _logistic(x[..., :-1, None] - x[..., None, :-1] + lead)
        expected = (games * p).sum(axis=-1) + (games * (1 - p)).sum(axis=-2)
        gradient = observed - np.concatenate(
            [expected, (games * p).sum(axis=(-1, -2))[..., None]], axis=-1
        )
        v = games * p * (1 - p)
        pairs = _laplacian(v + np.swapaxes(v, -1, -2))
        return gradient, _bordered(pairs, v.sum(axis=-1) - v.sum(axis=-2), v.sum(axis=(-1, -2)))

    found = np.where(exists[..., None], _climb(slope, np.zeros(observed.shape)), np.nan)
    return found[..., :-1], found[..., -1]


def _logistic(x: Floats) -> Floats:
    return np.asarray((1 + np.tanh(x / 2)) / 2)


def _laplacian(v: Floats) -> Floats:
    """Return the information of differences with variances v (..., m, m).

    Strengths are only known up to a constant; the constant added here along it changes no step and
    keeps their sum at 0.
    """
    spread = np.eye(v.shape[-1]) * v.sum(axis=-1)[..., None] - v
    return np.asarray(spread + v.mean(axis=(-1, -2))[..., None, None])


def _bordered(block: Floats, edge: Floats, corner: Floats) -> Floats:
    """Return a matrix with one more row and column: (..., m, m) to (..., m + 1, m + 1)."""
    top = np.concatenate([block, edge[..., None]], axis=-1)
    bottom = np.concatenate([edge, corner[..., None]], axis=-1)[..., None, :]
    return np.concatenate([top, bottom], axis=-2)


def _climb(slope: Slope, x: Floats) -> Floats:
    """Return where the gradient is 0, by Newton's steps of bounded length; NaN if they fail."""
    for _ in range(_STEPS):
        gradient, information = slope(x)
        size = np.trace(information, axis1=-2, axis2=-1)[..., None, None]
        ridge = np.eye(x.shape[-1]) * (1e-12 * size + 1e-300)  # moves no fixed point
        step = np.linalg.solve(information + ridge, gradient[..., None])[..., 0]
        longest = np.abs(step).max(axis=-1)
        x = x + step * (_LONGEST / np.maximum(longest, _LONGEST))[..., None]
        arrived = longest < TOLERANCE
        if arrived.all():
            break
    return np.where(arrived[..., None], x, np.nan)


def _where(exists: Bools, counts: Floats) -> Floats:
    """Put counts that can be fitted where no fit exists, so that the others can go on."""
    anything = 1.0 - np.eye(counts.shape[-1])
    return np.where(exists[..., None, None], counts, anything)


def _strongly_connected(edges: Bools) -> Bools:
    """Whether everybody is reachable from everybody: (..., m, m) to (...)."""
    around = reachable(edges) | np.eye(edges.shape[-1], dtype=bool)
    return np.asarray(around.all(axis=(-1, -2)))
