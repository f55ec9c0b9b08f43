"""Train with ms-swift on exported files, by its own command lines' main functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seen import built, carry_out, side, train_file
from swift.pipelines.train.rlhf import SwiftRLHF
from swift.pipelines.train.sft import SwiftSft


def settings(run: dict[str, Any], tiny: Path, work: Path) -> list[str]:
    folder = Path(run["folder"])
    chosen = {
        "model": tiny,
        "model_type": "llama",
        "template": "chatml",
        "tuner_type": "full",
        "torch_dtype": "float32",
        "attn_impl": "eager",
        "dataset": train_file(run),
        "split_dataset_ratio": 0,
        "max_length": 4096,
        "output_dir": work / run["name"],
        "max_steps": run["steps"],
        "per_device_train_batch_size": run.get("batch", 8),
        "gradient_accumulation_steps": 1,
        "learning_rate": 3e-3,
        "lr_scheduler_type": "constant",
        "warmup_ratio": 0,
        "logging_steps": 1,
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": "none",
        "use_cpu": "true",
        "gradient_checkpointing": "false",
        "dataloader_num_workers": 0,
        "dataset_num_proc": 1,
    }
    if run["stage"] != "sft":
        chosen["rlhf_type"] = run["stage"]
    if run.get("probe"):
        chosen |= {
            "val_dataset": folder / "valid.jsonl",
            "eval_strategy": "steps",
            "eval_steps": run["steps"],
            "per_device_eval_batch_size": 16,
        }
    return [str(part) for name, value in chosen.items() for part in (f"--{name}", value)]


def trained(run: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    prepared: list[Any] = []

    class Watched(SwiftSft if run["stage"] == "sft" else SwiftRLHF):  # type: ignore[misc]
        """Keeps what the trainer's own loader built."""

        def _prepare_dataset(self) -> Any:
            prepared[:] = super()._prepare_dataset()
            return prepared

    pipeline = Watched(settings(run, tiny, work))
    history = pipeline.main()["log_history"]
    rows = [prepared[0][i] for i in range(len(prepared[0]))]
    accuracy = [entry["eval_rewards/accuracies"] for entry in history if "eval_loss" in entry]
    return built(
        run,
        (supervision(row, pipeline.tokenizer) for row in rows),
        losses=[entry["loss"] for entry in history if "loss" in entry],
        accuracy=accuracy[-1:],
        tags=[bool(row["label"]) for row in rows if "label" in row],
    )


def supervision(row: dict[str, Any], tokenizer: Any) -> list[dict[str, Any]]:
    """Decode every side of a row: what the loss is on, and what it is not on.

    The reward model has no labels: its loss is on the end. kto's `rejected` is another row's.
    """
    sides = [name for name in row if name.endswith("input_ids") and row[name] is not None]
    if "label" in row:
        sides.remove("rejected_input_ids")
    return [
        side(tokenizer, row[name], row.get(name.replace("input_ids", "labels"))) for name in sides
    ]


if __name__ == "__main__":
    carry_out(trained)
