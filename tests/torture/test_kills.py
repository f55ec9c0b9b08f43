"""200 kills at random moments, and the planted faults that the same harness must see."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from helpers import REPO

KILLS = {
    "ranking": 70,
    "importing": 30,
    "exporting": 30,
    "exporting-parquet": 10,
    "migrating": 20,
    "restoring": 25,
    "merging": 25,
}
PLANTED = [
    ("ranking", "late-commit"),
    ("ranking", "no-transaction"),
    ("ranking", "careless-draft"),
    ("importing", "no-transaction"),
    ("exporting", "copying-rename"),
    ("migrating", "no-transaction"),
    ("restoring", "copying-rename"),
    ("merging", "no-transaction"),
]


def harness(name: str, *args: object) -> Any:
    """Run a harness in a process of its own: it forks, and its children are killed."""
    argv = [sys.executable, "-m", f"torture.{name}", *map(str, args)]
    ran = subprocess.run(
        argv, cwd=REPO / "tests", capture_output=True, text=True, timeout=900, check=False
    )
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout)


def test_every_job_is_killed() -> None:
    from torture.kills import JOBS

    assert set(KILLS) == set(JOBS)
    assert sum(KILLS.values()) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("job", KILLS)
def test_nothing_is_lost_or_torn(job: str) -> None:
    tally = harness("kills", job, "--kills", KILLS[job], "--seed", 1)
    assert (tally["lost"], tally["torn"]) == (0, 0), tally["examples"]
    assert tally["kills"] == KILLS[job]
    assert tally["acknowledged"] >= KILLS[job] // 5


@pytest.mark.slow
@pytest.mark.parametrize(("job", "plant"), PLANTED)
def test_a_planted_fault_is_seen(job: str, plant: str) -> None:
    tally = harness("kills", job, "--kills", 60, "--plant", plant)
    assert tally["lost"] + tally["torn"] > 0, f"{tally['kills']} kills, and nothing was noticed"
