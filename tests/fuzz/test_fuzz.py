"""The corpus once through every reader, and a few hundred inputs more; `make fuzz` goes on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from fuzz.__main__ import CORPUS, MOST_KIB, blindly, seeds_of
from fuzz.targets import TARGETS, call
from helpers import REPO

INPUTS = 150
SECONDS = 2.0


def test_every_reader_has_a_corpus_and_is_fuzzed() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    (line,) = re.findall(r"^READERS := (.*)$", (REPO / "Makefile").read_text(), re.MULTILINE)
    assert line.split() == list(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_only_our_own_errors_come_out(name: str, tmp_path: Path) -> None:
    read = partial(call, TARGETS[name](tmp_path))
    for data in seeds_of(name):
        read(data)
    assert blindly(read, name, SECONDS, seed=1, most=INPUTS) > 0


def test_memory_stays_flat() -> None:
    """In a process of its own, where nothing else has used memory before."""
    argv = [sys.executable, "-m", "fuzz", "records", "--seconds", "2", "--seed", "2"]
    ran = subprocess.run(
        argv, cwd=REPO / "tests", capture_output=True, text=True, timeout=120, check=True
    )
    said = json.loads(ran.stdout)
    assert said["runs"] > 100
    assert said["grew_kib"] < MOST_KIB


def test_a_broken_reader_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(data: bytes) -> None:
        data.decode("ascii")

    monkeypatch.setattr("fuzz.__main__._keep", lambda *_: None)
    with pytest.raises(UnicodeDecodeError):
        blindly(careless, "records", 5.0, seed=1)
