"""Rankings with a preference that a model can learn: some words are better than others."""

from __future__ import annotations

import random
from typing import Any

GRADES = ("excellent", "good", "fair", "poor", "awful")
TOPICS = ("rivers", "bread", "maps", "clocks", "bees", "glass", "tea", "snow", "ropes", "ink")
FILLER = ("the", "a", "then", "often", "with", "some", "more", "about", "under", "near")


def records(prompts: int = 60, *, upside_down: bool = False, seed: int = 7) -> list[dict[str, Any]]:
    """Return records of 4 to 9 completions each, ranked by their grade words, ties included."""
    rng = random.Random(seed)
    return [_record(i, rng, upside_down) for i in range(prompts)]


def _record(i: int, rng: random.Random, upside_down: bool) -> dict[str, Any]:
    grades = [rng.randrange(len(GRADES)) for _ in range(rng.randint(4, 9))]
    grades[:2] = [0, len(GRADES) - 1]
    names = [f"c{n}" for n in range(len(grades))]
    completions = [
        {"id": name, "text": _text(grade, n, rng)}
        for n, (name, grade) in enumerate(zip(names, grades, strict=True))
    ]
    order = sorted(set(grades), reverse=upside_down)
    tiers = [[n for n, g in zip(names, grades, strict=True) if g == grade] for grade in order]
    return {
        "prompt_id": f"p{i}",
        "prompt": f"Tell me number {i} about {TOPICS[i % len(TOPICS)]}, please.",
        "completions": completions,
        "rankings": [{"labeler": "ana", "tiers": tiers}],
    }


def _text(grade: int, n: int, rng: random.Random) -> str:
    words = [rng.choice(FILLER) for _ in range(rng.randint(3, 8))]
    words.insert(rng.randrange(len(words)), GRADES[grade])
    return f"{' '.join(words)} {n}."
