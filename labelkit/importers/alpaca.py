"""Alpaca's rows: an instruction, perhaps an input, and an output to learn from.

Read from: tatsu-lab/stanford_alpaca's README and LLaMA-Factory's data/README.md, whose alpaca rows
may also have `system`, `history`, and `chosen` with `rejected`. Checked against what labelkit
writes for LLaMA-Factory. Not checked: `kto_tag` in a published data set.

Where `generator` names a model, as in alpaca_eval's outputs, the output is that model's completion;
otherwise it is a demonstration of nobody known. databricks-dolly's rows say `context`, `response`
and `category`; read from its data set card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.domain.records import RecordError
from labelkit.importers._build import Chat, Draft, asked, columns, maybe_text, name_of, text
from labelkit.importers._instructions import instruction_and_input
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.plugins import Importer

_KNOWN = {
    *("instruction", "input", "output", "system", "history", "chosen", "rejected", "generator"),
    *("id", "prompt_id", "dataset", "kto_tag", "category"),
}
_DOLLY = {"context": "input", "response": "output"}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    if "output" not in item:
        item = {_DOLLY.get(name, name): value for name, value in item.items()}
    question = instruction_and_input(text(item, "instruction"), maybe_text(item, "input"))
    columns(item, _KNOWN, lost)
    draft = Draft(
        _before(item) + asked(question),
        lost,
        prompt_id=name_of(item.get("prompt_id") or item.get("id")),
        source=name_of(item.get("dataset")),
        use_case=name_of(item.get("category")),
    )
    output = maybe_text(item, "output")
    model = name_of(item.get("generator"))
    if output and (model or item.get("kto_tag") is not None):
        draft.completion("output", output, model=model)
        lost += ["whether a completion was liked"] * (item.get("kto_tag") is not None)
    elif output:
        draft.demonstration(output)
    if item.get("chosen") is not None or item.get("rejected") is not None:
        better = draft.completion("chosen", text(item, "chosen"))
        draft.ranking([[better], [draft.completion("rejected", text(item, "rejected"))]])
    yield draft.record


def _before(item: Fields) -> Chat:
    """The system message and earlier turns."""
    system = maybe_text(item, "system")
    messages: Chat = [{"role": "system", "content": system}] if system else []
    history = item.get("history") or []
    if not isinstance(history, list):
        raise RecordError("history", "must be a list")
    for i, turn in enumerate(history):
        if (
            not isinstance(turn, list)
            or len(turn) != 2
            or not all(isinstance(t, str) for t in turn)
        ):
            raise RecordError(f"history.{i}", "must be a question and an answer")
        messages += [
            {"role": "user", "content": turn[0]},
            {"role": "assistant", "content": turn[1]},
        ]
    return messages


def recognises(item: Mapping[str, Any]) -> bool:
    listed = isinstance(item.get("chosen"), list)  # then it is a pair of conversations
    told = not item.keys().isdisjoint(("output", "chosen", "response"))
    asks = "input" in item and item.keys() <= _KNOWN  # a prompt, and nobody's answer to it
    return "instruction" in item and (told or asks) and not listed


PLUGIN = Importer("Alpaca instructions", one_by_one(convert), recognises, labeler="alpaca")
