"""Hostile text through every page, widget, message and line: nothing acts, nothing is lost."""

from __future__ import annotations

import inspect
import io
import json
import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from desks import GUIDELINE, FakeDesk, a_guideline, a_view
from helpers import Cli, record, write_jsonl
from terminal import Terminal
from terminal import labelkit as command

import labelkit.tui
import labelkit.tui.pages
from labelkit.domain.models import Message
from labelkit.domain.safe_text import safe_text
from labelkit.errors import StoreError
from labelkit.tui.bench import Bench, RankBench, WriteBench
from labelkit.tui.lines import Lines
from labelkit.tui.pages.rank import first_pages
from labelkit.tui.pages.write import first_pages as first_write_pages
from labelkit.tui.plain import HELP, PlainRank
from labelkit.tui.plain_write import PlainWrite
from labelkit.tui.session import RankSession, WriteSession
from labelkit.tui.view.paper import Size
from labelkit.tui.view.reading import rendered

PAYLOADS = [
    "\x1b]52;c;ZXZpbA==\x07clipboard",
    "\x1b[2J\x1b[Hcleared",
    "\x9b31mC1\x9c",
    "[/nope] [bold]x[/bold] [@click=app.evil]y[/] [INST]",
    "a\u202egnp.exe\u2066 \u200bzero\ufeff",
    "\x00\x07\x08\x7f\x1bc\x1bkT\x1b\\",
    "tags \U000e0041\U000e0042 \u2028line\u2029par",
    "<script>alert(1)</script> ![i](http://x) [l](javascript:1)",
]
DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\U000e0041]"
)
ALL = "\n".join(PAYLOADS)
SIZES = [Size(80, 24), Size(160, 60)]


def hostile_view(**more: Any) -> Any:
    rules = a_guideline(
        GUIDELINE.replace("Makes up facts", json.dumps(PAYLOADS[0] + PAYLOADS[3])).replace(
            "Judge what is written.", "\n\n".join(PAYLOADS)
        )
    )
    return a_view(
        [ALL, *PAYLOADS[:4]],
        guideline=rules,
        prompt_kind="user_based",
        application=PAYLOADS[0] + PAYLOADS[3],
        messages=(Message("user", ALL), Message(PAYLOADS[1], PAYLOADS[3])),
        batch=PAYLOADS[0],
        **more,
    )


def every_page_class() -> set[type]:
    """Every class in the pages package that draws."""
    found = set()
    for module in pkgutil.iter_modules(labelkit.tui.pages.__path__):
        page_module = import_module(f"labelkit.tui.pages.{module.name}")
        for _, cls in inspect.getmembers(page_module, inspect.isclass):
            if cls.__module__ == page_module.__name__ and hasattr(cls, "draw"):
                found.add(cls)
    return found


def concrete(classes: set[type]) -> set[type]:
    bases = {base for cls in classes for base in cls.__mro__[1:]}
    plain = {"HelpPage"}
    return {cls for cls in classes if cls not in bases or cls.__name__ in plain}


def hostile_bench(size: Size) -> RankBench:
    desk = FakeDesk([hostile_view()], labeler=PAYLOADS[3])
    bench = RankBench(RankSession(desk, "screen"), size, first_pages)
    assert bench.start()
    state = bench.session.state
    for letter in bench.session.letters:
        state.write_note(letter, ALL)
    state.write_note(None, ALL)
    return bench


RANKED = ("escape", "6", "enter", "2", "enter", "5", "enter", "4", "enter", "1", "enter")


def drawn(bench: Bench[Any], size: Size) -> str:
    lines = bench.draw(size)
    assert all(line.cell_length == size.width for line in lines)
    return "\n".join(line.plain for line in lines)


def seen_while_ranking(size: Size, before: tuple[str, ...], key: str) -> set[type]:
    """Press keys, look at every picture on the way, and return the pages that were there."""
    bench = hostile_bench(size)
    seen: set[type] = set()
    for k in (*before, key, "", "tab", "space", "down"):
        if k and not bench.parting:
            bench.press(k)
        if not bench.parting:
            seen.update(type(page) for page in bench.pages)
            assert not DANGEROUS.search(drawn(bench, size)), (before, key, k)
    return seen


def seen_while_writing(size: Size, key: str) -> set[type]:
    bench = WriteBench(WriteSession(FakeDesk([hostile_view()]), "screen"), size, first_write_pages)
    assert bench.start()
    bench.session.text = bench.session.note = ALL
    bench.press(key)
    page: Any = bench.pages[0]
    text = drawn(bench, size) + page.header(80).plain
    text += "".join(x.plain for part in (page.prompt(size), page.foot(80)) for x in part)
    assert not DANGEROUS.search(text)
    return {type(page) for page in bench.pages}


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_page_shows_anything_but_inert_text(size: Size) -> None:
    """Every page class there is must have been on the screen by the end."""
    seen: set[type] = set()
    for before in (("escape",), RANKED):
        for key in ("m", "x", "s", "v", "p", "?", "right", "enter", "w", "y"):
            seen |= seen_while_ranking(size, before, key)
    for key in ("escape", "ctrl+s", "p", "?", "s"):
        seen |= seen_while_writing(size, key)
    assert not concrete(every_page_class()) - seen


def test_messages_and_troubles_are_inert() -> None:
    bench = hostile_bench(Size(160, 45))
    bench.press("escape")
    bench.message = bench.trouble = ""
    bench.session.desk.refuses = StoreError(ALL)  # type: ignore[attr-defined]
    for key in (*RANKED[1:], "enter", "enter"):
        bench.press(key)
    assert "Not stored" in bench.message
    assert not DANGEROUS.search(drawn(bench, Size(160, 45)))
    bench.trouble = ALL
    assert not DANGEROUS.search(drawn(bench, Size(160, 45)))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_not_a_bracket_is_lost(payload: str) -> None:
    desk = FakeDesk([a_view([payload, "b", "c"])])
    bench = RankBench(RankSession(desk, "screen"), Size(200, 50), first_pages)
    assert bench.start()
    found = drawn(bench, Size(200, 50))
    for line in safe_text(payload).splitlines():
        for word in line.split():
            assert word in found


def test_markdown_is_inert_too() -> None:
    for payload in [*PAYLOADS, ALL]:
        for line in rendered(safe_text(payload), 80):
            assert not DANGEROUS.search(line.plain)
            assert not any(getattr(span.style, "link", None) for span in line.spans)


class Speech:
    """Lines that remember what was said."""

    def __init__(self, said: str) -> None:
        self.target = io.StringIO()
        self.lines = Lines(io.BytesIO(said.encode()), self.target)

    @property
    def text(self) -> str:
        return self.target.getvalue()


def test_line_mode_prints_nothing_that_acts() -> None:
    words = [line.split()[0].strip(",") for line in HELP.splitlines()]
    commands = [w for w in words if w.isalpha() and w not in ("C", "quit")]
    script = [*commands, f"n A {PAYLOADS[3]}", "n B \x1b]52;c;x\x07", "t \x1b[2J", "status", "show"]
    script += [
        "compare A B",
        "guideline",
        "flags",
        f"{PAYLOADS[0]}",
        "r A 6",
        "skip \x1b[2J",
        "a>b>c>d>e",
    ]
    speech = Speech("\n".join(script) + "\n")
    plain = PlainRank(FakeDesk([hostile_view()], labeler=PAYLOADS[0]), speech.lines)
    plain.run()
    assert not DANGEROUS.search(speech.text)
    assert "[/nope] [bold]x[/bold] [@click=app.evil]y[/] [INST]" in speech.text
    assert "Stored" in speech.text


def test_line_mode_for_writing_prints_nothing_that_acts() -> None:
    script = f"{PAYLOADS[0]}\n/show\n/note \x1b[2J\n/guideline\n/reasons\n/prompt\n/undo\nok\n.\n"
    speech = Speech(script)
    PlainWrite(FakeDesk([hostile_view()]), speech.lines).run()
    assert not DANGEROUS.search(speech.text)
    assert "Stored" in speech.text


@pytest.fixture
def hostile_store(cli: Cli, tmp_path: Path) -> Cli:
    """A store in which everything that a file can say is hostile."""
    clean = [p.replace("\x00", "") for p in PAYLOADS]
    rows = [
        record(
            f"{clean[i % len(clean)]} {i}",
            completions=[
                {"id": f"{j}", "text": f"{p} {j}", "model": f"m{j}"} for j, p in enumerate(clean)
            ],
            prompt_id=f"p{i}",
            meta={"application": clean[0]},
            kind="user_based",
        )
        for i in range(3)
    ]
    cli("import", write_jsonl(tmp_path / "in.jsonl", rows))
    cli("labelers", "add", "[/ana]")
    return cli


EVIL_BYTES = [b"\x1b]52", b"\x9b31m", b"\x1bkT", "\u202e".encode(), b"\x1b]8;", b"\x1bc"]


def test_the_real_screen_sends_no_foreign_sequence(hostile_store: Cli) -> None:
    """Bytes on a real terminal: our own drawing, and nothing that a text brought along."""
    argv = command(hostile_store.store, "rank", "--as", "[/ana]")
    with Terminal(argv, size=(160, 45)) as term:
        term.wait_for(lambda text: "Read the prompt" in text or "How good" in text)
        term.press("escape")
        term.read(0.3)
        for key in [*("1", "enter") * 8, "enter", "v", "escape"]:
            term.press(key)
        term.read(0.3)
        for key in ("p", "escape", "?", "tab", "escape", "m", "escape", "w", "n"):
            term.press(key)
            term.read(0.2)
        pasted = "\x1b[200~\x1b]52;c;eHg=\x07 [/nope] \u202e\x1b[201~"
        term.press(pasted)
        term.read(0.5)
        term.press("escape")
        term.read(0.5)
        term.press("q")
        assert term.end() == 0
        for evil in EVIL_BYTES:
            assert evil not in term.raw, evil
        assert b"[/nope]" in re.sub(rb"\x1b\[[0-9;]*m", b"", term.raw)


def test_every_table_and_message_of_the_desk_commands(hostile_store: Cli) -> None:
    hostile_store("assign", "--batch", "b\u202e\x1b[2J", "--k-min", "2")
    hostile_store.run("rank", "--as", "[/ana]", stdin="skip unclear \x1b]52;c;x\x07\nquit\n")
    for args in (("status",), ("tasks", "list"), ("assign",), ("rank", "--as", "\x1b[2J")):
        ran = hostile_store.run(*args, stdin="")
        assert not DANGEROUS.search(ran.out), args
        assert not DANGEROUS.search(ran.err), args
    jsonl = hostile_store.run("rank", "--as", "[/ana]", "--jsonl", stdin="")
    assert all(" " <= c <= "~" or c == "\n" for c in jsonl.out)
    task = jsonl.rows[0]
    assert any("\x1b]52;c;ZXZpbA==\x07" in c["text"] for c in task["completions"]), "lossless"


def test_nothing_in_the_screen_uses_markup() -> None:
    """No `from_markup`, no markup strings, in any module of the desk."""
    folder = Path(labelkit.tui.__path__[0])
    sources = list(folder.rglob("*.py"))
    assert len(sources) > 20
    for source in sources:
        text = source.read_text(encoding="utf-8")
        assert "from_markup" not in text, source
        assert "notify(" not in text, source
    assert sys.modules["labelkit.tui"]
