"""TRL 1.16 (docs/source/dataset_formats.md), and what reads its rows: unsloth, OpenRLHF.

The default rows are conversational with an explicit prompt: the one type that every TRL trainer
takes, and whose loss is on the completion only. A `margin` enters RewardTrainer's loss whenever the
column exists (trainer/reward_trainer.py), so it is written only when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import CHAT, FLAG, TEXT, WHOLE
from labelkit.domain.models import Ranking
from labelkit.domain.pairs import Judged, Pair
from labelkit.domain.units import Answer
from labelkit.exporters._rows import (
    Row,
    heard,
    messages_stage,
    placed,
    prompt_stage,
    said,
    text_pair_stage,
    transcripts_stage,
)
from labelkit.plugins import Exporter, Seen, Stage

SEPARATOR = "\n\n"
"""Ends a plain prompt: TRL joins prompt and completion as they are, with nothing between them."""


def sft(asked: Asked, answer: Answer) -> Row:
    """Prompt-completion: the loss is on the completion only."""
    return {"prompt": asked.chat, "completion": said(answer.text)}


def _read_sft(row: Mapping[str, Any]) -> Seen:
    return Seen(heard(row["prompt"]), (row["completion"][0]["content"],), (1,))


def preference(asked: Asked, pair: Pair) -> Row:
    """Explicit-prompt preference."""
    return {
        "prompt": asked.chat,
        "chosen": said(asked.texts[pair.chosen]),
        "rejected": said(asked.texts[pair.rejected]),
    }


def read_preference(row: Mapping[str, Any]) -> Seen:
    answers = (row["chosen"][0]["content"], row["rejected"][0]["content"])
    return Seen(heard(row["prompt"]), answers, (1, 2))


def kto(asked: Asked, judged: Judged) -> Row:
    """Unpaired preference."""
    completion = said(asked.texts[judged.completion])
    return {"prompt": asked.chat, "completion": completion, "label": judged.label}


def _read_kto(row: Mapping[str, Any]) -> Seen:
    return Seen(heard(row["prompt"]), (row["completion"][0]["content"],), label=row["label"])


def listwise(asked: Asked, ranking: Ranking) -> Row:
    """Every placed completion with its rank. No TRL trainer reads this: it is for your own loop."""
    places = placed(ranking)
    return {
        "prompt": asked.chat,
        "completions": [said(asked.texts[uid]) for uid, _ in places],
        "ranks": [rank for _, rank in places],
    }


def _read_listwise(row: Mapping[str, Any]) -> Seen:
    texts = tuple(completion[0]["content"] for completion in row["completions"])
    return Seen(heard(row["prompt"]), texts, tuple(row["ranks"]))


def plain_sft(asked: Asked, answer: Answer) -> Row:
    return {"prompt": asked.question + SEPARATOR, "completion": answer.text}


def plain_kto(asked: Asked, judged: Judged) -> Row:
    completion = asked.texts[judged.completion]
    return {"prompt": asked.question + SEPARATOR, "completion": completion, "label": judged.label}


def _read_plain(row: Mapping[str, Any]) -> Seen:
    ranks = () if "label" in row else (1,)
    return Seen(row["prompt"], (row["completion"],), ranks, row.get("label"))


PAIR = {"prompt": CHAT, "chosen": CHAT, "rejected": CHAT}
ONE_TURN = Carries(system=False, turns=False)


def _plain_prompt(asked: Asked) -> str:
    return asked.question + SEPARATOR


def _plain(**more: Any) -> Stage:
    return text_pair_stage(_plain_prompt, carries=ONE_TURN, **more)


PLUGIN = Exporter(
    title="TRL, and what reads its rows (unsloth)",
    stages={
        "sft": Stage(
            sft, {"prompt": CHAT, "completion": CHAT}, _read_sft, usage="SFTTrainer takes it as is."
        ),
        "rm": Stage(
            preference,
            PAIR,
            read_preference,
            margin=True,
            quotes=True,
            usage="RewardTrainer takes it as is; it leaves out rows over `max_length` (1024).",
        ),
        "dpo": Stage(
            preference,
            PAIR,
            read_preference,
            quotes=True,
            usage="DPOTrainer, ORPO and CPO take it as is.",
        ),
        "kto": Stage(
            kto,
            {"prompt": CHAT, "completion": CHAT, "label": FLAG},
            _read_kto,
            usage="KTOTrainer takes it as is; keep the order of the rows.",
        ),
        "prompts": prompt_stage("prompt", usage="GRPOTrainer and RLOOTrainer take it as is."),
        "rankings": Stage(
            listwise,
            {"prompt": CHAT, "completions": [CHAT], "ranks": [WHOLE]},
            _read_listwise,
            usage="For a listwise loop of your own: no TRL trainer reads rankings.",
        ),
    },
    variants={
        "standard": {
            "sft": Stage(
                plain_sft, {"prompt": TEXT, "completion": TEXT}, _read_plain, carries=ONE_TURN
            ),
            "rm": _plain(margin=True),
            "dpo": _plain(),
            "kto": Stage(
                plain_kto,
                {"prompt": TEXT, "completion": TEXT, "label": FLAG},
                _read_plain,
                carries=ONE_TURN,
            ),
            "prompts": Stage(
                lambda asked, _: {"prompt": _plain_prompt(asked)},
                {"prompt": TEXT},
                lambda row: Seen(row["prompt"]),
                carries=ONE_TURN,
            ),
        },
        "implicit": {
            "sft": messages_stage(usage="SFTTrainer: the loss is on every token, prompt included."),
            "rm": transcripts_stage(margin=True),
            "dpo": transcripts_stage(),
        },
    },
)
