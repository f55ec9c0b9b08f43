r"""Chosen and rejected: TRL's preference rows and hh-rlhf's transcripts.

Read from: TRL's "Dataset formats" (standard and conversational, explicit and implicit prompt) and
Anthropic's hh-rlhf, whose rows are two transcripts of `\n\nHuman: ...\n\nAssistant: ...`. Checked
against hh-rlhf's own harmless-base test split and against what labelkit writes for TRL. Not
checked: rows with tools.

A completion is one text, so a pair whose sides part before the last answer cannot be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Chat,
    Draft,
    as_text,
    asked,
    chat,
    columns,
    maybe_text,
    name_of,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.importers._transcripts import is_transcript, open_transcript, transcript
from labelkit.plugins import Importer

_KNOWN = {"prompt", "prompt_id", "id", "chosen", "rejected", "system", "messages", "ranking_id"}
_EARLY = "chosen and rejected part before the last answer, and a completion is one answer"


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    for key in ("chosen", "rejected"):
        if item.get(key) is None:
            raise RecordError(key, "is missing")
    messages, chosen, rejected = _sides(item)
    if item.get("margin") is not None:
        lost.append("margin")
    columns(item, _KNOWN | {"margin"}, lost)
    draft = Draft(messages, lost, prompt_id=name_of(item.get("prompt_id") or item.get("id")))
    better = draft.completion("chosen", chosen)
    worse = draft.completion("rejected", rejected)
    draft.ranking([[better], [worse]])
    yield draft.record


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
    if item.get("prompt") is None or min(len(chosen), len(rejected)) > 1:
        # UltraFeedback-binarized has whole conversations and a prompt that repeats their first.
        return _apart(chosen, rejected)
    if not len(chosen) == len(rejected) == 1:
        raise RecordError("rejected", _EARLY)
    return _prompt(item), chosen[0]["content"], rejected[0]["content"]


def _apart(chosen: Chat, rejected: Chat) -> tuple[Chat, str, str]:
    """What both share is the prompt; what is left must be one answer each."""
    last = min(len(chosen), len(rejected)) - 1
    same = len(chosen) == len(rejected) and chosen[:last] == rejected[:last]
    if last < 1 or not same:
        raise RecordError("rejected", _EARLY)
    for key, side in (("chosen", chosen), ("rejected", rejected)):
        if side[last]["role"] != "assistant":
            raise RecordError(key, "must end with an answer of the assistant")
    return chosen[:last], chosen[last]["content"], rejected[last]["content"]


def recognises(item: Mapping[str, Any]) -> bool:
    if item.get("chosen") is None or item.get("rejected") is None:
        return False
    return not {"conversations", "instruction"} & item.keys()


PLUGIN = Importer(
    "chosen and rejected: TRL, hh-rlhf", one_by_one(convert), recognises, labeler="pairs"
)
