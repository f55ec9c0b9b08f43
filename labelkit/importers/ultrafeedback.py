"""UltraFeedback: four completions of an instruction, rated by GPT-4 on four aspects.

Read from: the dataset card of openbmb/UltraFeedback. Not checked against its files.

The order is that of `fine-grained_score`, the mean over the aspects; the authors' earlier files
have only the aspects, or `overall_score`, and then it is theirs. Scores are fractions and several a
completion, so only the order and the critiques are kept. A binarized copy reads as `pairs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.importers._build import (
    Draft,
    asked,
    by_score,
    columns,
    maybe_text,
    name_of,
    number,
    objects,
    text,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.plugins import Importer

_KNOWN = {"source", "instruction", "models", "completions", "id", "prompt_id"}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    completions = objects(item, "completions")
    columns(item, _KNOWN, lost)
    draft = Draft(
        asked(text(item, "instruction")),
        lost,
        prompt_id=name_of(item.get("prompt_id") or item.get("id")),
        source=name_of(item.get("source")),
    )
    scores: dict[str, float] = {}
    notes: dict[str, str] = {}
    for i, each in enumerate(completions):
        where = f"completions.{i}"
        model = name_of(each.get("model"))
        name = draft.completion(str(i), text(each, "response", where), model=model)
        score = _score(each, where)
        if score is None:
            lost.append("completion without a score")
        else:
            scores[name] = score
            lost.append("scores as numbers")
        if critique := maybe_text(each, "critique", where):
            notes[name] = critique
        lost += ["system prompt of one completion"] * bool(each.get("custom_system_prompt"))
    draft.ranking(by_score(scores), notes={k: v for k, v in notes.items() if k in scores})
    yield draft.record


def _score(completion: Fields, where: str) -> float | None:
    if completion.get("fine-grained_score") is not None:
        return number(completion["fine-grained_score"], f"{where}.fine-grained_score")
    aspects = completion.get("annotations")
    if isinstance(aspects, dict):
        said = [a.get("Rating") for a in aspects.values() if isinstance(a, dict)]
        rated = [number(r, f"{where}.annotations") for r in said if r not in (None, "N/A")]
        if rated:
            return sum(rated) / len(rated)
    if completion.get("overall_score") is not None:
        return number(completion["overall_score"], f"{where}.overall_score")
    return None


def recognises(item: Mapping[str, Any]) -> bool:
    completions = item.get("completions")
    return "instruction" in item and isinstance(completions, list) and "prompt" not in item


PLUGIN = Importer("UltraFeedback", one_by_one(convert), recognises, labeler="gpt-4", kind="model")
