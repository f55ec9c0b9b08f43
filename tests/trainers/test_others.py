"""Every trainer but TRL: its own loader builds every row as the store says it, and it learns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from helpers import Cli
from trainers import expected
from trainers.conftest import Runner, ready
from trainers.plans import EVERY_TURN, LOADERS, OTHERS, STAGES, TRAINED, cases, runs_of, stage_of

Did = Callable[[str], dict[str, Any]]
Wanted = Callable[[str], list[list[expected.Chat]]]

EVERY = cases(OTHERS)
LEARNED = [(trainer, name) for trainer, name in EVERY if name != "prompts"]


@pytest.fixture(scope="session")
def did(
    request: pytest.FixtureRequest,
    run_in: Runner,
    exported: Callable[..., Path],
    varied: Cli,
    planted: Cli,
) -> Did:
    """Every run of a trainer, in one process: most of its time goes into imports."""

    @cache
    def of(trainer: str) -> dict[str, Any]:
        ready(request.config, trainer)
        runs = []
        for name in runs_of(trainer):
            *variant, stage = name.split()
            folder = exported(varied, stage, trainer, *(f"--variant={v}" for v in variant))
            steps = 4 if variant else 30
            run = {"name": name, "stage": stage, "folder": str(folder), "steps": steps}
            runs.append({**run, "usage": stage_of(trainer, name).usage})
        if trainer in TRAINED:
            probe = {"name": "planted", "folder": str(exported(planted, "rm", trainer))}
            usage = stage_of(trainer, "rm").usage
            more = {"stage": "rm", "usage": usage, "probe": True, "steps": 60, "batch": 16}
            runs.append({**probe, **more})
        return run_in(trainer, {"runs": runs})

    return of


@pytest.fixture(scope="session")
def wanted(exported: Callable[..., Path], varied: Cli) -> Wanted:
    """The conversations of every row that the store has for a stage, in TRL's words."""
    return cache(lambda stage: expected.rows(exported(varied, stage, "trl")))


@pytest.mark.parametrize(("trainer", "name"), EVERY)
def test_every_row_is_built_as_the_store_says(
    did: Did, wanted: Wanted, trainer: str, name: str
) -> None:
    """Whole: with its system message and every turn, and chosen before rejected."""
    found, stage = did(trainer)[name], name.split()[-1]
    assert found["built"] == found["rows"] > 20
    end = expected.OPEN if stage == "prompts" else ""
    ours = Counter(tuple(expected.chatml(c) + end for c in sides) for sides in wanted(stage))
    theirs = Counter(
        tuple(expected.squashed(side["text"]) for side in sides) for sides in found["supervision"]
    )
    assert theirs <= ours, theirs - ours


@pytest.mark.parametrize(("trainer", "name"), LEARNED)
def test_completions_are_learned_whole_and_prompts_are_masked(
    did: Did, wanted: Wanted, trainer: str, name: str
) -> None:
    """Reward models have a loss on the end alone: some loaders mask nothing for them."""
    stage = name.split()[-1]
    chats = {expected.chatml(chat): chat for sides in wanted(stage) for chat in sides}
    for sides in did(trainer)[name]["supervision"]:
        assert len(sides) == (2 if stage in ("rm", "dpo") else 1)
        for side in sides:
            text = expected.squashed(side["text"])
            turns = chats[text] if (trainer, stage) in EVERY_TURN else chats[text][-1:]
            heard = expected.squashed(side["learned"])
            if stage != "rm" or heard != text:
                assert heard.replace(expected.OPEN, "") == expected.learned(turns)
            assert side["eos"]


@pytest.mark.parametrize(("trainer", "name"), [c for c in EVERY if c[1].endswith("kto")])
def test_kto_labels_survive(did: Did, trainer: str, name: str) -> None:
    tags = did(trainer)[name]["tags"]
    assert tags.count(True) > 10
    assert tags.count(False) > 10


@pytest.mark.parametrize(("trainer", "name"), cases(TRAINED))
def test_it_trains(did: Did, trainer: str, name: str) -> None:
    found = did(trainer)[name]["losses"]
    if name in STAGES:
        assert len(found) == 30
        assert mean(found[-10:]) < mean(found[:3])
    assert found


@pytest.mark.parametrize("trainer", TRAINED)
def test_a_planted_preference_is_learned(did: Did, trainer: str) -> None:
    (accuracy,) = did(trainer)["planted"]["accuracy"]
    assert accuracy >= 0.9


def test_every_loader_has_an_environment() -> None:
    assert set(LOADERS) < set(OTHERS)
    assert TRAINED
