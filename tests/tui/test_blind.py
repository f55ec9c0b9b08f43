"""Blind: the process that shows a task never holds the name of a model."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import Cli, record, write_jsonl
from sqlalchemy import event
from terminal import Terminal
from terminal import labelkit as command

from labelkit.domain.tasks import Answer, TaskKind
from labelkit.services.desk import Desk

MODEL = "Zq7Xw-secret-model"
FILE_ID = "Yj9Kd-secret-id"
TEXT = "Wm4Bt-shown-text"
READER = """
import sqlite3, sys
kept = sqlite3.connect(sys.argv[1]).execute("SELECT * FROM completion_source").fetchall()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def project(cli: Cli, tmp_path: Path) -> Cli:
    """Names and texts that cannot be anywhere by chance; enough of them to fill many pages."""
    rows = [
        record(
            f"question {i}",
            prompt_id=f"p{i}",
            completions=[
                {
                    "id": f"{FILE_ID}-{i}-{j}",
                    "text": f"{TEXT} {i} {j} " + "word " * 50,
                    "model": f"{MODEL}-{j}",
                    "params": {"name": f"{MODEL}-{j}"},
                }
                for j in range(5)
            ],
        )
        for i in range(200)
    ]
    path = write_jsonl(tmp_path / "in.jsonl", rows)
    subprocess.run(command(cli.store, "import", str(path)), check=True, capture_output=True)
    subprocess.run(command(cli.store, "labelers", "add", "ana"), check=True, capture_output=True)
    return cli


def memory_of(pid: int) -> Iterator[bytes]:
    """Everything readable and written in a process's memory."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    try:
        with Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
            for start, end in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", maps, re.MULTILINE):
                try:
                    mem.seek(int(start, 16))
                    yield mem.read(int(end, 16) - int(start, 16))
                except OSError:
                    continue
    except PermissionError:
        pytest.skip("this machine does not let a parent read its child's memory")


def holds(pid: int, word: str) -> bool:
    forms = [word.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]
    return any(form in piece for piece in memory_of(pid) for form in forms)


def assert_blind(pid: int) -> None:
    assert holds(pid, TEXT), "the search finds what is there"
    assert not holds(pid, MODEL)
    assert not holds(pid, FILE_ID)


def test_the_search_would_find_a_name(project: Cli) -> None:
    """A process that reads sources does hold them: the test can fail."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(project.store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert holds(process.pid, MODEL)


def test_line_mode_holds_no_names(project: Cli) -> None:
    with subprocess.Popen(
        command(project.store, "rank", "--as", "ana"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"c > a = b > d > e\nskip unclear\nprevious\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith(b"You said:"):
                break
        assert_blind(process.pid)


def test_the_screen_holds_no_names(project: Cli) -> None:
    with Terminal(command(project.store, "rank", "--as", "ana"), size=(160, 45)) as term:
        term.wait_for("Completion A")
        for key in ("6", "5", "4", "3", "2"):
            term.press(key, "enter")
        term.press("v", "escape")
        time.sleep(0.3)
        term.press("enter", "enter")
        term.wait_for("Stored.")
        term.press("ctrl+p")
        term.wait_for("Your earlier answer")
        assert_blind(term.process.pid)


@pytest.mark.parametrize("kind", [k.value for k in TaskKind])
def test_no_statement_of_the_desk_reads_where_a_completion_came_from(
    project: Cli, kind: str
) -> None:
    """From the default batch on: hand out, draft, submit, skip, revise, renew, release."""
    said: list[str] = []
    with Desk(project.store, "ana", kind) as desk:
        # What the driver is told: some statements reach it without SQLAlchemy.
        event.listen(
            desk._store.engine,
            "checkout",
            lambda driver, *_: driver.set_trace_callback(said.append),
        )
        for turn in range(4):
            view = desk.next_task()
            assert view is not None
            desk.save_draft(view, {})
            desk.renew(view)
            if turn == 0:
                desk.release(view)
            elif turn == 1:
                desk.skip(view, "unclear", seconds=1, origin="screen")
            elif kind == TaskKind.RANK:
                desk.submit(view, Answer(tiers=tuple((c.uid,) for c in view.candidates)))
            else:
                desk.submit_demonstration(view, "text", seconds=1)
        assert desk.previous() if kind == TaskKind.RANK else desk.previous_demonstration()
    assert len(said) > 40
    assert any("INSERT INTO task" in statement for statement in said)
    assert not [s for s in said if "completion_source" in s or "prompt_alias" in s]
