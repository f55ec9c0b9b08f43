r"""Nectar's rows (berkeley-nest/Nectar): one ranking each; rank 1 is the best, a tie has one rank.

Do not train on them with Axolotl's `zephyr.nectar`: it takes the *last* of the sorted answers as
the chosen one. `good_natured` is false when the labeler flagged any of the completions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import FLAG, TEXT, WHOLE
from labelkit.domain.models import Ranking
from labelkit.exporters._rows import Row, dialogue, placed
from labelkit.plugins import Exporter, Seen, Stage


def ranking(asked: Asked, ranking: Ranking) -> Row:
    models = {
        c.uid: next((s.model for s in c.sources if s.model), "unknown")
        for c in asked.bundle.completions
    }
    answers = [
        {"answer": asked.texts[uid], "model": models[uid], "rank": rank}
        for uid, rank in placed(ranking)
    ]
    return {
        "prompt": dialogue(asked.turns, open="\n\n", between="\n\n") + " ",
        "answers": answers,
        "turns": sum(m.role == "user" for m in asked.turns),
        "num_responses": len(answers),  # the card says num_response, the data num_responses
        "source": [asked.prompt.source or "labelkit"],
        "good_natured": not any(ranking.flags.values()),
    }


def _read(row: Mapping[str, Any]) -> Seen:
    answers = row["answers"]
    texts = tuple(a["answer"] for a in answers)
    return Seen(row["prompt"], texts, tuple(a["rank"] for a in answers))


COLUMNS = {
    "prompt": TEXT,
    "answers": [{"answer": TEXT, "model": TEXT, "rank": WHOLE}],
    "turns": WHOLE,
    "num_responses": WHOLE,
    "source": [TEXT],
    "good_natured": FLAG,
}
MARKERS = ("\n\nHuman:", "\n\nAssistant:")
PLUGIN = Exporter(
    title="Nectar rankings",
    stages={
        "rankings": Stage(
            ranking,
            COLUMNS,
            _read,
            carries=Carries(system=False, markers=MARKERS),
            usage="For readers of berkeley-nest/Nectar.",
        )
    },
)
