"""No command ends with 0 when what it printed went nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torture import streams
from torture.test_kills import harness


def test_every_command_says_how_it_is_called() -> None:
    assert set(streams.CALLS) == {name for name, _ in streams.leaves()}


@pytest.mark.slow
def test_no_command_hides_that_its_output_was_lost() -> None:
    found: Any = harness("streams")
    assert found["wrong"] == []
    assert found["ran"] > len(streams.CALLS)
    assert len(found["printing"]) > len(streams.CALLS)  # most print, and most have --json


@pytest.mark.slow
def test_a_planted_fault_is_seen(tmp_path: Path) -> None:
    assert harness("streams", "--only", "status", "--plant", "lost-output")["wrong"]
