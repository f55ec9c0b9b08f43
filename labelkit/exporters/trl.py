"""TRL: conversational rows with an explicit prompt (docs/source/dataset_formats.md, TRL 1.16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.models import Prompt
from labelkit.exporters._rows import answer, chat
from labelkit.plugins import DemonstrationUnit, Exporter, PairUnit, RankingUnit

Row = Mapping[str, Any]


def sft(unit: DemonstrationUnit) -> Row:
    """Prompt-completion: the loss is on the completion only."""
    return {
        "prompt": chat(unit.prompt.messages),
        "completion": answer(unit.demonstration.text),
        "prompt_id": unit.prompt.name,
    }


def preference(unit: PairUnit) -> Row:
    """Explicit-prompt preference; a margin only when asked for: TRL uses any that it sees."""
    row = {
        "prompt": chat(unit.prompt.messages),
        "chosen": answer(unit.completions[unit.pair.chosen].text),
        "rejected": answer(unit.completions[unit.pair.rejected].text),
        "prompt_id": unit.prompt.name,
    }
    return row if unit.pair.margin is None else {**row, "margin": unit.pair.margin}


def prompt_only(prompt: Prompt) -> Row:
    return {"prompt": chat(prompt.messages), "prompt_id": prompt.name}


def listwise(unit: RankingUnit) -> Row:
    """Every placed completion with its rank: 1 is best, ties are equal."""
    placed = [
        (uid, rank) for rank, tier in enumerate(unit.ranking.tiers, 1) for uid in sorted(tier)
    ]
    return {
        "prompt": chat(unit.prompt.messages),
        "completions": [answer(unit.completions[uid].text) for uid, _ in placed],
        "ranks": [rank for _, rank in placed],
        "prompt_id": unit.prompt.name,
        "ranking_id": unit.ranking.uid,
    }


PLUGIN = Exporter(
    title="TRL, and what reads its rows (unsloth, OpenRLHF with --data.prompt_key prompt)",
    stages={"sft": sft, "rm": preference, "prompts": prompt_only, "rankings": listwise},
)
