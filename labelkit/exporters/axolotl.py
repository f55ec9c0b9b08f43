"""Axolotl 0.19 (prompt_strategies/).

sft is read by `type: chat_template`; dpo by `chat_template.default`. The reward model's
`bradley_terry.chat_template` takes one turn only and needs a `system` text in every row, empty or
not: its documentation calls the column optional, its code does not. kto is read by
`chatml.argilla_chat`, whose `completion` is the whole conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import CHAT, FLAG, TEXT
from labelkit.domain.pairs import Judged, Pair
from labelkit.exporters._rows import Row, heard, messages_stage, said
from labelkit.plugins import Exporter, Seen, Stage

MESSAGE = {"role": TEXT, "content": TEXT}


def rm(asked: Asked, pair: Pair) -> Row:
    return {
        "system": asked.system,
        "input": asked.question,
        "chosen": asked.texts[pair.chosen],
        "rejected": asked.texts[pair.rejected],
    }


def _read_rm(row: Mapping[str, Any]) -> Seen:
    prompt = f"{row['system']}\0{row['input']}"
    return Seen(prompt, (row["chosen"], row["rejected"]), (1, 2))


def dpo(asked: Asked, pair: Pair) -> Row:
    return {
        "messages": asked.chat,
        "chosen": said(asked.texts[pair.chosen])[0],
        "rejected": said(asked.texts[pair.rejected])[0],
    }


def _read_dpo(row: Mapping[str, Any]) -> Seen:
    answers = (row["chosen"]["content"], row["rejected"]["content"])
    return Seen(heard(row["messages"]), answers, (1, 2))


def kto(asked: Asked, judged: Judged) -> Row:
    completion = asked.chat + said(asked.texts[judged.completion])
    return {"completion": completion, "label": judged.label}


def _read_kto(row: Mapping[str, Any]) -> Seen:
    *prompt, answer = row["completion"]
    return Seen(heard(prompt), (answer["content"],), label=row["label"])


RM = {"system": TEXT, "input": TEXT, "chosen": TEXT, "rejected": TEXT}
PLUGIN = Exporter(
    title="Axolotl",
    stages={
        "sft": messages_stage(usage="`type: chat_template` under `datasets:`."),
        "rm": Stage(
            rm,
            RM,
            _read_rm,
            quotes=True,
            carries=Carries(turns=False),
            usage="`reward_model: true` and `type: bradley_terry.chat_template`.",
        ),
        "dpo": Stage(
            dpo,
            {"messages": CHAT, "chosen": MESSAGE, "rejected": MESSAGE},
            _read_dpo,
            quotes=True,
            usage="`rl: dpo` and `type: chat_template.default`.",
        ),
        "kto": Stage(
            kto,
            {"completion": CHAT, "label": FLAG},
            _read_kto,
            usage="`rl: kto`, `remove_unused_columns: false` and `type: chatml.argilla_chat` "
            "(writes ChatML whatever the model).",
        ),
    },
)
