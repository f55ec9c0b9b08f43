"""NVIDIA's HelpSteer: rated responses (1 and 2) and preferences between two (2 and 3).

Read from: the dataset cards of nvidia/HelpSteer, HelpSteer2 and HelpSteer3. Not checked against
their files.

Neighbouring rows with the same prompt are one ranking by helpfulness, with it as the rating (0 to
4, under the guideline helpsteer@1, for labelkit's own scale starts at 1). HelpSteer3 says what each
annotator preferred and not who they are: they are numbered within a row, and their names mean
nothing beyond it. HelpSteer2's prompts of several turns mark them with `<extra_id_1>`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Chat,
    Draft,
    asked,
    by_score,
    chat,
    columns,
    maybe_text,
    name_of,
    number,
    objects,
    text,
    versus,
)
from labelkit.importers._items import Fields, Lost, grouped
from labelkit.plugins import Importer

_GUIDELINE = "helpsteer@1"
_ASPECTS = ("correctness", "coherence", "complexity", "verbosity")
_TURN = re.compile(r"\n?<extra_id_1>(User|Assistant)\n")
_PAIR = {
    *("prompt", "context", "response1", "response2", "response_1", "response_2", "split"),
    *("domain", "language", "overall_preference", "individual_preference"),
    *("preference_strength", "preference_statement", "preference_elaboration"),
}
_RATED = {"prompt", "response", "helpfulness", "split", *_ASPECTS}


def convert(items: list[Fields], lost: Lost) -> Iterator[dict[str, Any]]:
    first = items[0]
    prompt = first.get("context") if "context" in first else first.get("prompt")
    messages = chat(prompt, "context") if isinstance(prompt, list) else _turns(first)
    draft = Draft(
        messages,
        lost,
        use_case=name_of(first.get("domain")),
        language=name_of(first.get("language")),
        split=name_of(first.get("split")),
    )
    if "response" in first:
        _rated(draft, items, lost)
    else:
        _preferred(draft, first, lost)
    yield draft.record


def _turns(item: Fields) -> Chat:
    """A prompt is one question, or begins with one and marks the turns after it."""
    first, *parts = _TURN.split(text(item, "prompt"))
    roles = {"User": "user", "Assistant": "assistant"}
    later = [
        {"role": roles[who], "content": said}
        for who, said in zip(parts[::2], parts[1::2], strict=True)
    ]
    messages = asked(first) + later
    if messages[-1]["role"] == "assistant" and not messages[-1]["content"].strip():
        messages.pop()
    return messages


def _rated(draft: Draft, items: list[Fields], lost: Lost) -> None:
    ratings: dict[str, int] = {}
    for i, item in enumerate(items):
        columns(item, _RATED, lost)
        name = draft.completion(str(i), text(item, "response"))
        ratings[name] = _helpfulness(item)
        lost += [f"rating of {aspect}" for aspect in _ASPECTS if item.get(aspect) is not None]
    draft.ranking(by_score(ratings), ratings=ratings, guideline=_GUIDELINE)


def _helpfulness(item: Fields) -> int:
    rating = number(item.get("helpfulness"), "helpfulness")
    if not 0 <= rating <= 4 or rating != int(rating):
        raise RecordError("helpfulness", "must be a whole number from 0 to 4")
    return int(rating)


def _preferred(draft: Draft, item: Fields, lost: Lost) -> None:
    columns(item, _PAIR, lost)
    names = [
        draft.completion(str(i), text(item, f"response{i}" if f"response{i}" in item else key))
        for i, key in ((1, "response_1"), (2, "response_2"))
    ]
    key = "overall_preference" if "overall_preference" in item else "preference_strength"
    people = item.get("individual_preference")
    if not people:
        lost.append("strength of a preference")
        why = maybe_text(item, "preference_elaboration") or maybe_text(item, "preference_statement")
        draft.ranking(_tiers(names, item.get(key), key), note=why, shown=names)
        return
    for i, person in enumerate(objects(item, "individual_preference")):
        where = f"individual_preference.{i}"
        lost.append("strength of a preference")
        lost += ["feedback on one response"] * any(person.get(f"feedback{n}") for n in (1, 2))
        draft.ranking(
            _tiers(names, person.get("score"), f"{where}.score"),
            labeler=f"helpsteer-{i + 1}",
            note=maybe_text(person, "reasoning", where),
            shown=names,
        )


def _tiers(names: list[str], strength: Any, where: str) -> list[list[str]]:
    """Below zero the first is better, above it the second."""
    score = number(strength, where)
    first, second = names
    return versus(first, second, None if score == 0 else names[score > 0])


def _key(item: Fields) -> Hashable:
    return (
        item.get("prompt") if isinstance(item.get("prompt"), str) and "response" in item else None
    )


def recognises(item: Mapping[str, Any]) -> bool:
    if "response" in item:
        return "helpfulness" in item and "prompt" in item
    two = {"response1", "response2"} <= item.keys() or {"response_1", "response_2"} <= item.keys()
    return two and ("overall_preference" in item or "preference_strength" in item)


PLUGIN = Importer(
    "HelpSteer ratings and preferences", grouped(_key, convert), recognises, labeler="helpsteer"
)
