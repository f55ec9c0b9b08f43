"""Argilla: records with fields, questions and everybody's responses.

Read from: the code of Argilla's SDK 2 (`to_json` and the flat `to_datasets`) and of 1.29
(`FeedbackDataset` as JSON, and its Hugging Face form). Not checked against a server's own export.

A ranking question ranks fields by name; SDK 2 writes them in order, so ties are in version 1's
files only. A label question whose answers name fields, their letters or a tie is a choice of the
best; of several such questions the first counts. A rating question named after a field rates it,
under the guideline argilla@1, for the scale is not in the file. A text answer is a note beside a
ranking, and a demonstration otherwise; the files do not tell texts from labels, so a short one
beside completions is not taken for a demonstration. Discarded responses become skips and drafts are
not taken; SDK 2's JSON does not say which is which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from labelkit.domain.models import K_LEAST
from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Chat,
    Draft,
    as_object,
    asked,
    by_score,
    chat,
    name_of,
    number,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.importers._winners import SHORT, SIDES, Words, numbered
from labelkit.plugins import Importer

_PROMPTS = ("prompt", "instruction", "question", "query", "input", "conversation", "text")
_SYSTEM = ("system_prompt", "system")
_OF_RECORD = {"id", "_server_id", "status", "external_id", "metadata"}
_GUIDELINE = "argilla@1"
_FLAT = ".responses"
_PUNCTUATION = re.compile(r"[\W_]+")


class Answer(NamedTuple):
    """What one person answered to one question."""

    user: str | None
    value: Any
    status: str | None


Answers = Mapping[str, list[Answer]]


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    answers = _answers(item)
    fields = _fields(item, answers)
    key = next((name for name in _PROMPTS if fields.get(name)), None)
    if key is None:
        raise RecordError("fields", f"none of {', '.join(_PROMPTS)} is there: no prompt")
    others = {name: v for name, v in fields.items() if name != key and isinstance(v, str)}
    draft = Draft(
        _prompt(fields, key, others), lost, prompt_id=_id(item), meta=_metadata(item, lost)
    )
    candidates = _candidates(others, answers)
    names = {name: draft.completion(name, others[name]) for name in candidates}
    lost += [f"field {name}" for name in others if name not in {*candidates, *_SYSTEM}]
    people = dict.fromkeys(a.user for said in answers.values() for a in said)
    for user in people:
        _person(draft, user, _of(answers, user), names, lost)
    lost += ["suggestion"] * _suggestions(item)
    yield draft.record


# -- the four ways to write a record -------------------------------------------------------------


def _answers(item: Fields) -> dict[str, list[Answer]]:
    """All answers by question, from whichever form the record has."""
    responses = item.get("responses")
    if isinstance(responses, dict):  # SDK 2, to_json
        return {
            question: [Answer(name_of(r.get("user_id")), r.get("value"), None) for r in _list(said)]
            for question, said in responses.items()
        }
    if isinstance(responses, list):  # version 1, FeedbackRecord
        found: dict[str, list[Answer]] = {}
        for i, response in enumerate(responses):
            values = as_object(as_object(response, f"responses.{i}").get("values") or {}, "values")
            for question, said in values.items() or [("", None)]:
                value = said.get("value") if isinstance(said, dict) else said
                user, status = name_of(response.get("user_id")), name_of(response.get("status"))
                found.setdefault(question, []).append(Answer(user, value, status))
        return found
    return _flat_answers(item)


def _flat_answers(item: Fields) -> dict[str, list[Answer]]:
    found = {}
    for key, value in item.items():
        if key.endswith(_FLAT):  # SDK 2, to_datasets
            values = value or []
            if not isinstance(values, list):
                raise RecordError(key, "must be a list")
            users = _as_many(item, f"{key}.users", values)
            states = _as_many(item, f"{key}.status", values)
            found[key.removesuffix(_FLAT)] = [
                Answer(name_of(u), v, name_of(s))
                for u, v, s in zip(users, values, states, strict=True)
            ]
        elif _is_question(value):  # version 1, on the Hugging Face hub
            found[key] = [
                Answer(name_of(r.get("user_id")), r.get("value"), name_of(r.get("status")))
                for r in _list(value)
            ]
    return found


def _as_many(item: Fields, key: str, values: list[Any]) -> list[Any]:
    """What goes with each answer: nothing, or a list as long as theirs."""
    said = item.get(key) or [None] * len(values)
    if not isinstance(said, list) or len(said) != len(values):
        raise RecordError(key, "must be a list with one entry an answer")
    return said


def _is_question(value: Any) -> bool:
    return any(
        isinstance(r, dict) and {"user_id", "value", "status"} <= r.keys() for r in _list(value)
    )


def _list(value: Any) -> list[dict[str, Any]]:
    """A list of objects; Hugging Face may write it as an object of lists."""
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        return [dict(zip(value, row, strict=False)) for row in zip(*value.values(), strict=False)]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _fields(item: Fields, answers: Answers) -> dict[str, Any]:
    if "fields" in item:
        return as_object(item["fields"], "fields")
    names = (k for k in item if "." not in k and "-suggestion" not in k)
    return {k: item[k] for k in names if k not in answers and k not in _OF_RECORD}


def _id(item: Fields) -> str | None:
    return name_of(item.get("external_id") or item.get("id"))


def _metadata(item: Fields, lost: Lost) -> dict[str, Any]:
    value = item.get("metadata")
    if isinstance(value, str) and value not in ("", "{}"):  # version 1 writes it as text
        lost.append("metadata written as text")
    return value if isinstance(value, dict) else {}


def _suggestions(item: Fields) -> int:
    nested = item.get("suggestions")
    flat = [v for k, v in item.items() if k.endswith((".suggestion", "-suggestion")) and v]
    return len(nested) if isinstance(nested, dict | list) else len(flat)


# -- what the answers mean -----------------------------------------------------------------------


def _prompt(fields: Fields, key: str, others: Mapping[str, str]) -> Chat:
    value = fields[key]
    if isinstance(value, list):
        return chat(value, f"fields.{key}")
    if not isinstance(value, str):
        raise RecordError(f"fields.{key}", "must be text")
    return asked(value, next((others[name] for name in _SYSTEM if others.get(name)), None))


def _places(value: Any) -> list[tuple[str, float]] | None:
    """The names and ranks that a ranking's answer holds, or None where it is no ranking."""
    entries = _list(value)
    if entries and all("value" in e for e in entries):
        return [
            (str(e["value"]), number(i if e.get("rank") is None else e["rank"], "rank"))
            for i, e in enumerate(entries)
        ]
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return [(name, float(i)) for i, name in enumerate(value)]
    return None


def _candidates(others: Mapping[str, str], answers: Answers) -> list[str]:
    """The fields that answers rank or choose among."""
    values = [a.value for said in answers.values() for a in said]
    named = {name for v in values for name, _ in _places(v) or ()}
    named = (named | {v for v in values if isinstance(v, str)}) & set(others)
    free = [name for name in others if name not in _SYSTEM]
    groups = [group for group in numbered(free) if named <= set(group)]
    if len(groups) == 1:
        return groups[0]
    if named and len(named) < K_LEAST == len(free):
        return free  # the other one is what was not chosen
    return [name for name in others if name in named] or [
        name for name in free if re.search(r"(\d|[_-][a-z])$", name)
    ]


def _of(answers: Answers, user: str | None) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for question, said in answers.items():
        for answer in said:
            if answer.user == user:
                found.setdefault(question, answer)
    return found


def _person(
    draft: Draft,
    user: str | None,
    said: Mapping[str, Answer],
    names: Mapping[str, str],
    lost: Lost,
) -> None:
    states = {answer.status for answer in said.values()}
    if "discarded" in states:
        draft.skip("discarded", labeler=user or "argilla")
    if states & {"discarded", "draft"}:
        lost += ["draft"] * ("draft" in states)
        return
    texts = {q: a.value for q, a in said.items() if isinstance(a.value, str)}
    chosen = _choices(said, names)
    note = "\n\n".join(text for q, text in texts.items() if q not in chosen)
    more: dict[str, Any] = {"labeler": user, "note": note or None}
    if ratings := _ratings(said, names):
        more |= {"ratings": ratings, "guideline": _GUIDELINE}
    judged = [_ranked(draft, q, a.value, names, more, lost) for q, a in said.items()]
    if any(judged) or _chose(draft, chosen, names, more, lost):
        return
    lost += ["rating without a ranking"] * len(ratings)
    for question, text in texts.items():
        if len(names) >= K_LEAST and len(text) < SHORT:
            lost.append(f"answers to {question}")  # a label, rather than an answer to the prompt
        elif text.strip():
            draft.demonstration(text, labeler=user)


def _choices(said: Mapping[str, Answer], names: Mapping[str, str]) -> dict[str, str | None]:
    """The answers that name a field, its letter or number, a side or a tie, by question.

    Beside a ranking they are remarks.
    """
    if len(names) < K_LEAST or any(_is_order(answer.value, names) for answer in said.values()):
        return {}
    letters = dict(zip(SIDES, names.values(), strict=False))
    words = Words(names, letters)
    for field, name in names.items():
        words.add(_PUNCTUATION.sub("", field), name)
    chosen: dict[str, str | None] = {}
    for question, answer in said.items():
        text = answer.value if isinstance(answer.value, str) else ""
        for word in (text.strip(), _PUNCTUATION.sub("", text)):
            try:
                chosen.setdefault(question, words.winner(word, {}))
            except RecordError:
                continue
    return chosen


def _chose(
    draft: Draft,
    chosen: Mapping[str, str | None],
    names: Mapping[str, str],
    more: Mapping[str, Any],
    lost: Lost,
) -> bool:
    """Add the first choice, if any. Another one of the same person's is about something else."""
    if not chosen:
        return False
    (_, winner), *others = chosen.items()
    lost += [f"answers to {question}" for question, _ in others]
    lost += ["rating beside a choice"] * len(more.get("ratings") or {})
    plain = {k: v for k, v in more.items() if k not in ("ratings", "guideline")}
    draft.best_of(list(names.values()), winner, **plain)
    return True


def _ratings(said: Mapping[str, Answer], names: Mapping[str, str]) -> dict[str, int]:
    """The ratings of completions: a question `quality_response-1` rates the field response-1."""
    found = {}
    for question, answer in said.items():
        rated = next((n for n in names if question.endswith((f"_{n}", f"-{n}"))), None)
        if rated and isinstance(answer.value, int):
            found[names[rated]] = answer.value
    return found


def _is_order(value: Any, names: Mapping[str, str]) -> bool:
    """Whether an answer is a ranking. A list of some of the fields is one of several labels."""
    places = _places(value)
    if places is None:
        return False
    return isinstance(value, dict) or _list(value) != [] or {n for n, _ in places} == set(names)


def _ranked(
    draft: Draft,
    question: str,
    value: Any,
    names: Mapping[str, str],
    more: Mapping[str, Any],
    lost: Lost,
) -> bool:
    """Add what one answer says about the order, and return whether it said any."""
    if _is_order(value, names):
        places = _places(value) or []
        if strange := [name for name, _ in places if name not in names]:
            raise RecordError(question, f"ranks {strange[0][:40]!r}, and there is no such field")
        draft.ranking(by_score({names[name]: -rank for name, rank in places}), **more)
        return True
    scalar = isinstance(value, int | float) and not more.get("ratings")
    if scalar or (isinstance(value, list) and value):
        lost.append(f"answers to {question}")
    return False


def recognises(item: Mapping[str, Any]) -> bool:
    if isinstance(item.get("fields"), dict) and "responses" in item:
        return True
    return any(k.endswith(_FLAT) for k in item) or any(_is_question(v) for v in item.values())


PLUGIN = Importer("Argilla records", one_by_one(convert), recognises, labeler="argilla")
