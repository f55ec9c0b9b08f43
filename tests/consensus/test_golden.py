"""Published elections, league tables and tastings hold to their printed digits."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from helpers import REPO

from labelkit import plugins
from labelkit.consensus._strengths import davidson, strengths, with_first_effect
from labelkit.consensus._votes import Votes
from labelkit.consensus.borda import borda_points
from labelkit.consensus.copeland import copeland_wins
from labelkit.consensus.kemeny import best_orders

GOLDEN = REPO / "tests" / "agreement" / "golden.json"
CASES = {c["name"]: c for c in json.loads(GOLDEN.read_text())}


def election(ballots: list[Any]) -> Votes:
    items = tuple(sorted(ballots[0][1]))
    wins = np.zeros((len(items), len(items)))
    for voters, ballot in ballots:
        places = [items.index(name) for name in ballot]
        for at, i in enumerate(places):
            for j in places[at + 1 :]:
                wins[i, j] += voters
    return Votes(items, wins, np.zeros(wins.shape))


def test_the_capital_of_tennessee() -> None:
    case = CASES["tennessee"]
    votes, wanted = election(case["input"]["ballots"]), case["expected"]
    assert dict(zip(votes.items, borda_points(votes), strict=True)) == wanted["borda"]
    assert dict(zip(votes.items, copeland_wins(votes), strict=True)) == wanted["copeland_wins"]
    assert votes.wins.sum() - best_orders(votes.wins)[0] == wanted["kemeny_score"]
    for name in ("kemeny", "ranked_pairs", "schulze"):
        tiers = plugins.consensus.get(name.replace("_", "-")).order(votes)
        assert [city for (city,) in tiers] == wanted[f"{name}_order"]


def test_ranked_pairs_as_open_assistant_has_them() -> None:
    case = CASES["open_assistant"]
    votes = election([[1, ballot] for ballot in case["input"]["ballots_best_first"]])
    tiers = plugins.consensus.get("ranked-pairs").order(votes)
    assert [name for (name,) in tiers] == case["expected"]["order"]


def league() -> tuple[list[str], Any, Any]:
    games = CASES["agresti_baseball"]["input"]["games"]
    teams = sorted({game[0] for game in games})
    home, away = np.zeros((2, len(teams), len(teams)))
    for host, guest, home_wins, away_wins in games:
        home[teams.index(host), teams.index(guest)] += home_wins
        away[teams.index(host), teams.index(guest)] += away_wins
    return teams, home, away


def test_baseball() -> None:
    teams, home, away = league()
    found = strengths(home + away.T)
    wanted = CASES["agresti_baseball"]["expected"]["ability"]
    for team, value in zip(teams, found - found[teams.index("Baltimore")], strict=True):
        assert value == pytest.approx(wanted[team], abs=5e-8)
    assert found.sum() == pytest.approx(0)


def test_baseball_at_home() -> None:
    teams, home, away = league()
    found, lead = with_first_effect(home, away)
    wanted = CASES["agresti_baseball"]["expected"]
    assert lead == pytest.approx(wanted["home"], abs=5e-8)
    for team, value in zip(teams, found - found[teams.index("Baltimore")], strict=True):
        assert value == pytest.approx(wanted["ability_with_home"].get(team, 0.0), abs=5e-8)


def test_chocolate_pudding() -> None:
    case = CASES["davidson_1970"]
    wins, ties = np.zeros((2, 6, 6))
    for i, j, i_wins, j_wins, tied in case["input"]["games"]:
        wins[i - 1, j - 1], wins[j - 1, i - 1] = i_wins, j_wins
        ties[i - 1, j - 1] = ties[j - 1, i - 1] = tied
    found, nu = davidson(wins, ties)
    worth = np.exp(found) / np.exp(found).sum()
    assert worth.tolist() == pytest.approx(case["expected"]["worth"], abs=5e-5)
    assert nu == pytest.approx(case["expected"]["nu"], abs=5e-5)
