"""Faults at system calls of commands: a few of each here, every one by `make torture`."""

from __future__ import annotations

from pathlib import Path

import pytest
from torture import commands, power

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(power.traceable() is not None, reason=str(power.traceable())),
]
FAULTS = 4
PLANTED = [
    ("import", "no-transaction"),
    ("import", "hushed-errors"),
    ("export", "copying-rename"),
    ("backup", "copying-rename"),
    ("restore", "hushed-errors"),
]


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_a_fault_costs_nothing(name: str, tmp_path: Path) -> None:
    found = commands.run(name, tmp_path, FAULTS)
    assert found.failures == 0, found.examples
    assert found.injected >= FAULTS - 1
    assert found.refused > 0


@pytest.mark.parametrize(("name", "plant"), PLANTED)
def test_a_planted_fault_is_seen(name: str, plant: str, tmp_path: Path) -> None:
    assert commands.run(name, tmp_path, 12, plant).failures > 0
