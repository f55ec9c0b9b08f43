"""OpenAI fine-tuning files, which Together and Fireworks read too.

Preference rows are for one question and one answer, and neither kind of row may hold a key of its
own (developers.openai.com/api/docs/guides/direct-preference-optimization).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import CHAT, FLAG, TEXT
from labelkit.domain.pairs import Pair
from labelkit.exporters._rows import Row, heard, messages_stage, said
from labelkit.plugins import Exporter, Seen, Stage


def dpo(asked: Asked, pair: Pair) -> Row:
    return {
        "input": {"messages": asked.chat, "tools": [], "parallel_tool_calls": True},
        "preferred_output": said(asked.texts[pair.chosen]),
        "non_preferred_output": said(asked.texts[pair.rejected]),
    }


def _read_dpo(row: Mapping[str, Any]) -> Seen:
    answers = (row["preferred_output"][0]["content"], row["non_preferred_output"][0]["content"])
    return Seen(heard(row["input"]["messages"]), answers, (1, 2))


DPO = {
    "input": {"messages": CHAT, "tools": [TEXT], "parallel_tool_calls": FLAG},
    "preferred_output": CHAT,
    "non_preferred_output": CHAT,
}
PLUGIN = Exporter(
    title="OpenAI fine-tuning files (Together, Fireworks)",
    stages={
        "sft": messages_stage(extras=False, usage="Upload as a supervised fine-tuning file."),
        "dpo": Stage(
            dpo,
            DPO,
            _read_dpo,
            carries=Carries(turns=False),
            extras=False,
            quotes=True,
            usage="Upload as a preference fine-tuning file.",
        ),
    },
)
