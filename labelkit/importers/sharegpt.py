"""ShareGPT's conversations: `from` human or gpt, and `value`.

Read from: LLaMA-Factory's data/README.md (sharegpt rows, also with `system`, `chosen` and
`rejected`) and FastChat's data format. Checked against what labelkit writes for LLaMA-Factory. Not
checked: the scraped ShareGPT files themselves, and rows that call functions, which are refused.

A conversation that ends with the model is a demonstration of its last answer, by nobody known. In
LIMA's rows (read from its card) the turns are texts, the person's first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.importers._build import (
    Chat,
    Draft,
    chat,
    columns,
    headed,
    maybe_text,
    name_of,
    objects,
    parted,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.plugins import Importer

_KNOWN = {"id", "prompt_id", "conversations", "system", "chosen", "rejected", "kto_tag", "source"}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    columns(item, _KNOWN, lost)
    turns = headed(_said(item), maybe_text(item, "system"), lost)
    name = name_of(item.get("prompt_id") or item.get("id"))
    source = name_of(item.get("source"))
    if "chosen" in item or "rejected" in item:
        draft = Draft(turns, lost, prompt_id=name, source=source)
        names = []
        for side in ("chosen", "rejected"):
            (answer,) = _turns([item.get(side)], side)
            names.append(draft.completion(side, answer["content"]))
        draft.ranking([[each] for each in names])
        yield draft.record
        return
    yield _conversation(item, turns, lost, prompt_id=name, source=source)


def _said(item: Fields) -> Chat:
    said = item.get("conversations")
    if isinstance(said, list) and said and all(isinstance(turn, str) for turn in said):
        return [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(said)]
    return _turns(objects(item, "conversations"), "conversations")


def _conversation(item: Fields, turns: Chat, lost: Lost, **about: str | None) -> dict[str, Any]:
    if turns and turns[-1]["role"] == "user":
        return Draft(turns, lost, **about).record
    messages, answer = parted(turns, "conversations")
    earlier = any(m["role"] == "assistant" for m in messages)
    lost += ["earlier answers as something to learn"] * earlier
    draft = Draft(messages, lost, **about)
    if item.get("kto_tag") is None:
        draft.demonstration(answer)
    else:
        draft.completion("answer", answer)
        lost.append("whether a completion was liked")
    return draft.record


def _turns(values: list[Any], where: str) -> Chat:
    return chat(values, where, role="from", content="value")


def recognises(item: Mapping[str, Any]) -> bool:
    turns = item.get("conversations")
    first = turns[0] if isinstance(turns, list) and turns else None
    return isinstance(first, str) or (isinstance(first, dict) and "from" in first)


PLUGIN = Importer("ShareGPT conversations", one_by_one(convert), recognises, labeler="sharegpt")
