"""TRL trains on our exports: nothing is dropped, the right tokens are learned, the loss falls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from helpers import Cli
from trainers.conftest import Runner, ready

STAGES = ("sft", "rm", "dpo", "kto", "prompts")
VARIANTS = (
    ("standard", "sft"),
    ("standard", "rm"),
    ("standard", "dpo"),
    ("standard", "kto"),
    ("implicit", "rm"),
    ("implicit", "dpo"),
)


@pytest.fixture(scope="module")
def trained(
    request: pytest.FixtureRequest,
    run_in: Runner,
    exported: Callable[..., Path],
    sample: Cli,
    planted: Cli,
    inverted: Cli,
) -> dict[str, Any]:
    """Every run of this page, in one process: most of its time goes into imports."""
    ready(request.config, "trl")
    probe = str(exported(planted, "rm", "trl"))
    folders = {
        **{stage: (stage, exported(sample, stage, "trl")) for stage in STAGES},
        **{
            f"{variant} {stage}": (
                stage,
                exported(sample, stage, "trl", "--variant", variant, "--misfits", "flatten"),
            )
            for variant, stage in VARIANTS
        },
        "parquet": ("rm", exported(sample, "rm", "trl", "--container", "parquet")),
        "margin": ("rm", exported(sample, "rm", "trl", "--margin", "rank", "--by-group")),
    }
    runs = [
        {"name": name, "stage": stage, "folder": str(folder), **steps(name)}
        for name, (stage, folder) in folders.items()
    ]
    for name, cli in (("planted", planted), ("inverted", inverted)):
        folder = str(exported(cli, "rm", "trl"))
        run = {"name": name, "stage": "rm", "folder": folder, "steps": 50, "probe": probe}
        runs.append({**run, "batch": 16})
    return run_in("trl", {"runs": runs})


def steps(name: str) -> dict[str, Any]:
    if name == "prompts":
        return {"steps": 2, "batch": 4}
    return {"steps": 12 if name in STAGES else 3}


@pytest.mark.parametrize("stage", ["sft", "rm", "dpo", "kto"])
def test_the_loss_falls_on_the_sample_data(trained: dict[str, Any], stage: str) -> None:
    found = trained[stage]["losses"]
    assert len(found) == 12
    assert mean(found[-3:]) < mean(found[:3])


@pytest.mark.parametrize("stage", [s for s in STAGES if s != "prompts"])
def test_no_row_is_dropped(trained: dict[str, Any], stage: str) -> None:
    assert trained[stage]["built"] == trained[stage]["rows"] > 20


@pytest.mark.parametrize("name", [f"{v} {s}" for v, s in VARIANTS] + ["parquet", "margin"])
def test_every_variant_is_read_whole_and_trained_on(trained: dict[str, Any], name: str) -> None:
    assert trained[name]["built"] == trained[name]["rows"] > 20
    assert len(trained[name]["losses"]) == 3


def test_a_margin_enters_the_loss_and_group_columns_do_not_disturb(trained: dict[str, Any]) -> None:
    """With the same first batch and weights, -log sigmoid(d - margin) is above -log sigmoid(d)."""
    assert trained["margin"]["losses"][0] > trained["parquet"]["losses"][0] + 0.05
    assert "margin" in trained["margin"]["columns"]


def test_the_completion_is_learned_and_the_prompt_is_masked(trained: dict[str, Any]) -> None:
    seen = trained["sft"]["supervision"]
    assert len(seen) == trained["sft"]["rows"]
    for example in seen:
        assert example["learned"].strip()
        assert example["eos"]
        assert "assistant" in example["masked"][-20:]
        assert "<|im_start|>" not in example["learned"]


@pytest.mark.parametrize("stage", ["rm", "dpo", "kto"])
def test_every_completion_ends_with_eos(trained: dict[str, Any], stage: str) -> None:
    assert trained[stage]["eos"]
    assert not trained[stage].get("empty")


def test_kto_has_both_labels(trained: dict[str, Any]) -> None:
    wanted, unwanted = trained["kto"]["labels"]
    assert wanted > 10
    assert unwanted > 10


def test_grpo_moves_the_model_and_hands_prompt_ids_to_rewards(trained: dict[str, Any]) -> None:
    assert trained["prompts"]["moved"]
    assert trained["prompts"]["heard"]


def test_a_planted_preference_is_learned(trained: dict[str, Any]) -> None:
    found = trained["planted"]
    assert found["rows"] >= 100
    assert found["held_out"] >= 100
    assert found["before"] < 0.8
    assert found["after"] >= 0.9


def test_inverted_rankings_fail_the_same_probe(trained: dict[str, Any]) -> None:
    assert trained["inverted"]["after"] < 0.5
    assert mean(trained["inverted"]["losses"][-3:]) < mean(trained["inverted"]["losses"][:3])
