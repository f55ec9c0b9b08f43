r"""Chosen and rejected: TRL's preference rows, hh-rlhf's transcripts, ms-swift's rows.

Read from: TRL's "Dataset formats" (standard and conversational, explicit and implicit prompt) and
Anthropic's hh-rlhf, whose rows are two transcripts of `\n\nHuman: ...\n\nAssistant: ...`. Checked
against hh-rlhf's own harmless-base test split and against what labelkit writes for TRL, ms-swift
and OpenRLHF. Not checked: rows with tools, and the model columns of published sets.

The prompt may also be called `question` or `input`, or `instruction` beside lists of messages, and
the sides `chosen_response` and `rejected_response`; ms-swift has the chosen answer at the end of
`messages`, and beside it `rejected_response` or `rejected_messages`.

A completion is one text, so a pair whose sides part before the last answer cannot be kept. Scores
are not kept, but it is said where they contradict what was chosen: published sets hold such rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Chat,
    Draft,
    apart,
    as_text,
    asked,
    beyond,
    chat,
    columns,
    headed,
    maybe_text,
    name_of,
    objects,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.importers._transcripts import is_transcript, open_transcript, transcript
from labelkit.plugins import Importer

_PROMPT = ("prompt", "question", "instruction", "input")
_SWIFT = ("rejected_response", "rejected_messages")
_KNOWN = {"prompt_id", "id", "chosen", "rejected", "system", "ranking_id", "source"}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    row = _plain(item)
    for key in ("chosen", "rejected"):
        if row.get(key) is None:
            raise RecordError(key, "is missing")
    messages, chosen, rejected = _sides(row, lost)
    lost += _contradictions(row)
    lost += ["margin"] * (row.get("margin") is not None)
    models = [_model(row, side) for side in ("chosen", "rejected")]
    known = _KNOWN | {"prompt", "margin", *(column for column, _ in models)}
    if row.get("messages") == row["chosen"]:  # UltraFeedback-binarized says it twice
        known.add("messages")
    columns(row, known, lost)
    draft = Draft(
        messages,
        lost,
        prompt_id=name_of(row.get("prompt_id") or row.get("id")),
        source=name_of(row.get("source")),
    )
    better = draft.completion("chosen", chosen, model=models[0][1])
    worse = draft.completion("rejected", rejected, model=models[1][1])
    draft.ranking([[better], [worse]])
    yield draft.record


def _plain(item: Fields) -> dict[str, Any]:
    """The row by TRL's names."""
    row = dict(item)
    if "chosen_response" in row:  # Argilla's older sets
        row |= {side: row.pop(f"{side}_response", None) for side in ("chosen", "rejected")}
    asked_by = next((name for name in _PROMPT if row.get(name) is not None), None)
    if asked_by:
        row["prompt"] = row.pop(asked_by)
    if not row.keys().isdisjoint(_SWIFT):
        row["chosen"] = objects(row, "messages")
        row["rejected"] = row.pop("rejected_messages", None)
        answer = row.pop("rejected_response", None)
        if answer is not None:
            said = {"role": "assistant", "content": as_text(answer, "rejected_response")}
            row["rejected"] = [*row["chosen"][:-1], said]
    return row


def _model(row: Fields, side: str) -> tuple[str, str | None]:
    """The column that says which model a side is from, and what it says."""
    column = f"{side}-model" if f"{side}-model" in row else f"{side}_model"
    return column, name_of(row.get(column))


def _contradictions(row: Fields) -> list[str]:
    """What scores of the two sides say against the choice, whatever their columns are called."""
    found = []
    for column, better in row.items():
        worse = row.get(column.replace("chosen", "rejected")) if "chosen" in column else None
        if all(isinstance(n, int | float) and not isinstance(n, bool) for n in (better, worse)):
            if better == worse:
                found.append(f"{column} that is the same for rejected")
            elif better < worse:
                found.append(f"{column} that is lower than for rejected")
    return found


def _sides(item: Fields, lost: Lost) -> tuple[Chat, str, str]:
    """The prompt and both answers, whichever way the row has them."""
    chosen, rejected, prompt = item["chosen"], item["rejected"], item.get("prompt")
    if isinstance(chosen, dict) and isinstance(rejected, dict):
        chosen, rejected = [chosen], [rejected]
    if isinstance(chosen, list) and isinstance(rejected, list):
        return _from_chats(item, chat(chosen, "chosen"), chat(rejected, "rejected"), lost)
    better, worse = as_text(chosen, "chosen"), as_text(rejected, "rejected")
    if is_transcript(better) and is_transcript(worse):
        return _whole(item, transcript(better), transcript(worse), lost)
    if prompt is None:
        raise RecordError("prompt", "is missing, and chosen is no transcript that would hold it")
    if isinstance(prompt, str) and is_transcript(prompt) and prompt.endswith("Assistant:"):
        # The space after the marker is the marker's, as in a transcript that goes on.
        better, worse = better.removeprefix(" "), worse.removeprefix(" ")
    return _headed(item, _prompt(item), lost), better, worse


def _prompt(item: Fields) -> Chat:
    """What the column says, without the system message of another one."""
    prompt = item["prompt"]
    if isinstance(prompt, list):
        return chat(prompt, "prompt")
    said = as_text(prompt, "prompt")
    return open_transcript(said) if is_transcript(said) else asked(said)


def _headed(item: Fields, messages: Chat, lost: Lost) -> Chat:
    return headed(messages, maybe_text(item, "system"), lost)


def _from_chats(item: Fields, chosen: Chat, rejected: Chat, lost: Lost) -> tuple[Chat, str, str]:
    if item.get("prompt") is not None:
        if len(chosen) == len(rejected) == 1:
            return _headed(item, _prompt(item), lost), chosen[0]["content"], rejected[0]["content"]
        if all(side and side[0]["role"] == "assistant" for side in (chosen, rejected)):
            prompt = _headed(item, _prompt(item), lost)
            return _apart([*prompt, *chosen], [*prompt, *rejected])
    return _whole(item, chosen, rejected, lost)


def _whole(item: Fields, chosen: Chat, rejected: Chat, lost: Lost) -> tuple[Chat, str, str]:
    """Whole conversations, whatever the prompt beside them is."""
    messages, better, worse = _apart(chosen, rejected)
    beside = [] if item.get("prompt") is None else _prompt(item)
    messages = _headed(item, beyond(beside, messages, lost), lost)
    return messages, better, worse


def _apart(chosen: Chat, rejected: Chat) -> tuple[Chat, str, str]:
    prompt, (better, worse) = apart({"chosen": chosen, "rejected": rejected})
    return prompt, better, worse


def recognises(item: Mapping[str, Any]) -> bool:
    if "messages" in item and not item.keys().isdisjoint(_SWIFT):
        return True
    if {"chosen_response", "rejected_response"} <= item.keys():
        return "chosen" not in item
    if item.get("chosen") is None or item.get("rejected") is None:
        return False
    listed = isinstance(item["chosen"], list)
    return "conversations" not in item and (listed or "instruction" not in item)


PLUGIN = Importer(
    "chosen and rejected: TRL, hh-rlhf, ms-swift", one_by_one(convert), recognises, labeler="pairs"
)
