"""OpenAI's fine-tuning files: chats, preferences, and the older prompt and completion.

Read from: OpenAI's guides on supervised fine-tuning and direct preference optimization, and its
OpenAPI description (FineTuneChatRequestInput); Together and Fireworks read the same rows, and TRL
the ones with `messages`. Checked against what labelkit writes for OpenAI. Not checked: files with
tools, whose calls cannot be kept.

A chat that ends with the assistant is a demonstration of its last answer; the earlier ones are part
of the prompt. One that ends with the user is a prompt. Where `model` names who answered, as in logs
and in WildChat and LMSYS-Chat-1M (whose chats are in `conversation`; read from their cards), the
answer is that model's completion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Chat,
    Draft,
    as_object,
    as_text,
    asked,
    chat,
    columns,
    name_of,
    objects,
    parted,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.plugins import Importer

_SIDES = ("preferred_output", "non_preferred_output")
_KNOWN = {
    "messages",
    "input",
    *_SIDES,
    "prompt",
    "completion",
    "id",
    "prompt_id",
    "model",
    "source",
}
_CHATS = ("messages", "conversation")
_OF_OTHERS = {
    *("chosen", "rejected", "rejected_response", "rejected_messages"),
    *("conversations", "instruction", "replies", "label"),
}
_SWITCHES = {"parallel_tool_calls"}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    chats = next((key for key in _CHATS if key in item), "messages")
    columns(item, _KNOWN | _SWITCHES | {chats}, lost)
    name = name_of(item.get("prompt_id") or item.get("id"))
    if "input" in item:
        yield _preference(item, name, lost)
        return
    messages, answer = _conversation(item, chats)
    lost += ["earlier answers as something to learn"] * any(
        m["role"] == "assistant" for m in messages
    )
    draft = Draft(messages, lost, prompt_id=name, source=name_of(item.get("source")))
    model = name_of(item.get("model"))
    if answer is not None and model:
        draft.completion("answer", answer, model=model)
    elif answer is not None:
        draft.demonstration(answer)
    yield draft.record


def _conversation(item: Fields, chats: str) -> tuple[Chat, str | None]:
    if chats in item:
        messages = chat(objects(item, chats), chats)
        open_end = bool(messages) and messages[-1]["role"] == "user"
        return (messages, None) if open_end else parted(messages, chats)
    prompt, completion = item.get("prompt"), item.get("completion")
    if isinstance(prompt, list) and isinstance(completion, list):
        return parted([*chat(prompt, "prompt"), *chat(completion, "completion")], "completion")
    return asked(as_text(prompt, "prompt")), as_text(completion, "completion")


def _preference(item: Fields, name: str | None, lost: Lost) -> dict[str, Any]:
    given = as_object(item["input"], "input")
    columns(given, {"messages"} | _SWITCHES, lost)
    draft = Draft(chat(objects(given, "messages", "input"), "input.messages"), lost, prompt_id=name)
    names = []
    for side in _SIDES:
        answer = chat(objects(item, side), side)
        if len(answer) != 1 or answer[0]["role"] != "assistant":
            raise RecordError(side, "must be one message of the assistant")
        names.append(draft.completion(side, answer[0]["content"]))
    draft.ranking([[each] for each in names])
    return draft.record


def recognises(item: Mapping[str, Any]) -> bool:
    keys = item.keys() - {"id", "prompt_id"}
    if keys == {"prompt", "completion"} or "preferred_output" in keys:
        return True
    messages = next((item[key] for key in _CHATS if key in item), None)
    first = messages[0] if isinstance(messages, list) and messages else None
    return isinstance(first, dict) and "role" in first and keys.isdisjoint(_OF_OTHERS)


PLUGIN = Importer(
    "OpenAI fine-tuning: chats and preferences", one_by_one(convert), recognises, labeler="openai"
)
