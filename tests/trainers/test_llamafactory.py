"""LLaMA-Factory finds our files by the dataset_info.json beside them and trains on every row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from helpers import Cli
from trainers.conftest import Runner, ready

STAGES = ("sft", "rm", "dpo", "kto")
RUNS = [*STAGES, *(f"alpaca {stage}" for stage in STAGES)]


@pytest.fixture(scope="module")
def trained(
    request: pytest.FixtureRequest,
    run_in: Runner,
    exported: Callable[..., Path],
    sample: Cli,
    planted: Cli,
) -> dict[str, Any]:
    ready(request.config, "llamafactory")
    runs = []
    for name in RUNS:
        stage = name.split()[-1]
        variant = ("--variant", "alpaca") if name.startswith("alpaca") else ()
        folder = exported(sample, stage, "llamafactory", *variant)
        steps = 4 if variant else 30
        runs.append({"name": name, "stage": stage, "folder": str(folder), "steps": steps})
    folder = exported(planted, "rm", "llamafactory")
    probe = {"name": "planted", "stage": "rm", "folder": str(folder), "probe": True}
    return run_in("llamafactory", {"runs": [*runs, {**probe, "steps": 60, "batch": 16}]})


@pytest.mark.parametrize("stage", STAGES)
def test_the_loss_falls_on_the_sample_data(trained: dict[str, Any], stage: str) -> None:
    found = trained[stage]["losses"]
    assert len(found) == 30
    assert mean(found[-10:]) < mean(found[:3])


@pytest.mark.parametrize("name", RUNS)
def test_no_row_is_dropped(trained: dict[str, Any], name: str) -> None:
    assert trained[name]["built"] == trained[name]["rows"] > 20
    assert trained[name]["losses"]


@pytest.mark.parametrize("name", RUNS)
def test_completions_are_learned_whole_and_prompts_are_masked(
    trained: dict[str, Any], name: str
) -> None:
    for sides in trained[name]["supervision"]:
        assert len(sides) == (2 if name.split()[-1] in ("rm", "dpo") else 1)
        for side in sides:
            assert side["learned"].strip()
            assert side["eos"]
            assert "<|im_start|>assistant" in side["masked"].replace(" ", "")[-40:]


@pytest.mark.parametrize("name", ["kto", "alpaca kto"])
def test_kto_tags_survive(trained: dict[str, Any], name: str) -> None:
    tags = trained[name]["tags"]
    assert tags.count(True) > 10
    assert tags.count(False) > 10


def test_a_planted_preference_is_learned(trained: dict[str, Any]) -> None:
    (accuracy,) = trained["planted"]["accuracy"]
    assert accuracy >= 0.9
