"""DeepSpeed-Chat's `local/jsonfile` (dschat/utils/data/raw_datasets.py).

The same rows serve all three of its steps, sft included: step 1 learns `prompt` and `chosen`. It
puts one space before each text and reads data/train.json and data/eval.json, both of them, beside
its own code and from nowhere else (get_raw_dataset in data_utils.py).
"""

from __future__ import annotations

from labelkit.domain.asked import Asked, Carries
from labelkit.exporters._rows import dialogue, text_pair_stage
from labelkit.plugins import Exporter


def _prompt(asked: Asked) -> str:
    return dialogue(asked.turns, open="", between=" ")


PLUGIN = Exporter(
    title="DeepSpeed-Chat, local/jsonfile",
    stages={
        "rm": text_pair_stage(
            _prompt,
            carries=Carries(system=False),
            files={"train": "data/train.json", "valid": "data/eval.json"},
            usage="--data_path local/jsonfile, with this `data` folder copied into "
            "applications/DeepSpeed-Chat; it wants both a train and a valid split.",
        ),
    },
)
