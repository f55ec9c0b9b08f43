"""NeMo-RL (docs/guides/rm.md, dpo.md, sft.md; nemo_rl/data/processors.py).

The preference rows look listwise, but the processor asserts exactly two completions and refuses
equal ranks, so each row is one pair; the smaller rank is the better one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked
from labelkit.domain.columns import CHAT, WHOLE
from labelkit.domain.pairs import Pair
from labelkit.exporters._rows import Row, heard, messages_stage, said
from labelkit.plugins import Exporter, Seen, Stage


def pair(asked: Asked, pair: Pair) -> Row:
    return {
        "context": asked.chat,
        "completions": [
            {"rank": 0, "completion": said(asked.texts[pair.chosen])},
            {"rank": 1, "completion": said(asked.texts[pair.rejected])},
        ],
    }


def _read_pair(row: Mapping[str, Any]) -> Seen:
    completions = sorted(row["completions"], key=lambda c: c["rank"])
    texts = tuple(c["completion"][0]["content"] for c in completions)
    return Seen(heard(row["context"]), texts, (1, 2))


PAIR = {"context": CHAT, "completions": [{"rank": WHOLE, "completion": CHAT}]}
PREFERENCE = Stage(
    pair,
    PAIR,
    _read_pair,
    quotes=True,
    usage="`dataset_name: PreferenceDataset`, `data_path: train.jsonl`.",
)
PLUGIN = Exporter(
    title="NeMo-RL",
    stages={
        "sft": messages_stage(
            usage="`dataset_name: openai_format`, `data_path: train.jsonl`, `chat_key: messages`."
        ),
        "rm": PREFERENCE,
        "dpo": PREFERENCE,
    },
)
