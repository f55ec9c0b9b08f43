"""Records for benchmarks: many rankings of 4 to 9 completions by many labelers, out of one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

MODELS = 50
LABELERS = 40


def records(prompts: int, overlap: int = 3, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Yield prompts whose completions have a true worth that labelers see through noise."""
    chance = random.Random(seed)
    skill = [chance.gauss(0, 1) for _ in range(MODELS)]
    noise = [0.4 + chance.random() for _ in range(LABELERS)]
    for i in range(prompts):
        models = chance.sample(range(MODELS), chance.randint(4, 9))
        worth = {f"c{m}": skill[m] + chance.gauss(0, 1) for m in models}
        yield {
            "prompt_id": f"p{i}",
            "prompt": f"Question {i}: what would you say?",
            "completions": [
                {"id": f"c{m}", "text": f"Answer {m} to question {i}.", "model": f"model-{m:02d}"}
                for m in models
            ],
            "rankings": [
                _ranking(worth, who, noise[who], chance, i)
                for who in chance.sample(range(LABELERS), overlap)
            ],
        }


def _ranking(
    worth: dict[str, float], who: int, noise: float, chance: random.Random, i: int
) -> dict[str, Any]:
    seen = {name: value + chance.gauss(0, noise) for name, value in worth.items()}
    order = sorted(seen, key=seen.__getitem__, reverse=True)
    tiers = [[order[0]]]
    for name in order[1:]:
        if chance.random() < 0.1:
            tiers[-1].append(name)
        else:
            tiers.append([name])
    return {
        "labeler": f"labeler-{who:02d}",
        "tiers": tiers,
        "ratings": {name: max(1, min(7, round(4 + 1.2 * value))) for name, value in seen.items()},
        "shown": chance.sample(order, len(order)),
        "seconds": round(chance.uniform(30, 300), 1),
        "submitted_at": f"2026-{1 + i % 12:02d}-{1 + i % 28:02d}T10:00:00Z",
    }


def write(path: Path, prompts: int, overlap: int = 3, seed: int = 7) -> None:
    """Write the records as JSONL."""
    with path.open("wb") as file:
        for record in records(prompts, overlap, seed):
            file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
