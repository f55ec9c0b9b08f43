"""Load exported files with OpenRLHF's data sets, pointed at by the flags that their card names."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from openrlhf.datasets import PromptDataset, RewardDataset, SFTDataset
from openrlhf.datasets.utils import blending_datasets
from seen import IGNORED, built, carry_out, side, train_file
from transformers import AutoTokenizer

LONGEST = 4096


class Strategy:
    """What the data sets ask of the trainer's strategy: its arguments, and to print."""

    def __init__(self, usage: str) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("--data.apply_chat_template", action="store_true")
        for key in ("input_key", "output_key", "prompt_key", "chosen_key", "rejected_key"):
            parser.add_argument(f"--data.{key}")
        asked = vars(parser.parse_args(usage.split()))
        keys = {name.removeprefix("data."): value for name, value in asked.items()}
        self.args = SimpleNamespace(data=SimpleNamespace(**keys))

    def is_rank_0(self) -> bool:
        return True

    def print(self, *_: Any) -> None:
        pass


def loaded(run: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    strategy = Strategy(run["usage"])
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    data = blending_datasets(str(train_file(run)), strategy=strategy)
    stage = {"sft": sft, "rm": pairs, "dpo": pairs, "prompts": prompts}[run["stage"]]
    return built(run, stage(run["stage"], data, tokenizer, strategy))


def sft(_: str, data: Any, tokenizer: Any, strategy: Strategy) -> list[list[dict[str, Any]]]:
    """The mask says where the next token counts, so labels are one to the right of it."""
    dataset = SFTDataset(data, tokenizer, LONGEST, strategy, num_processors=1)
    found = []
    for at in range(len(dataset)):
        ids, attention, mask = (tensor[0] for tensor in dataset.collate_fn([dataset[at]]))
        assert attention.all()
        learned = [False, *(bool(value) for value in mask[:-1])]
        labels = [
            token if wanted else IGNORED
            for token, wanted in zip(ids.tolist(), learned, strict=True)
        ]
        found.append([side(tokenizer, ids.tolist(), labels)])
    return found


def pairs(stage: str, data: Any, tokenizer: Any, strategy: Strategy) -> list[list[dict[str, Any]]]:
    """Both sides; dpo is also told how long the prompt is, and has its loss on the rest."""
    dpo = stage == "dpo"
    dataset = RewardDataset(data, tokenizer, LONGEST, strategy, is_dpo=dpo, num_processors=1)
    found = []
    for at in range(len(dataset)):
        chosen, chosen_mask, rejected, rejected_mask, extras = dataset.collate_fn([dataset[at]])
        asked = extras[0] if dpo else 0
        sides = ((chosen, chosen_mask), (rejected, rejected_mask))
        texts = [ids[0][mask[0].bool()].tolist() for ids, mask in sides]
        found.append([side(tokenizer, t, [IGNORED] * asked + t[asked:]) for t in texts])
    return found


def prompts(_: str, data: Any, tokenizer: Any, strategy: Strategy) -> list[list[dict[str, Any]]]:
    dataset = PromptDataset(data, tokenizer, strategy)
    batch = dataset.collate_fn([dataset[at] for at in range(len(dataset))])
    return [[side(tokenizer, tokenizer(text)["input_ids"])] for text in batch[1]]


if __name__ == "__main__":
    carry_out(loaded)
