"""Train with LLaMA-Factory on exported folders, by the dataset_info.json that lies in them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from llamafactory.train.tuner import run_exp
from seen import built, carry_out, side


class Watched:
    """Keeps what the trainer's own loader built."""

    def __init__(self, stage: str) -> None:
        self.built: dict[str, Any] = {}
        self.tokenizer: Any = None
        self.workflow = importlib.import_module(f"llamafactory.train.{stage}.workflow")
        self.load = self.workflow.get_dataset

    def __enter__(self) -> Watched:
        self.workflow.get_dataset = self._get
        return self

    def __exit__(self, *_: object) -> None:
        self.workflow.get_dataset = self.load

    def _get(self, *args: Any, **kwargs: Any) -> Any:
        self.tokenizer = kwargs["tokenizer"]
        self.built = self.load(*args, **kwargs)
        return self.built


def settings(run: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    evaluated = {"eval_dataset": "labelkit_valid", "do_eval": True} if run.get("probe") else {}
    return {
        "stage": run["stage"],
        "do_train": True,
        "model_name_or_path": str(tiny),
        "finetuning_type": "full",
        "template": "chatml",
        "dataset_dir": run["folder"],
        "dataset": "labelkit_train",
        "cutoff_len": 4096,
        "output_dir": str(work / run["name"]),
        "overwrite_output_dir": True,
        "overwrite_cache": True,
        "max_steps": run["steps"],
        "per_device_train_batch_size": run.get("batch", 8),
        "learning_rate": 3e-3,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "pref_beta": 0.1,
        **evaluated,
    }


def trained(run: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    with Watched(run["stage"]) as watched:
        run_exp(settings(run, tiny, work))
    state = json.loads((work / run["name"] / "trainer_state.json").read_text())
    rows = list(watched.built["train_dataset"])
    entries = state["log_history"]
    accuracy = [e["eval_accuracy"] for e in entries if "eval_accuracy" in e]
    if (metrics := work / run["name"] / "eval_results.json").exists():
        accuracy.append(json.loads(metrics.read_text())["eval_accuracy"])
    return built(
        run,
        (supervision(row, watched.tokenizer) for row in rows),
        losses=[e["loss"] for e in entries if "loss" in e],
        accuracy=accuracy[-1:],
        tags=[row["kto_tags"] for row in rows if "kto_tags" in row],
    )


def supervision(row: dict[str, Any], tokenizer: Any) -> list[dict[str, Any]]:
    """Decode, for every label column, what the loss is on and what it is not on."""
    columns = [name for name in row if name.endswith("labels") and not name.startswith("kl_")]
    return [
        side(tokenizer, row[name.replace("labels", "input_ids")], row[name]) for name in columns
    ]


if __name__ == "__main__":
    carry_out(trained)
