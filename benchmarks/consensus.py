"""How fast a league of models is fitted, and whether it is the right one.

python -m benchmarks.consensus [ROUNDS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks._against import against, call, present, same
from labelkit.consensus._league import Results, fit

GAMES, MODELS = 1_000_000, 50
PEERS = {"evalica": 0.05, "arena-rank": 0.05}
REFERENCE = "choix"


def games() -> dict[str, np.ndarray]:
    """A million games between models of known strength, one in ten a tie."""
    chance = np.random.default_rng(5)
    strength = np.sort(chance.normal(0, 1, MODELS))
    a = chance.integers(0, MODELS, GAMES)
    b = (a + chance.integers(1, MODELS, GAMES)) % MODELS
    won = chance.random(GAMES) < 1 / (1 + np.exp(strength[b] - strength[a]))
    value = np.where(chance.random(GAMES) < 0.1, 0, np.where(won, 1, -1))
    return {"a": a, "b": b, "value": value, "models": np.array(MODELS)}


def scores(played: dict[str, np.ndarray]) -> np.ndarray:
    """Count the games and fit Bradley-Terry, ties as half wins."""
    cell = (played["a"] * MODELS + played["b"]) * 3 + played["value"] + 1
    lost, tied, won = np.bincount(cell, minlength=3 * MODELS**2).reshape(MODELS, MODELS, 3).T
    results = Results(wins=won.T + lost.astype(float), ties=tied + tied.T.astype(float))
    found, _ = fit(results)
    return found


def main() -> bool:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print("\n## Bradley-Terry\n")
    played = games()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "games.npz"
        np.savez(data, **played)
        ours = scores(played)
        for peer, within in {REFERENCE: 1e-6, "evalica": 1e-6, "arena-rank": 1e-3}.items():
            if present([peer]):
                theirs = np.array(call(peer, data)["value"])
                same(peer, ours - ours.mean(), theirs - theirs.mean(), within)
        return against("league of 50 from a million games", lambda: scores(played), PEERS, data, n)


if __name__ == "__main__":
    sys.exit(not main())
