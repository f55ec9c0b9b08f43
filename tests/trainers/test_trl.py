"""TRL trains on our exports as they are: nothing dropped, loss falls, a planted rule is learned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli
from tiny_models import planted, tiny, tokenizer_for

pytest.importorskip("trl", reason="trainers are installed by make test-trainers")


IGNORED = -100  # what the loss passes over
pytestmark = pytest.mark.filterwarnings("default")


def words_in(value: Any) -> Iterator[str]:
    """Every text in a row."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from words_in(item)


def load(path: Path) -> Any:
    from datasets import load_dataset

    return load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(path.parent / "c")
    )


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "output_dir": str(folder / "out"),
        "per_device_train_batch_size": 16,
        "learning_rate": 5e-3,
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "use_cpu": True,
        "max_length": 2048,
        "disable_tqdm": True,
        "bf16": False,
        "gradient_checkpointing": False,
        **more,
    }


def losses(trainer: Any) -> list[float]:
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def falls(values: list[float]) -> bool:
    third = max(1, len(values) // 3)
    return sum(values[-third:]) < 0.8 * sum(values[:third])


def test_sft_trainer_learns_the_sample_demonstrations(sample: Cli, tmp_path: Path) -> None:
    from trl import SFTConfig, SFTTrainer

    sample("export", "--format", "sft", "--out", tmp_path / "sft")
    data = load(tmp_path / "sft" / "train.jsonl")
    tokenizer = tokenizer_for([t for row in data for t in words_in(row)])
    args = SFTConfig(**settings(tmp_path, num_train_epochs=6, per_device_train_batch_size=4))
    trainer = SFTTrainer(
        tiny(tokenizer, scores=False), args=args, train_dataset=data, processing_class=tokenizer
    )
    built = trainer.train_dataset
    assert len(built) == len(data) == 37
    for row, ours in zip(built, data, strict=True):
        supervised = [label for label in row["labels"] if label != IGNORED]
        said = tokenizer.decode(supervised)
        assert ours["completion"][0]["content"].split()[0] in said  # the completion is learned
        assert tokenizer.eos_token_id in supervised  # and where it ends
        assert row["labels"][0] == IGNORED  # the prompt is not
    trainer.train()
    assert falls(losses(trainer))


def reward_trainer(train: Path, tokenizer: Any, folder: Path, epochs: int) -> Any:
    from trl import RewardConfig, RewardTrainer

    data = load(train)
    args = RewardConfig(**settings(folder, num_train_epochs=epochs))
    trainer = RewardTrainer(
        tiny(tokenizer, scores=True), args=args, train_dataset=data, processing_class=tokenizer
    )
    assert len(trainer.train_dataset) == len(data)
    trainer.train()
    return trainer


def accuracy(trainer: Any, tokenizer: Any, path: Path) -> float:
    """Share of held-out pairs whose chosen completion scores higher."""
    import torch

    rows = [json.loads(line) for line in path.read_text().splitlines()]
    model = trainer.model.eval()

    def scores(side: str) -> Any:
        chats = [row["prompt"] + row[side] for row in rows]
        texts = tokenizer.apply_chat_template(chats, tokenize=False)
        with torch.no_grad():
            return model(**tokenizer(texts, return_tensors="pt", padding=True)).logits[:, 0]

    return float((scores("chosen") > scores("rejected")).float().mean())


def test_reward_trainer_learns_the_sample_rankings(sample: Cli, tmp_path: Path) -> None:
    sample("export", "--format", "rm", "--out", tmp_path / "rm", "--pairs", "random:3")
    train = tmp_path / "rm" / "train.jsonl"
    texts = [t for line in train.read_text().splitlines() for t in words_in(json.loads(line))]
    trainer = reward_trainer(train, tokenizer_for(texts), tmp_path, epochs=6)
    assert falls(losses(trainer))


@pytest.fixture
def halves(cli: Cli, tmp_path: Path) -> dict[str, Path]:
    """Pairs to train on and pairs held out, by prompt; and the same with every ranking inverted."""
    from labelkit.services import project

    found = {}
    for name in ("honest", "inverted"):
        store = Cli(tmp_path / f"{name}.db")
        project.init(store.store, write_settings=False)
        (tmp_path / name).mkdir()
        store("import", planted(tmp_path / name, inverted=name == "inverted"))
        found[name] = tmp_path / name / "rm"
        store("export", "--format", "rm", "--out", found[name], "--split", "train=0.7,valid=0.3")
    return found


def test_a_planted_preference_is_learned_and_an_inverted_one_is_not(
    halves: dict[str, Path], tmp_path: Path
) -> None:
    held_out = halves["honest"] / "valid.jsonl"
    texts = [held_out.read_text(), (halves["honest"] / "train.jsonl").read_text()]
    rows = [json.loads(line) for text in texts for line in text.splitlines()]
    tokenizer = tokenizer_for(list(words_in(rows)))
    found = {}
    for name, folder in halves.items():
        trainer = reward_trainer(folder / "train.jsonl", tokenizer, tmp_path / name, epochs=2)
        found[name] = accuracy(trainer, tokenizer, held_out)
    assert found["honest"] >= 0.9
    assert found["inverted"] <= 0.1
