"""Train with Axolotl on exported files, by its own command line's steps and the card's settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from axolotl.cli.config import load_cfg
from axolotl.common.datasets import load_datasets, load_preference_datasets
from axolotl.train import train
from seen import IGNORED, built, carry_out, side, train_file

LONGEST = 512
"""Enough for every row. The reward model pads each to it, and longer rows would be dropped."""
SPLITS = {"train": "datasets", "valid": "test_datasets"}


def settings(run: dict[str, Any], tiny: Path, work: Path) -> Path:
    """Write the configuration: what the card says, and how to be quick on a CPU."""
    said = re.findall(r"`(\w+): (\S+)`", run["usage"])
    asked = {key: yaml.safe_load(value) for key, value in said}
    reading = {key: asked.pop(key) for key in ("type", "drop_system_message") if key in asked}
    chosen = {
        "base_model": str(tiny),
        "chat_template": "tokenizer_default",
        "sequence_len": LONGEST,
        "val_set_size": 0,
        "dataset_prepared_path": str(work / run["name"] / "prepared"),
        "output_dir": str(work / run["name"] / "out"),
        "max_steps": run["steps"],
        "num_epochs": 1,
        "micro_batch_size": run.get("batch", 8),
        "gradient_accumulation_steps": 1,
        "optimizer": "adamw_torch",
        "learning_rate": 3e-3,
        "lr_scheduler": "constant",
        "logging_steps": 1,
        "save_strategy": "no",
        "bf16": False,
        "tf32": False,
        "attn_implementation": "sdpa",
        "dataset_num_proc": 1,
        "dataloader_num_workers": 0,
        "special_tokens": {"pad_token": "<pad>"},
        **asked,
    }
    if asked.get("reward_model"):
        chosen |= {"model_type": "AutoModelForSequenceClassification", "num_labels": 1}
    if run.get("probe"):
        chosen |= {"eval_strategy": "steps", "eval_steps": run["steps"], "eval_batch_size": 16}
    for split in ("train", "valid") if run.get("probe") else ("train",):
        path = train_file(run).with_stem(split)
        chosen[SPLITS[split]] = [
            {"path": str(path), "ds_type": "json", "split": "train", **reading}
        ]
    path = work / f"{run['name']}.yaml"
    path.write_text(yaml.safe_dump(chosen))
    return path


def trained(run: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    cfg = load_cfg(str(settings(run, tiny, work)))
    load = load_preference_datasets if cfg.rl else load_datasets
    _, tokenizer, trainer = train(cfg=cfg, dataset_meta=load(cfg=cfg))
    history = trainer.state.log_history
    rows = [trainer.train_dataset[at] for at in range(len(trainer.train_dataset))]
    accuracy = [e["eval_accuracy"] for e in history if "eval_accuracy" in e]
    return built(
        run,
        (sides(row, tokenizer) for row in rows),
        losses=[e["loss"] for e in history if "loss" in e],
        accuracy=accuracy[-1:],
        tags=[bool(row["label"]) for row in rows if "label" in row],
    )


def sides(row: dict[str, Any], tokenizer: Any) -> list[dict[str, Any]]:
    """sft has labels; dpo and kto a prompt and what is learned after it; rm whole texts."""
    if "labels" in row:
        return [side(tokenizer, row["input_ids"], row["labels"])]
    asked = list(row.get("prompt_ids", []))
    names = [n for n in ("completion_ids", "chosen_ids", "rejected_ids") if n in row]
    texts = [list(row[name]) for name in names]
    return [side(tokenizer, asked + t, [IGNORED] * len(asked) + t) for t in texts]


if __name__ == "__main__":
    carry_out(trained)
