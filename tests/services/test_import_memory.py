"""A file that was taken whole is not read row by row again, unless it could mean more by now."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit.services import importing

GUIDELINE = """---
name: mine
version: 1
title: Mine
scale: {min: 1, max: 2}
---
Be kind.
"""


def said() -> list[dict[str, Any]]:
    twins = record("two alike", user="u", k=4, rankings=[ranking("x", "a > b > c > d")])
    twins["completions"][1]["text"] = twins["completions"][0]["text"]
    rated = ranking("y", "a > b = c > d", guideline="mine@1") | {"ratings": {"a": 3}}
    return [record(rankings=[rated], demonstrations=[{"text": "ideal", "labeler": "x"}]), twins]


@pytest.fixture
def taken(cli: Cli, tmp_path: Path) -> Path:
    """A file that was imported."""
    path = write_jsonl(tmp_path / "in.jsonl", said())
    cli("import", path)
    return path


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines that an import looks at."""
    seen: list[int] = []
    real = importing._incoming

    def look(row: Any, known: Any) -> Any:
        seen.append(row.line)
        return real(row, known)

    monkeypatch.setattr(importing, "_incoming", look)
    return seen


def read_in_full(cli: Cli, path: Path) -> Any:
    """What importing the same rows says when they are looked at, each of them."""
    other = path.with_name("blank_line.jsonl")
    other.write_bytes(path.read_bytes() + b"\n")
    return cli("import", other, "--json").json


def test_what_is_said_of_a_known_file_is_what_reading_it_says(
    cli: Cli, taken: Path, rows: list[int]
) -> None:
    again = cli("import", taken, "--json").json
    assert rows == []
    assert again == read_in_full(cli, taken)
    assert rows == [1, 2]
    assert again["completions"] == {"added": 0, "known": 7, "collapsed": 1}


def test_nothing_is_written_for_a_known_file(cli: Cli, taken: Path) -> None:
    before = cli.store.read_bytes()
    cli("import", taken)
    assert cli.store.read_bytes() == before


@pytest.mark.parametrize("options", [["--dry-run"], ["--from", "records"], ["--max-bad", "3"]])
def test_options_that_change_no_row(
    cli: Cli, taken: Path, rows: list[int], options: list[str]
) -> None:
    assert cli("import", taken, "--json", *options).json["prompts"] == {"added": 0, "known": 2}
    assert rows == []


def test_zipped(cli: Cli, tmp_path: Path, rows: list[int]) -> None:
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(gzip.compress(write_jsonl(tmp_path / "in.jsonl", said()).read_bytes()))
    cli("import", path)
    assert rows.copy() == [1, 2]
    assert cli("import", path, "--json").json["prompts"] == {"added": 0, "known": 2}
    assert rows == [1, 2]


def test_another_letter_is_another_file(cli: Cli, taken: Path) -> None:
    taken.write_bytes(taken.read_bytes().replace(b"two alike", b"two alikE"))
    assert cli("import", taken, "--json").json["prompts"] == {"added": 1, "known": 1}


def test_a_dry_run_takes_nothing(cli: Cli, tmp_path: Path, rows: list[int]) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", said())
    cli("import", path, "--dry-run")
    assert cli("import", path, "--json").json["prompts"] == {"added": 2, "known": 0}
    assert rows == [1, 2, 1, 2]


def test_a_file_with_bad_rows_is_never_known(cli: Cli, tmp_path: Path, rows: list[int]) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [*said(), {"prompt": 1}])
    for _ in range(2):
        assert cli("import", path, "--max-bad", "1", "--json").json["rejected"] == 1
    assert rows == [1, 2, 3, 1, 2, 3]
    assert cli.run("import", path).code == 1


def test_a_foreign_file_is_never_known(cli: Cli, tmp_path: Path, rows: list[int]) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [{"prompt": "p", "chosen": "a", "rejected": "b"}])
    for _ in range(2):
        cli("import", path, "--from", "pairs")
    assert rows == [1, 1]


def test_what_was_purged_comes_back(cli: Cli, taken: Path, rows: list[int]) -> None:
    cli("purge", "--user", "u", "--yes")
    again = cli("import", taken, "--json").json
    assert again["prompts"] == {"added": 1, "known": 1, "purged_before": 1}
    third = cli("import", taken, "--json").json
    assert third["prompts"] == {"added": 0, "known": 2, "purged_before": 1}
    assert rows == [1, 2]


def test_a_guideline_that_came_later_is_heard(cli: Cli, taken: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine@1.md"
    path.write_text(GUIDELINE)
    cli("guidelines", "add", path)
    ran = cli.run("import", taken)
    assert ran.code == 1
    assert "rankings.0.ratings.a: 3 is not on the scale 1 to 2" in ran.err


def test_an_older_store_put_back_knows_what_it_knew(
    cli: Cli, taken: Path, tmp_path: Path, rows: list[int]
) -> None:
    older = shutil.copy(cli.store, tmp_path / "older.db")
    more = write_jsonl(tmp_path / "more.jsonl", [record("later")])
    cli("import", more)
    shutil.copy(older, cli.store)
    rows.clear()
    assert cli("import", more, "--json").json["prompts"] == {"added": 1, "known": 0}
    assert rows == [1]
    assert cli("import", taken, "--json").json["prompts"] == {"added": 0, "known": 2}
    assert rows == [1]


@pytest.mark.parametrize("damage", [('"added":7', '"added":8'), ('"file":"', '"file":"0')])
def test_a_damaged_note_is_no_note(
    cli: Cli, taken: Path, rows: list[int], damage: tuple[str, str]
) -> None:
    connection = sqlite3.connect(cli.store)
    with connection:
        changed = connection.execute("UPDATE journal SET detail = replace(detail, ?, ?)", damage)
        assert changed.rowcount == 1
    connection.close()
    assert cli("import", taken, "--json").json == read_in_full(cli, taken)
    assert rows == [1, 2, 1, 2]


def test_another_labelkit_reads_for_itself(
    cli: Cli, taken: Path, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing.import_memory, "__version__", "99")
    cli("import", taken)
    assert rows == [1, 2]
