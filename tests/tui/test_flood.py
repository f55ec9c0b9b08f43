"""Keys faster than anybody types: typed ahead, held down, pasted where no paste is known."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import Cli, record, write_jsonl
from terminal import KEYS, Terminal, labelkit

FIRST = {"rank": "Completion A", "write": "Write the best answer"}
SIGNS = [*"abcdefghijklmnoprstuvwxyz0123456789=+-<>,.?", "é", "🙂", "שלום", "\x00", "\x1c", "\x9b"]
LEAVING = ("ctrl+c", "escape")  # an escape would join the sign after it, and most are for leaving
NAMED = [keys for name, keys in KEYS.items() if name not in LEAVING]
SEQUENCES = ["\x1b[<0;10;10M", "\x1b[<0;10;10m", "\x1b[<64;10;10M", "\x1b[I", "\x1b[O", "\x1b[99~"]
QUIT = "\x11"
PASTES = ["\x1b[200~7\r\rs1\x1b[201~", "\x1b[200~\x1b[201~"]


@pytest.fixture
def desk(cli: Cli, tmp_path: Path) -> Cli:
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record(f"question {i}") for i in range(4)]))
    cli("labelers", "add", "ana")
    cli("assign", "--overlap", 2)
    return cli


def begun(desk: Cli, verb: str) -> Terminal:
    term = Terminal(labelkit(desk.store, verb, "--as", "ana"))
    term.wait_for(FIRST[verb])
    return term


def at_once(term: Terminal, keys: str) -> None:
    """Type without waiting for anything, reading what is drawn so that nobody blocks."""
    data = keys.encode()
    os.set_blocking(term.master, False)
    while data and term.process.poll() is None:
        with suppress(BlockingIOError):
            data = data[os.write(term.master, data[:1024]) :]
        term.read(0.001)
    os.set_blocking(term.master, True)


def labels(desk: Cli) -> int:
    status = desk("status", "--json").json
    return int(status["rankings"] + status["demonstrations"] + sum(status["skips"].values()))


@pytest.mark.slow
@pytest.mark.parametrize("verb", FIRST)
@pytest.mark.parametrize("seed", [1])
def test_a_flood_of_keys_stores_nothing_and_breaks_nothing(desk: Cli, verb: str, seed: int) -> None:
    rnd = random.Random(seed)
    some = [*SIGNS, *NAMED, *SEQUENCES, *PASTES]
    with begun(desk, verb) as term:
        at_once(term, "".join(rnd.choice(some) for _ in range(1000)))
        at_once(term, QUIT)
        assert term.end(60) == 0, term.screen.text
        assert term.restored
        assert b"Traceback" not in term.raw
    assert labels(desk) == 0
    with Terminal(labelkit(desk.store, verb, "--as", "ana")) as term:
        term.wait_for("Task 1 of 4")


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
        assert "every letter" in term.wait_for("too fast to be meant")
        assert labels(desk) == 0
        term.press("enter")
        term.wait_for("Stored.")
    rows = desk("export", "--format", "records", "--out", "-").rows
    assert [d["text"] for row in rows for d in row["demonstrations"]] == ["every letter"]


@pytest.mark.parametrize("keys", ["s1", "6\r5\r4\r3\r\r\r", "6\r5\r4\r3\r\r\r\r\r\r"])
def test_what_is_pasted_as_keys_puts_no_task_away(desk: Cli, keys: str) -> None:
    """Some terminals do not say that a text was pasted: it arrives as keys."""
    with begun(desk, "rank") as term:
        at_once(term, keys)
        term.wait_for("too fast to be meant")
        assert labels(desk) == 0
        term.press("enter")
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
