"""Self-Instruct's tasks: an instruction and the instances that people wrote for it.

Read from: yizhongw/self-instruct, data/seed_tasks.jsonl and its README. Checked against all 175 of
its seed tasks. Not checked: `user_oriented_instructions.jsonl`, which has `motivation_app` besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.importers._build import Draft, asked, columns, maybe_text, name_of, objects, text
from labelkit.importers._instructions import instruction_and_input
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.plugins import Importer

_KNOWN = {"id", "name", "instruction", "instances", "is_classification", "motivation_app"}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    instruction = text(item, "instruction")
    columns(item, _KNOWN, lost)
    about = {key: item[key] for key in ("name", "motivation_app") if maybe_text(item, key)}
    task = name_of(item.get("id"))
    for i, instance in enumerate(objects(item, "instances")):
        where = f"instances.{i}"
        draft = Draft(
            asked(instruction_and_input(instruction, maybe_text(instance, "input", where))),
            lost,
            prompt_id=f"{task}-{i}" if task and i else task,
            use_case="classification" if item.get("is_classification") is True else None,
            meta=about,
        )
        draft.demonstration(text(instance, "output", where))
        yield draft.record


def recognises(item: Mapping[str, Any]) -> bool:
    return "instruction" in item and isinstance(item.get("instances"), list)


PLUGIN = Importer("Self-Instruct tasks", one_by_one(convert), recognises)
