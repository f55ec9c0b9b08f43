"""The one command that runs every harness."""

from __future__ import annotations

from pathlib import Path

import pytest
from torture import __main__ as torture
from torture import power

HARNESSES = {
    f"torture.{path.stem}"
    for path in Path(__file__).parent.glob("*.py")
    if "def main()" in path.read_text() and not path.stem.startswith(("_", "test_"))
}


@pytest.mark.parametrize("planted", [True, False])
def test_every_harness_runs_and_has_a_fault_to_see(planted: bool) -> None:
    parts = [part for part in torture.parts(10, 8) if part.planted == planted]
    found = {part.argv[0] for part in parts if part.argv[0] != "fuzz"}
    assert found == HARNESSES
    assert len({part.name for part in parts}) == len(parts)


def test_a_part_says_what_it_did() -> None:
    well, said = torture.run(torture.Part("x", ("fuzz", "grammar"), share=1), 1.0, seed=1)
    assert well
    assert "runs" in said


@pytest.mark.skipif(power.traceable() is not None, reason=str(power.traceable()))
def test_a_planted_fault_that_is_not_seen_is_wrong() -> None:
    part = torture.Part("x", ("torture.power_export", "--repeats", "1"), planted=True)
    assert not torture.run(part, None, seed=1)[0]
    assert torture.run(torture.Part("x", part.argv), None, seed=1)[0]


def test_a_harness_that_dies_is_wrong() -> None:
    assert not torture.run(torture.Part("x", ("torture.nothing",)), None, seed=1)[0]
    assert not torture.run(torture.Part("x", ("torture.nothing",), planted=True), None, 1)[0]
