"""The screen in a real pseudo-terminal: whole tasks, kills, signals, failures, resizing."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, record, write_jsonl
from terminal import Terminal, labelkit

RATE = "Completion A"
WHOLE_TASK = [
    *("6", "enter", "2", "enter", "m", "3", "enter", "5", "enter"),
    *("n", "g", "o", "o", "d", "escape", "6", "enter", "x", "1", "enter"),
    *("d", "=", "v", "tab", "escape", "a", "j", "k", "u", "r", "b", "+"),
    *("t", "h", "m", "escape"),
]


@pytest.fixture
def desk(cli: Cli, tmp_path: Path) -> Cli:
    rows = [record(f"question {i}") for i in range(4)]
    cli("import", write_jsonl(tmp_path / "in.jsonl", rows))
    cli("labelers", "add", "ana")
    cli("assign", "--overlap", 2)
    return cli


def draft(store: Path) -> dict[str, Any]:
    """The one draft there is, without what depends on time."""
    (path,) = store.with_name(f"{store.name}.drafts").glob("*/*.json")
    body = json.loads(path.read_bytes())
    return {key: body[key] for key in ("work", "past", "future", "revisions", "shown")}


def rankings(cli: Cli) -> list[Any]:
    rows = cli("export", "--format", "records", "--out", "-").rows
    return [ranking for row in rows for ranking in row["rankings"]]


def run_through(desk: Cli, keys: list[str], kill_every: int | None) -> dict[str, Any]:
    """Press keys on a fresh draft of ana's first task; kill -9 and start again now and then."""
    term = Terminal(labelkit(desk.store, "rank", "--as", "ana"))
    term.wait_for(RATE)
    for i, key in enumerate(keys, 1):
        shown = term.screen.text
        term.press(key)
        if key == "escape":
            # Typed too soon after it, the next key would be one with Alt.
            term.wait_for(lambda text, shown=shown: text != shown)
            term.read(0.3)
        if kill_every and i % kill_every == 0 and keys[i - 1 : i] != ["n"]:
            before = settled(term, desk.store)
            term.__exit__()
            assert draft(desk.store) == before
            term = Terminal(labelkit(desk.store, "rank", "--as", "ana"))
            term.wait_for("Completion ")
            if in_note(keys[:i]):
                term.press("t" if in_note(keys[:i]) == "t" else "n")
                term.wait_for("Note on")
                term.read(0.2)
            elif dialog := in_dialog(keys[:i]):
                term.press(dialog)
                term.read(0.2)
    found = settled(term, desk.store)
    term.__exit__()
    return found


def in_note(keys: list[str]) -> str | None:
    """The key that opened a note which is still being written."""
    for key in reversed(keys):
        if key in ("escape", "enter", "tab", "=", "v", "x", "m"):
            return None
        if key in ("n", "t"):
            return key
    return None


def in_dialog(keys: list[str]) -> str | None:
    """The key that opened a dialog which is still open."""
    for key in reversed(keys):
        if key in ("escape", "enter"):
            return None
        if key in ("m", "x", "v"):
            return key
    return None


def settled(term: Terminal, store: Path) -> dict[str, Any]:
    """The draft, once it has stopped changing."""
    found: dict[str, Any] = {}
    while found != (found := draft_after(term, store)):
        pass
    return found


def draft_after(term: Terminal, store: Path) -> dict[str, Any]:
    term.read(0.5)
    return draft(store)


@pytest.mark.slow
def test_a_whole_task_killed_at_every_tenth_key_loses_nothing(desk: Cli, tmp_path: Path) -> None:
    """The same keys lead to the same draft, however often the process died on the way."""
    killed = run_through(desk, WHOLE_TASK, kill_every=10)
    smooth = copy_of(desk, tmp_path / "smooth")
    calm = run_through(smooth, WHOLE_TASK, kill_every=None)
    assert killed["work"] == calm["work"]
    assert killed["revisions"] == calm["revisions"]
    with Terminal(labelkit(desk.store, "rank", "--as", "ana")) as term:
        term.wait_for("Resumed where you left off")
        for _ in range(8):
            if "Enter submits" in term.screen.text:
                break
            term.press("=" if "keep the tie" in term.screen.text else "enter")
            term.read(0.2)
        term.press("enter")
        term.wait_for("Stored.")
        term.press("q")
        assert term.end() == 0
        assert term.restored
    (ranking,) = rankings(desk)
    letters = dict(zip("ABCD", ranking["shown"], strict=True))
    assert ranking["flags"] == {letters["C"]: ["hallucination"]}
    assert ranking["notes"] == {letters["D"]: "good"}
    assert ranking["note"] == "hm"
    assert ranking["marks"] == ["ambiguous"]
    assert ranking["ratings"][letters["A"]] == 6
    assert ranking["ratings"][letters["B"]] == 3
    assert ranking["seeded"] is True


def copy_of(desk: Cli, folder: Path) -> Cli:
    """The same store without drafts and leases in use."""
    folder.mkdir()
    (folder / "labelkit.db").write_bytes(desk.store.read_bytes())
    return Cli(folder / "labelkit.db")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_leave_the_terminal_as_it_was(desk: Cli, number: signal.Signals) -> None:
    with Terminal(labelkit(desk.store, "rank", "--as", "ana")) as term:
        term.wait_for(RATE)
        term.press("6", "enter", "3")
        term.wait_for(" B3 ")
        assert not term.restored
        term.process.send_signal(number)
        code = term.end()
        assert term.restored, term.raw[-300:]
        assert code == {15: 143, 1: -1, 2: 130}[number]
        assert b"Traceback" not in term.raw
    with Terminal(labelkit(desk.store, "rank", "--as", "ana")) as term:
        text = term.wait_for("Resumed where you left off")
        assert "Completion B" in text
        assert " A6  B3 " in text
        assert "How good is B?" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_while_writing_leave_the_terminal_and_the_text(
    desk: Cli, number: signal.Signals
) -> None:
    argv = labelkit(desk.store, "write", "--as", "ana")
    with Terminal(argv) as term:
        term.wait_for("Write the best answer")
        term.press(*"Hello")
        term.wait_for("1 word")
        term.process.send_signal(number)
        code = term.end()
        assert term.restored, term.raw[-300:]
        assert code == {15: 143, 1: -1, 2: 130}[number]
        assert b"Traceback" not in term.raw
    with Terminal(argv) as term:
        term.wait_for("Hello")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_under_a_progress_bar_leave_the_terminal_and_the_store(
    cli: Cli, tmp_path: Path, number: signal.Signals
) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [record(f"q{i}") for i in range(60_000)])
    with Terminal(labelkit(cli.store, "import", str(path))) as term:
        term.wait_for("importing")
        assert b"\x1b[?25l" in term.raw  # the bar hides the cursor
        term.process.send_signal(number)
        assert term.end() == {15: 143, 2: 130}[number]
        assert term.restored, term.raw[-300:]
        assert b"Traceback" not in term.raw
    assert cli("status", "--json").json["prompts"] == 0


CRASHING = """
import sys
from pathlib import Path
from labelkit.services.desk import Desk
from labelkit.tui.app import RankApp
from labelkit.tui.pages.rank import RankPage

def explode(self):
    raise RuntimeError("[/boom] \\x1b]52;c;x\\x07")

RankPage._pin = explode
with Desk(Path(sys.argv[1]), "ana") as desk:
    try:
        RankApp(desk, keys={}, theme="dark").run_to_the_end()
    except Exception as error:
        print("ENDED", type(error).__name__)
        sys.exit(7)
"""


def test_a_failure_inside_leaves_the_terminal_as_it_was(desk: Cli) -> None:
    with Terminal([sys.executable, "-c", CRASHING, str(desk.store)]) as term:
        term.wait_for(RATE)
        term.press("6", "enter", "3", "y")
        assert term.end() == 7
        assert term.restored
        assert b"ENDED LabelkitError" in term.raw
        assert b"]52;c" not in term.raw
    with Terminal(labelkit(desk.store, "rank", "--as", "ana")) as term:
        assert " A6  B3 " in term.wait_for("Resumed where you left off")


FIRST_SCREEN = """
import json, sys
from pathlib import Path
sys.argv[:2] = ["labelkit"]
from labelkit.__main__ import main
try:
    main()
finally:
    Path(LOADED).write_text(json.dumps(sorted(sys.modules)))
"""


def test_the_first_screen_loads_only_what_it_shows(desk: Cli, tmp_path: Path) -> None:
    seen = tmp_path / "loaded.json"
    code = FIRST_SCREEN.replace("LOADED", repr(str(seen)))
    argv = [sys.executable, "-c", code, "-", *labelkit(desk.store, "rank", "--as", "ana")[3:]]
    with Terminal(argv) as term:
        term.wait_for(RATE)
        term.press("q")
        assert term.end() == 0
    loaded = set(json.loads(seen.read_bytes()))
    assert {"labelkit.tui.pages.rank", "textual.app", "sqlalchemy"} <= loaded
    others = {f"labelkit.tui.pages.{page}" for page in ("choose", "compare", "reading", "review")}
    plain = {"labelkit.tui.compare", "labelkit.tui.plain", "labelkit.services.assigning"}
    heavy = {"pydantic", "numpy", "pandas", "alembic", "sqlalchemy.orm", "rich.markdown"}
    assert loaded & (others | plain | heavy) == set()


@pytest.mark.parametrize("env", [{}, {"COLUMNS": "80", "LINES": "24"}], ids=["bare", "exported"])
def test_it_lives_through_every_size(desk: Cli, env: dict[str, str]) -> None:
    argv = labelkit(desk.store, "rank", "--as", "ana")
    with Terminal(argv, size=(80, 24), env=env) as term:
        term.wait_for(RATE)
        for width, height in ((160, 45), (60, 16), (200, 50), (20, 5), (120, 36)):
            term.resize(width, height)
            term.read(0.4)
            assert term.process.poll() is None
        term.wait_for("How good is A?")
        term.resize(80, 24)
        assert RATE in term.wait_for("How good is A?")
        term.press("q")
        assert term.end() == 0


def test_upper_case_and_ctrl_c(desk: Cli) -> None:
    with Terminal(labelkit(desk.store, "rank", "--as", "ana")) as term:
        term.wait_for(RATE)
        term.press("C")
        term.wait_for("Completion C")
        term.press("ctrl+c")
        assert term.end() == 0
        assert term.restored


def test_without_a_terminal_there_are_lines(desk: Cli) -> None:
    with Terminal(labelkit(desk.store, "rank", "--as", "ana"), env={"TERM": "dumb"}) as term:
        term.wait_for("Type the order")
        assert b"\x1b" not in term.raw
    with Terminal(labelkit(desk.store, "rank", "--as", "ana"), env={"LABELKIT_PLAIN": "1"}) as term:
        term.wait_for("Type the order")
        assert b"\x1b" not in term.raw


def test_a_terminal_of_few_letters_gets_lines_and_spelt_out_letters(
    cli: Cli, tmp_path: Path
) -> None:
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record("Größe 漢")]))
    cli("labelers", "add", "ana")
    env = {"PYTHONIOENCODING": "latin-1"}
    with Terminal(labelkit(cli.store, "rank", "--as", "ana"), env=env) as term:
        assert "e \\u6f22" in term.wait_for("Type the order")
        assert b"Gr\xf6\xdfe" in term.raw
        assert b"\x1b" not in term.raw


def test_when_messages_go_to_a_file_there_are_lines(desk: Cli, tmp_path: Path) -> None:
    """Textual draws on stderr: a screen would go into the file."""
    talk = tmp_path / "talk.txt"
    argv = ["sh", "-c", '"$@" 2>"$0"', str(talk), *labelkit(desk.store, "rank", "--as", "ana")]
    with Terminal(argv) as term:
        term.wait_for("question")
        assert not term.screen.modes
    assert "\x1b" not in talk.read_text()


def test_writing_on_the_screen_survives_a_kill(desk: Cli) -> None:
    argv = labelkit(desk.store, "write", "--as", "ana")
    with Terminal(argv) as term:
        term.wait_for("Write the best answer")
        term.press(*"Hello wor")
        term.wait_for("2 words")
        term.read(0.3)
    with Terminal(argv) as term:
        term.wait_for("Hello wor")
        term.press(*"ld")
        term.wait_for("Hello world")
        term.press("ctrl+s")
        term.wait_for("Enter submits")
        term.press("enter")
        term.wait_for("Stored.")
        term.press("escape")
        term.wait_for("What would you like to do?")
        term.press("q")
        assert term.end() == 0
        assert term.restored
    rows = desk("export", "--format", "records", "--out", "-").rows
    assert [d["text"] for row in rows for d in row["demonstrations"]] == ["Hello world"]
