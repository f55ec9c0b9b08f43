"""Faults at system calls: a few of each kind here, every one of them by `make torture`."""

from __future__ import annotations

from pathlib import Path

import pytest
from torture import faults, power

needs_strace = pytest.mark.skipif(power.traceable() is not None, reason=str(power.traceable()))


@needs_strace
@pytest.mark.slow
def test_no_fault_costs_a_label(tmp_path: Path) -> None:
    found = faults.run(tmp_path, step=9, most=3)
    assert (found.lost, found.torn, found.rude) == (0, 0, 0), found.examples
    assert found.injected >= 10
    assert found.refused > 0
    assert found.acknowledged > found.injected


@needs_strace
@pytest.mark.slow
def test_a_planted_fault_is_seen(tmp_path: Path) -> None:
    found = faults.run(tmp_path, step=2, plant="no-transaction")
    assert found.lost + found.torn > 0
