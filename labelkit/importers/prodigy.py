"""Prodigy: annotated tasks as `db-out` writes them.

Read from: Prodigy's documentation of the choice, text_input and compare interfaces, and the recipes
rlhf.ranking and rlhf.respond of the demo space wesslen/prodigy-rlhf-ranking. Not checked against a
file of its own: Prodigy is sold, not published.

A choice is the best of its options; of more than two, how the others compare is not said. Ignored
and rejected tasks become skips.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Draft,
    as_object,
    asked,
    maybe_text,
    moment,
    name_of,
    objects,
    text,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.plugins import Importer

_PROMPTS = ("prompt", "instruction", "question", "text")
_TYPED = ("user_input", "response", "demonstration")
_NAMED = ("_annotator_id", "_session_id")


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    who = {
        "labeler": next((name_of(item[key]) for key in _NAMED if name_of(item.get(key))), None),
        "submitted_at": moment(item.get("_timestamp")),
    }
    yield (
        _compared(item, who, lost)
        if isinstance(item.get("input"), dict)
        else _task(item, who, lost)
    )


def _task(item: Fields, who: dict[str, Any], lost: Lost) -> dict[str, Any]:
    said = next((maybe_text(item, key) for key in _PROMPTS if maybe_text(item, key)), None)
    if said is None:
        raise RecordError("text", "is missing")
    draft = Draft(asked(said), lost, prompt_id=_id(item))
    names: dict[str, str] = {}
    for i, option in enumerate(objects(item, "options") if "options" in item else []):
        where = f"options.{i}"
        key = name_of(option.get("id")) or str(i)
        model = name_of(option.get("model"))
        names[key] = draft.completion(key, text(option, "text", where), model=model)
    if _put_back(draft, item, who):
        return draft.record
    if "options" in item:
        _choice(draft, item, names, who, lost)
    for key in _TYPED:
        if typed := maybe_text(item, key):
            draft.demonstration(typed, **who)
    return draft.record


def _choice(
    draft: Draft, item: Fields, names: Mapping[str, str], who: dict[str, Any], lost: Lost
) -> None:
    accepted = item.get("accept")
    if not isinstance(accepted, list) or any(str(each) not in names for each in accepted):
        raise RecordError("accept", "must be a list of the options' ids")
    if not accepted:
        lost.append("task without a choice")
    elif len(accepted) == 1:
        draft.best_of(list(names.values()), names[str(accepted[0])], **who)
    else:
        lost.append("choice of several options")


def _compared(item: Fields, who: dict[str, Any], lost: Lost) -> dict[str, Any]:
    """The compare interface: the answer says whether `accept` was the better one."""
    draft = Draft(asked(text(as_object(item["input"], "input"), "text", "input")), lost)
    if (name := _id(item)) is not None:
        draft.record["prompt_id"] = name
    sides = {
        key: draft.completion(key, text(as_object(item.get(key), key), "text", key))
        for key in ("accept", "reject")
    }
    if item.get("answer") == "ignore":
        _put_back(draft, item, who)
    else:
        better = "reject" if item.get("answer") == "reject" else "accept"
        draft.best_of(list(sides.values()), sides[better], **who)
    return draft.record


def _put_back(draft: Draft, item: Fields, who: dict[str, Any]) -> bool:
    answer = item.get("answer")
    if answer not in ("ignore", "reject"):
        return False
    reason = {"ignore": "ignored", "reject": "rejected"}[answer]
    draft.skip(reason, **{**who, "labeler": who["labeler"] or "prodigy"})
    return True


def _id(item: Fields) -> str | None:
    meta = item.get("meta")
    return name_of(item.get("id") or (meta.get("id") if isinstance(meta, dict) else None))


def recognises(item: Mapping[str, Any]) -> bool:
    return "_task_hash" in item or "_input_hash" in item


PLUGIN = Importer("Prodigy tasks", one_by_one(convert), recognises, labeler="prodigy")
