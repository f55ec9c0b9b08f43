"""LLaMA-Factory 0.9.5: rows for data/converter.py, and the dataset_info.json that names them.

sharegpt rows hold a system message in the conversation itself (the converter takes a first turn
from `system`) and demand that human and gpt take turns: it drops others with a warning. `kto_tag`
must be a JSON boolean. In alpaca rows earlier turns go into `history`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import FLAG, TEXT
from labelkit.domain.models import Message
from labelkit.domain.pairs import Judged, Pair
from labelkit.domain.units import Answer
from labelkit.exporters._rows import Row, heard
from labelkit.plugins import Exporter, Seen, Stage

TURN = {"from": TEXT, "value": TEXT}
CONVERSATION = {"conversations": [TURN]}
TAGS = {"system": "system", "user": "human", "assistant": "gpt"}
CARRIES = Carries(alternating=True)


# -- sharegpt ------------------------------------------------------------------------------------


def turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"from": TAGS[m.role], "value": m.content} for m in messages]


def reply(text: str) -> dict[str, str]:
    return {"from": "gpt", "value": text}


def sft(asked: Asked, answer: Answer) -> Row:
    return {"conversations": [*turns(asked.messages), reply(answer.text)]}


def pair(asked: Asked, pair: Pair) -> Row:
    return {
        "conversations": turns(asked.messages),
        "chosen": reply(asked.texts[pair.chosen]),
        "rejected": reply(asked.texts[pair.rejected]),
    }


def kto(asked: Asked, judged: Judged) -> Row:
    conversation = [*turns(asked.messages), reply(asked.texts[judged.completion])]
    return {"conversations": conversation, "kto_tag": judged.label}


def _heard(conversation: Sequence[Mapping[str, str]]) -> str:
    return heard(conversation, "from", "value")


def read_talk(row: Mapping[str, Any]) -> Seen:
    *prompt, answer = row["conversations"]
    label = row.get("kto_tag")
    return Seen(_heard(prompt), (answer["value"],), () if "kto_tag" in row else (1,), label)


def read_pair(row: Mapping[str, Any]) -> Seen:
    answers = (row["chosen"]["value"], row["rejected"]["value"])
    return Seen(_heard(row["conversations"]), answers, (1, 2))


# -- alpaca --------------------------------------------------------------------------------------

ASKED = {"system": TEXT, "history": [[TEXT]], "instruction": TEXT, "input": TEXT}


def alpaca_prompt(asked: Asked) -> Row:
    earlier = [m.content for m in asked.turns[:-1]]
    return {
        "system": asked.system,
        "history": [earlier[i : i + 2] for i in range(0, len(earlier), 2)],
        "instruction": asked.question,
        "input": "",
    }


def alpaca_sft(asked: Asked, answer: Answer) -> Row:
    return {**alpaca_prompt(asked), "output": answer.text}


def alpaca_pair(asked: Asked, pair: Pair) -> Row:
    chosen, rejected = asked.texts[pair.chosen], asked.texts[pair.rejected]
    return {**alpaca_prompt(asked), "chosen": chosen, "rejected": rejected}


def alpaca_kto(asked: Asked, judged: Judged) -> Row:
    text = asked.texts[judged.completion]
    return {**alpaca_prompt(asked), "output": text, "kto_tag": judged.label}


def read_alpaca(row: Mapping[str, Any]) -> Seen:
    earlier = [text for pair in row["history"] for text in pair]
    prompt = "\0".join([row["system"], *earlier, row["instruction"]])
    if "chosen" in row:
        return Seen(prompt, (row["chosen"], row["rejected"]), (1, 2))
    answers = (row["output"],) if "output" in row else ()
    return Seen(prompt, answers, () if "kto_tag" in row else (1,), row.get("kto_tag"))


# -- dataset_info.json ---------------------------------------------------------------------------

_SHAREGPT = {"messages": "conversations"}
_ALPACA = {
    "prompt": "instruction",
    "query": "input",
    "system": "system",
    "history": "history",
}
_ANSWERS = {
    "sft": {"response": "output"},
    "rm": {"chosen": "chosen", "rejected": "rejected"},
    "dpo": {"chosen": "chosen", "rejected": "rejected"},
    "kto": {"response": "output", "kto_tag": "kto_tag"},
    "prompts": {},
}


def dataset_info(
    stage: str, variant: str, files: Mapping[str, Sequence[str]]
) -> Mapping[str, bytes]:
    """Name every file `labelkit_SPLIT` (and `_2`, `_3`, ... where a split has several)."""
    columns = dict(_ALPACA if variant == "alpaca" else _SHAREGPT)
    answers = _ANSWERS[stage]
    columns |= {k: v for k, v in answers.items() if variant == "alpaca" or k != "response"}
    about: dict[str, Any] = {
        "formatting": "alpaca" if variant == "alpaca" else "sharegpt",
        **({"ranking": True} if "chosen" in answers else {}),
        "columns": columns,
    }
    entries = {
        f"labelkit_{split}" + (f"_{i}" if i > 1 else ""): {"file_name": name, **about}
        for split, names in files.items()
        for i, name in enumerate(names, 1)
    }
    return {"dataset_info.json": json.dumps(entries, indent=2).encode() + b"\n"}


def _stage(row: Any, columns: Mapping[str, Any], read: Any) -> Stage:
    usage = "`dataset_dir:` this folder, `dataset: labelkit_train` (see dataset_info.json)."
    return Stage(row, columns, read, carries=CARRIES, usage=usage, quotes="rejected" in columns)


PAIR = {"chosen": TURN, "rejected": TURN}
PLUGIN = Exporter(
    title="LLaMA-Factory, sharegpt rows (--variant alpaca for alpaca rows)",
    stages={
        "sft": _stage(sft, CONVERSATION, read_talk),
        "rm": _stage(pair, CONVERSATION | PAIR, read_pair),
        "dpo": _stage(pair, CONVERSATION | PAIR, read_pair),
        "kto": _stage(kto, CONVERSATION | {"kto_tag": FLAG}, read_talk),
    },
    variants={
        "alpaca": {
            "sft": _stage(alpaca_sft, ASKED | {"output": TEXT}, read_alpaca),
            "rm": _stage(alpaca_pair, ASKED | {"chosen": TEXT, "rejected": TEXT}, read_alpaca),
            "dpo": _stage(alpaca_pair, ASKED | {"chosen": TEXT, "rejected": TEXT}, read_alpaca),
            "kto": _stage(alpaca_kto, ASKED | {"output": TEXT, "kto_tag": FLAG}, read_alpaca),
            "prompts": _stage(lambda asked, _: alpaca_prompt(asked), ASKED, read_alpaca),
        },
    },
    sidecars=dataset_info,
)
