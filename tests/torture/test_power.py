"""Power cuts: nothing acknowledged is lost, and the settings we do not use would lose it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from torture import power, power_export

WEAKER = ("FULL", "OFF")
PLANTED = ("no-fsync", "no-folder-sync")
needs_strace = pytest.mark.skipif(power.traceable() is not None, reason=str(power.traceable()))


@needs_strace
@pytest.mark.slow
def test_no_power_cut_loses_a_label_or_a_backup(tmp_path: Path) -> None:
    found = power.run(tmp_path, labels=6, synchronous="EXTRA", seed=1, repeats=3)
    assert (found["lost"], found["torn"]) == (0, 0)
    assert found["acknowledged"] == 7
    assert found["states"] > 1000


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("synchronous", WEAKER)
def test_the_replay_sees_what_weaker_settings_lose(tmp_path: Path, synchronous: str) -> None:
    found = power.run(tmp_path, labels=2, synchronous=synchronous, seed=1, repeats=1)
    assert found["lost"] + found["torn"] > 0


@needs_strace
@pytest.mark.slow
def test_no_power_cut_tears_an_export(tmp_path: Path) -> None:
    found = power_export.run(tmp_path, seed=1, repeats=10)
    assert (found["lost"], found["torn"]) == (0, 0)
    assert found["states"] > 150


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTED)
def test_the_replay_sees_an_export_without_syncs(tmp_path: Path, plant: str) -> None:
    found = power_export.run(tmp_path, seed=1, repeats=10, plant=plant)
    assert found["lost"] + found["torn"] > 0


def test_the_model_of_a_disk() -> None:
    """What is synced stays; a name is only sure once its folder is synced."""
    disk, rnd = power.Disk({"old": b"old"}), random.Random(0)
    for event in (("create", "new"), ("write", "new", 0, b"data"), ("sync", "new")):
        disk.play(event)
    assert disk.after_a_cut(rnd, 0.0) == {"old": b"old"}
    assert disk.after_a_cut(rnd, 1.0) == {"old": b"old", "new": b"data"}
    disk.play(("rename", "new", "old"))
    assert disk.after_a_cut(rnd, 0.0) == {"old": b"old"}
    disk.play(("sync-folder",))
    disk.play(("write", "old", 2, b"\0" * 1024))
    disk.play(("truncate", "old", 1))
    assert disk.after_a_cut(rnd, 0.0) == {"old": b"data"}
    assert disk.after_a_cut(rnd, 1.0) == {"old": b"d"}
