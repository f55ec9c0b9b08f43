"""Data for benchmarks out of one seed: prompts, completions of some 600 characters, rankings.

The words are made up, so that texts have the lengths, repeats, quotes, line breaks and non-ASCII
letters of real ones, and nobody's words.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

MODELS = 50
LABELERS = 40
BLOCK = 2_000
TIES = 0.1
_WORDS = 20_000
_PROMPT_WORDS = (24, 8)
_COMPLETION_WORDS = (97, 35)
_RARE = ("é", "ü", "ñ", "漢字", "—", "😀", "“x”")
_MARKS = (".\n\n", "\n- ", '"', "'s", '"', "\\frac", "</b>", "\t")


class Writer:
    """Texts with the given mean and spread of words, frequent words often."""

    def __init__(self, seed: int) -> None:
        self._numbers = np.random.default_rng(seed)
        chance = random.Random(seed)
        words = [_word(chance) for _ in range(_WORDS)]
        for i in range(40, _WORDS, 37):
            words[i] += chance.choice(_RARE)
        for i in range(15, _WORDS, 29):
            words[i] += chance.choice(_MARKS)
        self._words = np.array(words, dtype=object)
        weights = 1 / np.arange(1, _WORDS + 1) ** 0.9
        self._edges = np.cumsum(weights / weights.sum())

    def texts(self, n: int, mean: float, spread: float) -> list[str]:
        sizes = np.clip(self._numbers.normal(mean, spread, n), 6, None).astype(int)
        picks = np.searchsorted(self._edges, self._numbers.random(sizes.sum()))
        words = self._words[np.minimum(picks, _WORDS - 1)].tolist()
        ends = np.cumsum(sizes).tolist()
        starts = [0, *ends[:-1]]
        return [" ".join(words[a:b]) for a, b in zip(starts, ends, strict=True)]


def _word(chance: random.Random) -> str:
    syllables = chance.choice((1, 1, 2, 2, 2, 3, 3, 4))
    return "".join(
        chance.choice("bcdfghjklmnprstvwz")
        + chance.choice("aeiou")
        + (chance.choice("bcdfghjklmnprstvwz") if chance.random() < 0.3 else "")
        for _ in range(syllables)
    )


def prompts(n: int, k: tuple[int, int], *, rankings: int = 0, seed: int = 7) -> Iterator[Any]:
    """Yield records of `n` prompts with k[0] to k[1] completions and so many rankings of each."""
    chance, writer = random.Random(seed), Writer(seed)
    for first in range(0, n, BLOCK):
        sizes = [chance.randint(*k) for _ in range(min(BLOCK, n - first))]
        asked = writer.texts(len(sizes), *_PROMPT_WORDS)
        said = iter(writer.texts(sum(sizes), *_COMPLETION_WORDS))
        for i, size in enumerate(sizes):
            models = chance.sample(range(MODELS), size)
            names = [f"c{j}" for j in range(size)]
            completions = [
                {"id": name, "text": next(said), "model": f"model-{model:02d}"}
                for name, model in zip(names, models, strict=True)
            ]
            record = {
                "prompt_id": f"p{first + i}",
                "prompt": f"{asked[i]} ({first + i})",
                "source": "synthetic",
                "completions": completions,
            }
            if rankings:
                who = chance.sample(range(LABELERS), rankings)
                record["rankings"] = [_ranking(names, one, chance) for one in who]
            yield record


def _ranking(names: list[str], labeler: int, chance: random.Random) -> dict[str, Any]:
    order = chance.sample(names, len(names))
    tiers = [[order[0]]]
    for name in order[1:]:
        if chance.random() < TIES:
            tiers[-1].append(name)
        else:
            tiers.append([name])
    return {
        "labeler": f"labeler-{labeler:02d}",
        "tiers": tiers,
        "ratings": {name: chance.randint(1, 7) for name in names},
        "seconds": round(chance.uniform(30, 300), 1),
        "submitted_at": f"2026-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}T10:00:00Z",
    }


def write(path: Path, records: Iterator[Any]) -> None:
    """Write records as JSONL."""
    with path.open("wb", buffering=1 << 20) as file:
        for record in records:
            file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def write_flat(path: Path, records: Iterator[Any]) -> None:
    """Write a line for every completion, which repeats its prompt: what most tools read."""
    lines = (
        {
            "prompt": record["prompt"],
            "response": completion["text"],
            "model": completion["model"],
            "source": record["source"],
        }
        for record in records
        for completion in record["completions"]
    )
    write(path, lines)
