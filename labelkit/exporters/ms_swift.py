"""ms-swift 4.6 (swift/dataset/preprocessor/core.py).

A row holds the conversation with the chosen answer, and the rejected one beside it. The reward
trainer uses a `margin` column whenever there is one. Two user messages in a row would become one,
with nothing between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import CHAT, TEXT
from labelkit.domain.pairs import Pair
from labelkit.exporters._rows import (
    Row,
    heard,
    kto_messages_stage,
    messages_stage,
    prompt_stage,
    said,
)
from labelkit.plugins import Exporter, Seen, Stage


def pair(asked: Asked, pair: Pair) -> Row:
    return {
        "messages": asked.chat + said(asked.texts[pair.chosen]),
        "rejected_response": asked.texts[pair.rejected],
    }


def _read_pair(row: Mapping[str, Any]) -> Seen:
    *prompt, chosen = row["messages"]
    return Seen(heard(prompt), (chosen["content"], row["rejected_response"]), (1, 2))


PAIR = {"messages": CHAT, "rejected_response": TEXT}
CARRIES = Carries(alternating=True)
PLUGIN = Exporter(
    title="ms-swift",
    stages={
        "sft": messages_stage(carries=CARRIES, usage="swift sft --dataset train.jsonl"),
        "rm": Stage(
            pair,
            PAIR,
            _read_pair,
            margin=True,
            quotes=True,
            carries=CARRIES,
            usage="swift rlhf --rlhf_type rm --dataset FILE",
        ),
        "dpo": Stage(
            pair,
            PAIR,
            _read_pair,
            quotes=True,
            carries=CARRIES,
            usage="swift rlhf --rlhf_type dpo|orpo|cpo --dataset FILE",
        ),
        "kto": kto_messages_stage(
            carries=CARRIES, usage="swift rlhf --rlhf_type kto --dataset FILE"
        ),
        "prompts": prompt_stage(
            "messages", carries=CARRIES, usage="swift rlhf --rlhf_type grpo|ppo --dataset FILE"
        ),
    },
)
