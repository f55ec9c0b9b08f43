"""ms-swift reads our files as they are and trains on every row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from helpers import Cli
from trainers.conftest import Runner, ready

STAGES = ("sft", "rm", "dpo", "kto")
SIDES = {"sft": 1, "rm": 2, "dpo": 2, "kto": 1}


@pytest.fixture(scope="module")
def trained(
    request: pytest.FixtureRequest,
    run_in: Runner,
    exported: Callable[..., Path],
    sample: Cli,
    planted: Cli,
) -> dict[str, Any]:
    ready(request.config, "ms-swift")
    runs = [
        {"name": stage, "stage": stage, "folder": str(exported(sample, stage, "ms-swift"))}
        for stage in STAGES
    ]
    folder = exported(planted, "rm", "ms-swift")
    probe = {"name": "planted", "stage": "rm", "folder": str(folder), "probe": True, "batch": 16}
    return run_in(
        "ms-swift", {"runs": [{**run, "steps": 30} for run in runs] + [{**probe, "steps": 60}]}
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_loss_falls_on_the_sample_data(trained: dict[str, Any], stage: str) -> None:
    found = trained[stage]["losses"]
    assert len(found) == 30
    assert mean(found[-10:]) < mean(found[:3])


@pytest.mark.parametrize("stage", STAGES)
def test_no_row_is_dropped(trained: dict[str, Any], stage: str) -> None:
    assert trained[stage]["built"] == trained[stage]["rows"] > 20


@pytest.mark.parametrize("stage", STAGES)
def test_completions_are_learned_whole_and_prompts_are_masked(
    trained: dict[str, Any], stage: str
) -> None:
    for sides in trained[stage]["supervision"]:
        assert len(sides) == SIDES[stage]
        for side in sides:
            assert side["learned"].strip()
            assert side["eos"]
            if stage != "rm":
                assert "<|im_start|>assistant" in side["masked"].replace(" ", "")[-40:]


def test_kto_labels_survive(trained: dict[str, Any]) -> None:
    tags = trained["kto"]["tags"]
    assert tags.count(True) > 10
    assert tags.count(False) > 10


def test_a_planted_preference_is_learned(trained: dict[str, Any]) -> None:
    (accuracy,) = trained["planted"]["accuracy"]
    assert accuracy >= 0.9
