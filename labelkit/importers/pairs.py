r"""Chosen and rejected: TRL's preference rows, hh-rlhf's transcripts, ms-swift's rows.

Read from: TRL's "Dataset formats" (standard and conversational, explicit and implicit prompt) and
Anthropic's hh-rlhf, whose rows are two transcripts of `\n\nHuman: ...\n\nAssistant: ...`. Checked
against hh-rlhf's own harmless-base test split and against what labelkit writes for TRL, ms-swift
and OpenRLHF. Not checked: rows with tools, and the model columns of published sets.

The prompt may also be called `question` or `input`; ms-swift has the chosen answer at the end of
`messages`, and beside it `rejected_response` or `rejected_messages`.

A completion is one text, so a pair whose sides part before the last answer cannot be kept.
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
    chat,
    columns,
    maybe_text,
    name_of,
    objects,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.importers._transcripts import is_transcript, open_transcript, transcript
from labelkit.plugins import Importer

_PROMPT = ("prompt", "question", "input")
_SWIFT = ("rejected_response", "rejected_messages")
_KNOWN = {"prompt_id", "id", "chosen", "rejected", "system", "messages", "ranking_id", "source"}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    row = _plain(item)
    for key in ("chosen", "rejected"):
        if row.get(key) is None:
            raise RecordError(key, "is missing")
    messages, chosen, rejected = _sides(row)
    lost += ["margin"] * (row.get("margin") is not None)
    models = [_model(row, side) for side in ("chosen", "rejected")]
    columns(row, _KNOWN | {"prompt", "margin", *(column for column, _ in models)}, lost)
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


def _sides(item: Fields) -> tuple[Chat, str, str]:
    """The prompt and both answers, whichever way the row has them."""
    chosen, rejected, prompt = item["chosen"], item["rejected"], item.get("prompt")
    if isinstance(chosen, dict) and isinstance(rejected, dict):
        chosen, rejected = [chosen], [rejected]
    if isinstance(chosen, list) and isinstance(rejected, list):
        return _from_chats(item, chat(chosen, "chosen"), chat(rejected, "rejected"))
    better, worse = as_text(chosen, "chosen"), as_text(rejected, "rejected")
    if prompt is None and is_transcript(better) and is_transcript(worse):
        return _apart(transcript(better), transcript(worse))
    if prompt is None:
        raise RecordError("prompt", "is missing, and chosen is no transcript that would hold it")
    return _prompt(item), better, worse


def _prompt(item: Fields) -> Chat:
    prompt = item["prompt"]
    system = maybe_text(item, "system")
    if isinstance(prompt, list):
        return chat(prompt, "prompt")
    said = as_text(prompt, "prompt")
    return open_transcript(said) if is_transcript(said) else asked(said, system)


def _from_chats(item: Fields, chosen: Chat, rejected: Chat) -> tuple[Chat, str, str]:
    if item.get("prompt") is not None and len(chosen) == len(rejected) == 1:
        return _prompt(item), chosen[0]["content"], rejected[0]["content"]
    # UltraFeedback-binarized has whole conversations and a prompt that repeats their first.
    return _apart(chosen, rejected)


def _apart(chosen: Chat, rejected: Chat) -> tuple[Chat, str, str]:
    prompt, (better, worse) = apart({"chosen": chosen, "rejected": rejected})
    return prompt, better, worse


def recognises(item: Mapping[str, Any]) -> bool:
    if "messages" in item and not item.keys().isdisjoint(_SWIFT):
        return True
    if item.get("chosen") is None or item.get("rejected") is None:
        return False
    return not {"conversations", "instruction"} & item.keys()


PLUGIN = Importer(
    "chosen and rejected: TRL, hh-rlhf, ms-swift", one_by_one(convert), recognises, labeler="pairs"
)
