"""Keys faster than anybody types: typed ahead, held down, pasted where no paste is known."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from helpers import Cli
from terminal import Terminal, labelkit
from torture import flood
from torture.budget import Budget
from torture.flood import HARMLESS, at_once, begun, labels

from labelkit.tui.screens.base import PAUSE


@pytest.fixture
def desk(tmp_path: Path) -> Cli:
    return flood.desk(tmp_path)


@pytest.mark.slow
def test_a_flood_of_keys_stores_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    found = flood.run(tmp_path, seed=1, rounds=2, n=1000, budget=Budget())
    assert found.wrong == []
    assert found.floods == 2


@pytest.mark.slow
def test_a_planted_fault_is_seen(tmp_path: Path) -> None:
    assert flood.run(tmp_path, 1, 20, 300, Budget(), plant="blind-keys").wrong


def test_what_is_typed_right_after_n_is_in_the_note(desk: Cli) -> None:
    """Fingers do not wait for the note to open; nor may a letter of it act on the ranking."""
    with begun(desk, "rank") as term:
        at_once(term, "nskip 7, vexed\x13")
        term.wait_for("✎ skip 7, vexed")
        at_once(term, "6\rnq")
        term.wait_for("Note on completion B")
        at_once(term, "uit\x13")
        assert "A6" in term.wait_for("✎ quit")
    assert labels(desk) == 0


def test_what_is_typed_right_before_ctrl_s_is_in_the_text(desk: Cli) -> None:
    with begun(desk, "write") as term:
        at_once(term, "every letter\x13\r")
        term.wait_for("Stored.")
    rows = desk("export", "--format", "records", "--out", "-").rows
    assert [d["text"] for row in rows for d in row["demonstrations"]] == ["every letter"]


@pytest.mark.parametrize("keys", ["s1", "6\r5\r4\r3\r\r\r", "6\r5\r4\r3\r\r\r\r\r\r"])
def test_what_is_pasted_as_keys_puts_no_task_away(desk: Cli, keys: str) -> None:
    """Some terminals do not say that a text was pasted: it arrives as keys."""
    with begun(desk, "rank") as term:
        at_once(term, HARMLESS + keys)
        term.wait_for("too fast to be meant")
        assert labels(desk) == 0
        time.sleep(2 * PAUSE)
        term.press("enter")
        term.wait_for(lambda text: "Stored." in text or "Skipped." in text)
    assert labels(desk) == 1


@pytest.mark.parametrize("keys", ["s1", "6\r5\r4\r3\r\r\r"])
def test_keys_that_a_slow_line_held_back_count(desk: Cli, keys: str) -> None:
    with begun(desk, "rank") as term:
        at_once(term, keys)
        term.wait_for(lambda text: "Stored." in text or "Skipped." in text)
    assert labels(desk) == 1


def test_a_long_paste_is_all_there(desk: Cli) -> None:
    text = "\n".join(f"line {i} of what was pasted" for i in range(4000))
    assert len(text) > 100_000
    with begun(desk, "write") as term:
        at_once(term, f"\x1b[200~{text}\x1b[201~")
        term.wait_for("24,000 words")
        term.press("ctrl+s")
        term.wait_for("Submit 24,000 words")
        term.press("enter")
        term.wait_for("Stored.")
    rows = desk("export", "--format", "records", "--out", "-").rows
    assert [d["text"] for row in rows for d in row["demonstrations"]] == [text]


def test_a_line_that_the_terminal_cut_is_told(desk: Cli) -> None:
    """Line mode reads by the line, and the kernel keeps the first 4,095 bytes of one."""
    argv = labelkit(desk.store, "write", "--as", "ana", "--plain")
    with Terminal(argv) as term:
        term.wait_for("/help for more")
        at_once(term, "x" * 4094 + "\r")
        term.wait_for("write> ")
        at_once(term, "y" * 5000 + "\r")
        term.wait_for("passes only 4,095 bytes on")
        assert term.raw.count(b"CUT") == 1
