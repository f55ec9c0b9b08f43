"""Label Studio: tasks with annotations (JSON), and one object an annotation (JSON_MIN).

Read from: Label Studio's task format, its Ranker, Pairwise and Choices tags, and the converter of
its SDK, which writes JSON_MIN. Not checked against a server's own export.

The labeling set-up is not in the file. So the prompt is the field `prompt`, `question`, ... and the
completions are a list of objects with an `id`; or the texts whose names end in a number or a letter
(`answer1`, `answer_b`), which also say which is left; or else all other texts in their order.
Ranker orders them; buckets are tiers where their names end in a number, and are not kept otherwise.
A choice may name a completion's field, id, letter or side. A list of ids cannot say a tie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.domain.grammar import LETTERS
from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Chat,
    Draft,
    as_object,
    asked,
    chat,
    maybe_text,
    name_of,
    number,
    objects,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.importers._winners import numbered, winner_of
from labelkit.plugins import Importer

_PROMPTS = ("prompt", "question", "instruction", "query", "dialogue", "text", "context")
_TEXTS = ("body", "text", "html", "title")
_MINE = {
    *("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"),
}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    if "data" not in item:
        yield _minimal(item, lost)
        return
    data = as_object(item["data"], "data")
    draft, names = _task(data, name_of(item.get("id")), lost)
    for i, annotation in enumerate(objects(item, "annotations")):
        where = f"annotations.{i}"
        _annotation(draft, names, annotation, objects(annotation, "result", where), lost)
    lost += ["prediction"] * _length(item, "predictions") + ["draft"] * _length(item, "drafts")
    yield draft.record


def _length(item: Fields, key: str) -> int:
    value = item.get(key)
    return len(value) if isinstance(value, list) else 0


def _minimal(item: Fields, lost: Lost) -> dict[str, Any]:
    """JSON_MIN has the data, the answers by control, and who and when, all side by side."""
    results = [r for key, value in item.items() if key not in _MINE for r in _result(key, value)]
    controls = {r["from_name"] for r in results}
    data = {k: v for k, v in item.items() if k not in _MINE | controls}
    texts = [k for k, v in data.items() if isinstance(v, str)]
    draft, names = _task(data, name_of(item.get("id")), lost, skip=_answers_among(data, texts))
    for control in _answers_among(data, texts):
        said = str(data[control])
        kind = "choices" if _is_choice(said, names) else "textarea"
        value = {"choices": [said]} if kind == "choices" else {"text": [said]}
        results.append({"type": kind, "from_name": control, "value": value})
    who = {**item, "completed_by": item.get("annotator")}
    _annotation(draft, names, who, results, lost)
    return draft.record


def _result(control: str, value: Any) -> list[dict[str, Any]]:
    """A control's answers as results of the full format; a field of the data has none."""
    entries = value if isinstance(value, list) else [value]
    found = []
    for entry in entries:
        if isinstance(entry, dict):
            kind = next((k for k in ("ranker", "selected", "rating") if k in entry), None)
            if kind:
                typ = "pairwise" if kind == "selected" else kind
                found.append({"type": typ, "from_name": control, "value": entry})
            elif {"choices"} <= entry.keys() or isinstance(entry.get("text"), list):
                typ = "choices" if "choices" in entry else "textarea"
                found.append({"type": typ, "from_name": control, "value": entry})
    return found


def _answers_among(data: Fields, texts: list[str]) -> list[str]:
    """A single choice or text is written as plain text: the fields that come after the data."""
    items = any(_is_items(value) for value in data.values())
    prompt = next((key for key in _PROMPTS if key in data), None)
    free = [key for key in texts if key != prompt and not re.search(r"(\d|[_-][a-z])$", key)]
    return free if items or len(texts) - len(free) >= 2 else []


def _is_choice(said: str, names: Mapping[str, str]) -> bool:
    try:
        winner_of(said, list(dict.fromkeys(names.values())), names)
    except LookupError:
        return False
    return True


# -- the task ------------------------------------------------------------------------------------


def _is_items(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(v, dict) and "id" in v for v in value)
    )


def _task(
    data: Fields, name: str | None, lost: Lost, skip: list[str] | None = None
) -> tuple[Draft, dict[str, str]]:
    """The prompt with its completions, and everything that an answer may call each of them."""
    key = next((k for k in _PROMPTS if data.get(k)), None)
    if key is None:
        raise RecordError("data", f"none of {', '.join(_PROMPTS)} is there: no prompt")
    draft = Draft(_prompt(data, key), lost, prompt_id=name)
    names: dict[str, str] = {}
    listed = next((k for k, value in data.items() if _is_items(value)), None)
    if listed is not None:
        for i, each in enumerate(data[listed]):
            said = next((each[t] for t in _TEXTS if isinstance(each.get(t), str)), None)
            if said is None:
                raise RecordError(f"data.{listed}.{i}", f"has none of {', '.join(_TEXTS)}")
            names[str(each["id"])] = draft.completion("", said, id=str(each["id"]))
        return draft, names
    texts = [
        k for k, v in data.items() if isinstance(v, str) and k not in {key, *(skip or ())} and v
    ]
    sides = _sides(texts)
    lost += [f"field {name}" for name in texts if name not in sides]
    for letter, side in zip(LETTERS, sides, strict=False):
        names[side] = draft.completion(side, data[side])
        names.setdefault(letter, names[side])
    return draft, names


def _sides(texts: list[str]) -> list[str]:
    """The fields that are completions: numbered ones, left to right, or all if none is.

    >>> _sides(["source", "answer2", "answer1", "model_a", "model_b"])
    ['answer1', 'answer2']
    """
    found = numbered(texts)
    if len(found) > 1:
        first, second = (group[0][:40] for group in found[:2])
        raise RecordError("data", f"are {first}, ... or {second}, ... the completions?")
    return found[0] if found else texts if len(texts) > 1 else []


def _prompt(data: Fields, key: str) -> Chat:
    value = data[key]
    if isinstance(value, list):
        role = "role" if value and isinstance(value[0], dict) and "role" in value[0] else "author"
        return chat(
            value, f"data.{key}", role=role, content="content" if role == "role" else "text"
        )
    if not isinstance(value, str):
        raise RecordError(f"data.{key}", "must be text")
    return asked(value, maybe_text(data, "system"))


# -- annotations ---------------------------------------------------------------------------------


def _annotation(
    draft: Draft,
    names: Mapping[str, str],
    annotation: Fields,
    results: list[dict[str, Any]],
    lost: Lost,
) -> None:
    who = _who(annotation)
    if annotation.get("was_cancelled"):
        draft.skip("cancelled", **{**who, "labeler": who["labeler"] or "label-studio"})
        return
    said = "\n\n".join(t for r in results for t in _texts(r))
    judged = False
    for i, result in enumerate(results):
        value = as_object(result.get("value"), f"result.{i}.value")
        judged |= _judgement(draft, result, value, names, {**who, "note": said or None}, lost)
    if said.strip() and not judged:
        draft.demonstration(said, **who)


def _who(annotation: Fields) -> dict[str, Any]:
    by = annotation.get("completed_by")
    seconds = annotation.get("lead_time")
    return {
        "labeler": name_of(by.get("email") or by.get("id") if isinstance(by, dict) else by),
        "seconds": None if seconds is None else number(seconds, "lead_time"),
        "submitted_at": maybe_text(annotation, "created_at"),
    }


def _texts(result: Fields) -> list[str]:
    value = result.get("value")
    if result.get("type") != "textarea" or not isinstance(value, dict):
        return []
    said = value.get("text")
    return [str(t) for t in said] if isinstance(said, list) else [str(said)]


def _judgement(
    draft: Draft,
    result: Fields,
    value: Fields,
    names: Mapping[str, str],
    more: dict[str, Any],
    lost: Lost,
) -> bool:
    kind = result.get("type")
    if kind == "ranker":
        return _ranker(draft, as_object(value.get("ranker"), "ranker"), names, more, lost)
    if kind == "pairwise" or kind == "choices":
        said = value.get("selected") if kind == "pairwise" else value.get("choices")
        each = said if isinstance(said, list) else [said]
        if len(each) == 1 and _is_choice(str(each[0]), names):
            completions = list(dict.fromkeys(names.values()))
            winner = winner_of(str(each[0]), completions, names)
            draft.best_of(completions, winner, **more)
            return True
    if kind != "textarea":
        lost.append(f"answers of type {str(kind)[:40]}")
    return False


def _ranker(
    draft: Draft, ranker: Fields, names: Mapping[str, str], more: dict[str, Any], lost: Lost
) -> bool:
    buckets = {key: ids for key, ids in ranker.items() if key != "_"}
    for key, ids in ranker.items():
        if not isinstance(ids, list) or any(str(each) not in names for each in ids):
            raise RecordError(f"ranker.{key}", "must be a list of the completions' ids")
    if len(buckets) == 1:
        (ids,) = buckets.values()
        tiers = [[names[str(each)]] for each in ids]
    else:
        numbers = {key: re.search(r"(\d+)\D*$", key) for key in buckets}
        if not all(numbers.values()):
            lost.append("buckets without a number in their names")
            return False
        ordered = sorted(buckets, key=lambda key: int(numbers[key][1]))  # type: ignore[index]
        tiers = [[names[str(each)] for each in buckets[key]] for key in ordered]
    placed = {name for tier in tiers for name in tier}
    left = [name for name in names.values() if name not in placed]
    draft.ranking(tiers, unranked=left, **more)
    return True


def recognises(item: Mapping[str, Any]) -> bool:
    if isinstance(item.get("data"), dict):
        return "annotations" in item or "predictions" in item
    return {"annotation_id", "annotator"} <= item.keys()


PLUGIN = Importer("Label Studio tasks", one_by_one(convert), recognises, labeler="label-studio")
