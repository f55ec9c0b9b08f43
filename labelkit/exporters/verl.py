"""verl 0.9 (verl/utils/dataset/): Parquet, for reinforcement learning and for sft.

The loader needs only `prompt`; reward managers look into `data_source` and `reward_model`. Nothing
here has a true answer to check against, so `ground_truth` is empty and the style is `model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked
from labelkit.domain.columns import CHAT, TEXT, WHOLE
from labelkit.exporters._rows import Row, heard, messages_stage
from labelkit.plugins import Exporter, Seen, Stage


def prompts(asked: Asked, _: None) -> Row:
    prompt = asked.prompt
    return {
        "data_source": prompt.source or "labelkit",
        "prompt": asked.chat,
        "ability": prompt.use_case or "general",
        "reward_model": {"style": "model", "ground_truth": ""},
        "extra_info": {
            "split": asked.split,
            "index": int(prompt.uid[:12], 16),  # the prompt's own: no other prompt can move it
            "prompt_id": prompt.name,
        },
    }


def _read(row: Mapping[str, Any]) -> Seen:
    return Seen(heard(row["prompt"]))


COLUMNS = {
    "data_source": TEXT,
    "prompt": CHAT,
    "ability": TEXT,
    "reward_model": {"style": TEXT, "ground_truth": TEXT},
    "extra_info": {"split": TEXT, "index": WHOLE, "prompt_id": TEXT},
}
PLUGIN = Exporter(
    title="verl",
    stages={
        "prompts": Stage(
            prompts,
            COLUMNS,
            _read,
            extras=False,
            container="parquet",
            usage="data.train_files=train.parquet data.prompt_key=prompt",
        ),
        "sft": messages_stage(
            container="parquet",
            usage="data.train_files=train.parquet data.messages_key=messages",
        ),
    },
)
