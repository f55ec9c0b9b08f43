"""What labelkit writes is its owner's alone, and what it says holds no word of the data."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from helpers import REPO, Cli, ranking, record, write_jsonl

from labelkit.services import project
from labelkit.services.desk import Desk

MARK = "xylophone"
LABELKIT = [sys.executable, "-m", "labelkit"]


@pytest.fixture(params=[0o022, 0o000], ids=["umask 022", "umask 000"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_everything_is_private(umask: int, tmp_path: Path) -> None:
    """Every file that appears beside a store, and every folder."""
    folder = tmp_path / "project"
    cli = Cli(folder / "labelkit.db")
    project.init(cli.store)
    good, bad = record("q"), {"prompt": 7}
    source = write_jsonl(tmp_path / "in.jsonl", [good, bad])
    cli("import", source, "--max-bad", 1, "--rejects", folder / "rejects.jsonl")
    cli("labelers", "add", "ana")
    cli("assign", "--k-min", 2)
    with Desk(cli.store, "ana") as desk:
        view = desk.next_task()
        assert view is not None
        desk.save_draft(view, {"kept": True})
        desk.release(view)
        desk.save_draft(view, {"kept": True})
    cli("bundle", "make", "--labeler", "ana", "--out", folder / "ana.db")
    cli("merge", folder / "ana.db")
    cli("backup")
    kept = next((folder / "labelkit.db.backups").glob("*.db"))
    cli("restore", kept)
    written = {p.relative_to(folder).parts[0]: p for p in sorted(folder.rglob("*")) if p.is_file()}
    expected = {"labelkit.db", "labelkit.toml", "labelkit.db.drafts", "labelkit.db.backups"}
    assert written.keys() >= expected | {"ana.db", "rejects.jsonl", "labelkit.db.lock"}
    for path in folder.rglob("*"):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_a_journal_is_as_private_as_its_store(umask: int, store_path: Path) -> None:
    with closing(sqlite3.connect(store_path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO journal (at, command, detail) VALUES ('', '', '')")
        assert mode(Path(f"{store_path}-journal")) == 0o600
        connection.execute("ROLLBACK")


# -- no word of the data -------------------------------------------------------------------------


@pytest.fixture
def marked(cli: Cli, tmp_path: Path) -> Cli:
    """A store in whose every text the mark stands."""
    row = record(f"{MARK} question", user=MARK, source=MARK, meta={"secret": MARK})
    for completion in row["completions"]:
        completion["text"] += f" {MARK}"
    row["rankings"] = [ranking("ana", "a > b > c > d", note=MARK)]
    row["demonstrations"] = [{"text": MARK, "labeler": "ana"}]
    cli("import", write_jsonl(tmp_path / "in.jsonl", [row]))
    return cli


BAD_ROWS = [
    {"prompt": MARK, "completions": [{"id": "a", "text": [MARK]}]},
    {"prompt": MARK, "completions": [{"id": "a", "text": f"{MARK}\x00"}]},
    {"prompt": [{"role": MARK, "content": MARK, "more": MARK}]},
    {"prompt": [MARK]},
    {"prompt": {"text": MARK}},
    {"prompt": MARK, "kind": "odd", "meta": MARK},
    {"prompt": MARK, "completions": [{"id": "a", "text": MARK, "params": MARK}]},
    {"prompt": MARK, "demonstrations": [{"text": MARK}, MARK]},
    {"prompt": MARK, "rankings": [{"labeler": "ana", "tiers": [["a"]], "note": [MARK]}]},
    {"prompt": MARK, "rankings": [{"labeler": "ana", "tiers": MARK}]},
    {"prompt": "", "meta": {"x": MARK}},
    MARK,
    [MARK],
]


def test_bad_rows_are_told_without_their_texts(marked: Cli, tmp_path: Path) -> None:
    assert BAD_ROWS
    for i, row in enumerate(BAD_ROWS):
        ran = marked.run("import", write_jsonl(tmp_path / f"bad-{i}.jsonl", [row]))
        assert ran.code == 1, row
        assert MARK not in ran.err + ran.out, row
    for text in (f'{{"prompt": "{MARK}', f'{{"prompt": "{MARK}", "x": NaN}}', f"{MARK}"):
        ran = marked.run("import", "-", stdin=text)
        assert (ran.code, MARK in ran.err) == (1, False), text


def spoil(store: Path, *statements: str) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


NO_TEXT = "CAST(x'78796c6f70686f6e65ff' AS TEXT)"  # the mark, and a byte that is not UTF-8
DAMAGE = {
    "a text that is no text": f"completion SET text = {NO_TEXT}",
    "messages that are no messages": f"prompt SET messages = '{MARK}'",
    "a ranking that is none": f"ranking SET tiers = '[\"{MARK}\"]'",
    "notes that are none": f"ranking SET notes = '{MARK}'",
    "meta that is none": f"prompt SET meta = '{MARK}'",
    "a guideline that is none": f"guideline SET text = '{MARK}'",
}
COMMANDS = (
    ("doctor",),
    ("export", "--format", "records", "--out", "-"),
    ("export", "--format", "rm", "--out", "-"),
    ("agreement",),
    ("leaderboard",),
    ("consensus",),
    ("quality",),
    ("backup",),
    ("rank", "--as", "ana", "--jsonl"),
    ("guidelines", "list"),
)


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_told_without_the_texts(marked: Cli, statement: str) -> None:
    spoil(marked.store, f"UPDATE {statement}")
    failed = 0
    for command in COMMANDS:
        ran = marked.run(*command, stdin="")  # raises what would be a traceback
        failed += ran.code != 0
        assert MARK not in ran.err, command
    assert failed


def test_settings_that_cannot_be_read_are_not_quoted(marked: Cli, tmp_path: Path) -> None:
    config = tmp_path / "here" / "labelkit.toml"
    config.parent.mkdir()
    for text in (
        f'db = "postgresql://me:{MARK}@host/db"',
        f'db = "{MARK}',
        f'theme = "dark"\n{MARK}',
        f"db = '{MARK}'\ndb = '{MARK}'",
        f'db = "\\q{MARK}"',
    ):
        config.write_text(text)
        argv = [*LABELKIT, "status"]
        ran = subprocess.run(argv, capture_output=True, cwd=config.parent, timeout=60, check=False)
        assert ran.returncode in (1, 2), text
        assert MARK.encode() not in ran.stderr, text


def test_a_password_in_the_address_of_a_store_is_not_repeated(tmp_path: Path) -> None:
    env = {**os.environ, "LABELKIT_DB": f"postgresql+psycopg://me:{MARK}@host/labels"}
    ran = subprocess.run(
        [*LABELKIT, "status"], capture_output=True, env=env, cwd=tmp_path, timeout=60, check=False
    )
    assert ran.returncode == 2
    assert MARK.encode() not in ran.stderr + ran.stdout


def test_no_file_that_could_run_is_read() -> None:
    """Nothing is unpickled or evaluated, anywhere."""
    sources = list((REPO / "labelkit").rglob("*.py"))
    assert len(sources) > 100
    words = (
        "import pickle",
        "import marshal",
        "import shelve",
        "yaml.Loader",
        "unsafe_load",
        " eval(",
    )
    for path in sources:
        text = path.read_text(encoding="utf-8")
        assert not [word for word in words if word in text], path
