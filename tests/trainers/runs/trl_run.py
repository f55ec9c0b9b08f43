"""Train with TRL on exported folders. Reads a plan on stdin, answers with what it saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import torch
from seen import carry_out, side
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer


def losses(trainer: Any, key: str = "loss") -> list[float]:
    return [entry[key] for entry in trainer.state.log_history if key in entry]


class Run:
    """One training run of one stage."""

    def __init__(self, tiny: str, plan: dict[str, Any], work: Path) -> None:
        self.tiny = tiny
        self.plan = plan
        self.data = datasets.load_dataset(plan["folder"], plan["stage"])
        self.train = self.data["train"]
        self.tokenizer = AutoTokenizer.from_pretrained(tiny)
        self.common = {
            "output_dir": str(work / plan["name"]),
            "max_steps": plan["steps"],
            "per_device_train_batch_size": plan.get("batch", 8),
            "learning_rate": plan.get("lr", 3e-3),
            "logging_steps": 1,
            "save_strategy": "no",
            "report_to": "none",
            "use_cpu": True,
            "bf16": False,
            "gradient_checkpointing": False,
            "dataloader_num_workers": 0,
            "seed": 0,
            "disable_tqdm": True,
            "lr_scheduler_type": "constant",
        }

    def model(self) -> Any:
        return AutoModelForCausalLM.from_pretrained(self.tiny)

    def report(self, trainer: Any, **more: Any) -> dict[str, Any]:
        return {
            "rows": len(self.train),
            "built": len(trainer.train_dataset),
            "losses": losses(trainer),
            **more,
        }

    def sft(self) -> dict[str, Any]:
        from trl import SFTConfig, SFTTrainer

        config = SFTConfig(**self.common, max_length=None)
        trainer = SFTTrainer(
            self.model(), args=config, train_dataset=self.train, processing_class=self.tokenizer
        )
        seen = [
            side(self.tokenizer, example["input_ids"], example["labels"])
            for example in trainer.train_dataset
        ]
        trainer.train()
        return self.report(trainer, supervision=seen)

    def rm(self) -> dict[str, Any]:
        from trl import RewardConfig, RewardTrainer

        torch.manual_seed(0)
        model = AutoModelForSequenceClassification.from_pretrained(self.tiny, num_labels=1)
        config = RewardConfig(**self.common, max_length=None)
        probe = self.plan.get("probe")
        held_out = datasets.load_dataset(probe, "rm")["valid"] if probe else None
        trainer = RewardTrainer(
            model,
            args=config,
            train_dataset=self.train,
            eval_dataset=held_out,
            processing_class=self.tokenizer,
        )
        first = trainer.train_dataset[0]
        eos = self.tokenizer.eos_token_id
        before = trainer.evaluate()["eval_accuracy"] if probe else None
        trainer.train()
        after = trainer.evaluate()["eval_accuracy"] if probe else None
        return self.report(
            trainer,
            columns=trainer.train_dataset.column_names,
            eos=all(eos in first[side][-2:] for side in ("chosen_ids", "rejected_ids")),
            before=before,
            after=after,
            held_out=len(held_out) if probe else 0,
        )

    def dpo(self) -> dict[str, Any]:
        from trl import DPOConfig, DPOTrainer

        config = DPOConfig(**self.common, max_length=None)
        trainer = DPOTrainer(
            self.model(), args=config, train_dataset=self.train, processing_class=self.tokenizer
        )
        return self.finish_paired(trainer, ("chosen_ids", "rejected_ids"))

    def kto(self) -> dict[str, Any]:
        from trl import KTOConfig, KTOTrainer

        config = KTOConfig(**self.common, max_length=None)
        trainer = KTOTrainer(
            self.model(), args=config, train_dataset=self.train, processing_class=self.tokenizer
        )
        labels = [bool(label) for label in trainer.train_dataset["label"]]
        found = self.finish_paired(trainer, ("completion_ids",))
        return {**found, "labels": [labels.count(True), labels.count(False)]}

    def finish_paired(self, trainer: Any, sides: tuple[str, ...]) -> dict[str, Any]:
        eos = self.tokenizer.eos_token_id
        ends = [eos in row[side][-2:] for row in trainer.train_dataset for side in sides]
        empty = [row for row in trainer.train_dataset if not all(row[side] for side in sides)]
        trainer.train()
        return self.report(trainer, eos=all(ends), empty=len(empty))

    def prompts(self) -> dict[str, Any]:
        from trl import GRPOConfig, GRPOTrainer

        heard: set[str] = set()

        def length(completions: list[Any], prompt_id: list[str], **_: Any) -> list[float]:
            heard.update(prompt_id)
            return [float(len(c[0]["content"])) for c in completions]

        config = GRPOConfig(**self.common, num_generations=2, max_completion_length=8)
        trainer = GRPOTrainer(
            self.tiny,
            reward_funcs=length,
            args=config,
            train_dataset=self.train,
            processing_class=self.tokenizer,
        )
        before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
        trainer.train()
        moved = sum(
            not torch.equal(before[name], p) for name, p in trainer.model.named_parameters()
        )
        return self.report(trainer, moved=moved, heard=sorted(heard))


def trained(plan: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    found: dict[str, Any] = getattr(Run(str(tiny), plan, work), plan["stage"])()
    return found


if __name__ == "__main__":
    carry_out(trained)
