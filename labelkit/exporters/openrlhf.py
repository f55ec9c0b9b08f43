"""OpenRLHF 0.11 (openrlhf/datasets/), with --data.apply_chat_template.

A `margin` counts only with --model.margin_loss_enable. In prompts for generating from, `<image>` is
where a picture goes, whatever the model (_str_to_content_list in prompts_dataset.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import CHAT
from labelkit.domain.units import Answer
from labelkit.exporters import trl
from labelkit.exporters._rows import Row, heard, prompt_stage, said
from labelkit.plugins import Exporter, Seen, Stage


def sft(asked: Asked, answer: Answer) -> Row:
    return {"input": asked.chat, "output": said(answer.text)}


def _read_sft(row: Mapping[str, Any]) -> Seen:
    return Seen(heard(row["input"]), (row["output"][0]["content"],), (1,))


PREFERENCE_USAGE = (
    "--data.apply_chat_template --data.prompt_key prompt --data.chosen_key chosen "
    "--data.rejected_key rejected"
)


def _pairs(**more: Any) -> Stage:
    return Stage(
        trl.preference, trl.PAIR, trl.read_preference, quotes=True, usage=PREFERENCE_USAGE, **more
    )


PLUGIN = Exporter(
    title="OpenRLHF",
    stages={
        "sft": Stage(
            sft,
            {"input": CHAT, "output": CHAT},
            _read_sft,
            usage="--data.apply_chat_template --data.input_key input --data.output_key output",
        ),
        "rm": _pairs(margin=True),
        "dpo": _pairs(),
        "prompts": prompt_stage(
            "input",
            carries=Carries(markers=("<image>",)),
            usage="--data.apply_chat_template --data.input_key input",
        ),
    },
)
