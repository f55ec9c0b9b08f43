"""Load exported files with verl's data sets, configured as their cards say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from seen import IGNORED, built, carry_out, side, train_file
from torch.utils.data import DataLoader
from transformers import AutoTokenizer
from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

LONGEST = 4096


def loaded(run: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    config = OmegaConf.from_dotlist(run["usage"].split()).data
    config.train_files = str(train_file(run))
    return {"sft": sft, "prompts": prompts}[run["stage"]](run, config, tokenizer, work)


def sft(run: dict[str, Any], config: Any, tokenizer: Any, work: Path) -> dict[str, Any]:
    config.max_length = LONGEST
    dataset = MultiTurnSFTDataset(config.train_files, tokenizer, config)
    found = []
    for batch in DataLoader(dataset, batch_size=1):
        kept = batch["attention_mask"][0].bool()
        ids, mask = batch["input_ids"][0][kept].tolist(), batch["loss_mask"][0][kept].tolist()
        labels = [token if wanted else IGNORED for token, wanted in zip(ids, mask, strict=True)]
        found.append([side(tokenizer, ids, labels)])
    return built(run, found)


def prompts(run: dict[str, Any], config: Any, tokenizer: Any, work: Path) -> dict[str, Any]:
    """The agent loop applies the chat template to `raw_prompt`, and so do we."""
    config.max_prompt_length = LONGEST
    config.cache_dir = str(work / "verl")
    dataset = RLHFDataset(config.train_files, tokenizer, config)
    found, told = [], []
    for batch in DataLoader(dataset, batch_size=4, collate_fn=collate_fn):
        told += [model["style"] for model in batch["reward_model"]]
        for chat in batch["raw_prompt"]:
            text = tokenizer.apply_chat_template(
                list(chat), add_generation_prompt=True, tokenize=False
            )
            found.append([side(tokenizer, tokenizer(text)["input_ids"])])
    return built(run, found, told=told)


if __name__ == "__main__":
    carry_out(loaded)
