"""The screen is stopped, goes on, or loses its terminal."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from helpers import Cli, record, write_jsonl
from terminal import Terminal, labelkit

QUESTION = "How good is A?"


@pytest.fixture
def rank(cli: Cli, tmp_path: Path) -> list[str]:
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record()]))
    cli("labelers", "add", "ana")
    return labelkit(cli.store, "rank", "--as", "ana")


def wait_until_stopped(pid: int) -> None:
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < end, "it goes on"
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_it_is_painted_anew_when_somebody_comes_back(
    rank: list[str], number: signal.Signals
) -> None:
    with Terminal(rank) as term:
        term.wait_for(QUESTION)
        for rating in "67":
            term.process.send_signal(number)
            wait_until_stopped(term.process.pid)
            term.read()
            assert term.restored == (number == signal.SIGTSTP)
            term.process.send_signal(signal.SIGCONT)
            term.screen.rows = [[" "] * 80 for _ in range(24)]  # others wrote over it
            term.wait_for(QUESTION)
            term.press(rating)
            term.wait_for(f" A{rating} ")
        term.press("q")
        assert term.end() == 0
        assert term.restored


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("more", [(), ("--plain",)])
def test_a_terminal_that_goes_away_ends_it(
    rank: list[str], told: bool, more: tuple[str, ...]
) -> None:
    with Terminal([*rank, *more], told=told) as term:
        term.wait_for("Type the order" if more else QUESTION)
        os.write(term.master, b"r A 6\n" if more else b"6")
        term.wait_for("very good" if more else " A6 ")
        assert term.hang_up() in (-signal.SIGHUP, 1, 4)
    with Terminal(rank) as term:
        assert " A6 " in term.wait_for("Resumed where you left off")
