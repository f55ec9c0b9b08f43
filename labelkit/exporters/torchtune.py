"""torchtune 0.6.1 (torchtune/data/_messages.py).

Preference rows are two whole conversations: a separate `prompt` column would be ignored, and the
model would learn from answers to nothing. For sft, validate_messages stops the training at two
user messages in a row.
"""

from __future__ import annotations

from labelkit.domain.asked import Carries
from labelkit.exporters._rows import messages_stage, transcripts_stage
from labelkit.plugins import Exporter

PLUGIN = Exporter(
    title="torchtune",
    stages={
        "sft": messages_stage(
            carries=Carries(alternating=True),
            usage="chat_dataset(source='json', data_files=..., conversation_column='messages', "
            "conversation_style='openai')",
        ),
        "dpo": transcripts_stage(usage="preference_dataset(source='json', data_files=...)"),
    },
)
