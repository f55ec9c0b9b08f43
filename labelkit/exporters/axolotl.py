"""Axolotl 0.19 (prompt_strategies/).

sft is read by `type: chat_template`. dpo passes through to TRL's trainer, which reads conversations
itself: `chat_template.default` finds a completion in its rendering by searching for its text, and
takes template for text where that is short, or where the template trims what it searches for. The
reward model's `bradley_terry.chat_template` takes one turn only and needs a `system` text in every
row: its documentation calls the column optional, its code does not, and makes a system message of
an empty one too, unless all are dropped. kto is read by `chatml.argilla_chat`, whose `completion`
is the whole conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import CHAT, FLAG, TEXT
from labelkit.domain.pairs import Judged, Pair
from labelkit.exporters import trl
from labelkit.exporters._rows import Row, heard, messages_stage, said
from labelkit.plugins import Exporter, Seen, Stage


def rm(asked: Asked, pair: Pair) -> Row:
    return {
        "system": "",
        "input": asked.question,
        "chosen": asked.texts[pair.chosen],
        "rejected": asked.texts[pair.rejected],
    }


def _read_rm(row: Mapping[str, Any]) -> Seen:
    return Seen(row["input"], (row["chosen"], row["rejected"]), (1, 2))


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
            carries=Carries(system=False, turns=False),
            usage="`reward_model: true`, `type: bradley_terry.chat_template` and, under "
            "`datasets:` too, `drop_system_message: true`.",
        ),
        "dpo": Stage(
            trl.preference,
            trl.PAIR,
            trl.read_preference,
            quotes=True,
            usage="`rl: dpo`, `skip_prepare_dataset: true` and `type: passthrough.default`.",
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
