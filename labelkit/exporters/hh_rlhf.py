r"""Anthropic's hh-rlhf: two whole transcripts, `\n\nHuman: ...\n\nAssistant: ...`.

Readers cut the text at these markers, so a message that holds one cannot be told from two messages
and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import TEXT
from labelkit.domain.pairs import Pair
from labelkit.exporters._rows import Row, dialogue
from labelkit.plugins import Exporter, Seen, Stage

HUMAN, ASSISTANT = "\n\nHuman:", "\n\nAssistant:"


def pair(asked: Asked, pair: Pair) -> Row:
    prompt = dialogue(asked.turns, open="\n\n", between="\n\n")
    return {
        "chosen": f"{prompt} {asked.texts[pair.chosen]}",
        "rejected": f"{prompt} {asked.texts[pair.rejected]}",
    }


def read(row: Mapping[str, Any]) -> Seen:
    """The prompt is what both share, up to the last place where the assistant begins."""
    chosen, rejected = row["chosen"], row["rejected"]
    pairs = enumerate(zip(chosen, rejected, strict=False))
    differ = next((i for i, (a, b) in pairs if a != b), min(len(chosen), len(rejected)))
    cut = chosen.rfind(ASSISTANT, 0, differ) + len(ASSISTANT)
    return Seen(chosen[:cut], (chosen[cut:].strip(), rejected[cut:].strip()), (1, 2))


STAGE = Stage(
    pair,
    {"chosen": TEXT, "rejected": TEXT},
    read,
    carries=Carries(system=False, markers=(HUMAN, ASSISTANT)),
    extras=False,
    quotes=True,
    usage="For readers of Anthropic/hh-rlhf.",
)
PLUGIN = Exporter(title="hh-rlhf transcripts", stages={"rm": STAGE, "dpo": STAGE})
