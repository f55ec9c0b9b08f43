"""Import: all or nothing, twice is once, every bad row has a name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, records, write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table

from labelkit.errors import StoreError
from labelkit.services import project
from labelkit.services.importing import ImportOptions, import_file
from labelkit.store import ingest
from labelkit.store.engine import Tx


def test_counts_as_documented(cli: Cli, tmp_path: Path) -> None:
    twins = record("two alike", k=4, rankings=[ranking("x", "a > b > c > d")])
    twins["completions"][1]["text"] = twins["completions"][0]["text"]
    said = [record(demonstrations=[{"text": "ideal", "labeler": "x"}]), twins]
    path = write_jsonl(tmp_path / "in.jsonl", said)
    first = cli("import", path, "--json").json
    assert first == {
        "schema": "labelkit.import/1",
        "prompts": {"added": 2, "known": 0},
        "completions": {"added": 7, "known": 0, "collapsed": 1},
        "demonstrations": {"added": 1, "known": 0},
        "rankings": {"added": 1, "known": 0, "collapsed": 1},
        "rejected": 0,
        "format": "records",
        "dry_run": False,
    }
    again = cli("import", path, "--json").json
    assert again["prompts"] == {"added": 0, "known": 2}
    assert again["completions"] == {"added": 0, "known": 7, "collapsed": 1}
    assert again["demonstrations"] == {"added": 0, "known": 1}
    assert again["rankings"]["added"] == 0


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["the same bytes", "a blank line more"])
def test_importing_twice_leaves_the_same_records(cli: Cli, tmp_path: Path, end: bytes) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [record(rankings=[ranking("x", "a > b = c > d")])])
    cli("import", path)
    once = cli("export", "--format", "records", "--out", "-").out
    path.write_bytes(path.read_bytes() + end)
    cli("import", path)
    assert cli("export", "--format", "records", "--out", "-").out == once


@settings(max_examples=60)
@given(st.lists(records(), min_size=1, max_size=5))
def test_records_round_trip_through_a_store(
    tmp_path_factory: pytest.TempPathFactory, said: list[dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    here, there = Cli(folder / "one.db"), Cli(folder / "two.db")
    for cli in (here, there):
        project.init(cli.store, write_settings=False)
    here("import", write_jsonl(folder / "in.jsonl", said))
    first = here("export", "--format", "records", "--out", "-").out_bytes
    (folder / "out.jsonl").write_bytes(first)
    there("import", folder / "out.jsonl")
    assert there("export", "--format", "records", "--out", "-").out_bytes == first


def test_every_bad_row_is_named_and_nothing_is_imported(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    good = json.dumps(record())
    lines = [good, '{"prompt":1}', "not json", good, '{"prompt":"x","odd":1}']
    path.write_text("\n".join(lines))
    ran = cli.run("import", path, "--json")
    assert ran.code == 1
    assert ran.out == ""
    assert f"{path}:2: prompt: must be text" in ran.err
    assert f"{path}:3: line: not JSON" in ran.err
    assert f"{path}:5: odd: is not a field labelkit knows" in ran.err
    assert "nothing was imported: 3 bad rows" in ran.err
    assert "try: --max-bad 3 leaves them out and takes the other 2" in ran.err
    assert cli("status", "--json").json["prompts"] == 0


def test_some_bad_rows_may_be_left_out_and_kept_aside(cli: Cli, tmp_path: Path) -> None:
    path, rejects = tmp_path / "in.jsonl", tmp_path / "bad.jsonl"
    path.write_text(json.dumps(record()) + '\n{"prompt":""}\nnonsense\n')
    ran = cli("import", path, "--max-bad", 2, "--rejects", rejects, "--json")
    assert ran.json["rejected"] == 2
    assert ran.json["prompts"] == {"added": 1, "known": 0}
    kept = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert kept == [
        {"line": 2, "field": "prompt", "reason": "is blank", "record": {"prompt": ""}},
        {"line": 3, "field": "line", "reason": kept[1]["reason"], "record": None},
    ]
    assert cli.run("import", path, "--max-bad", 1, "--rejects", rejects).code == 1
    assert len(rejects.read_text().splitlines()) == 2


def test_a_dry_run_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [record()])
    assert cli("import", path, "--dry-run", "--json").json["prompts"]["added"] == 1
    assert cli("status", "--json").json["prompts"] == 0


def test_stdin_and_gzip(cli: Cli, tmp_path: Path) -> None:
    cli("import", "-", stdin=json.dumps(record("from a pipe")))
    packed = tmp_path / "in.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(record("from gzip")).encode()))
    cli("import", packed)
    assert cli("status", "--json").json["prompts"] == 2


WHOLE = gzip.compress(json.dumps(record()).encode() * 9)


@pytest.mark.parametrize(
    "data",
    [b"\x1f\x8b\x08broken", WHOLE[:-9], WHOLE[:40] + bytes(60) + WHOLE[100:]],
    ids=["header", "cut short", "damaged"],
)
def test_broken_gzip_is_named(cli: Cli, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "in.gz"
    path.write_bytes(data)
    ran = cli.run("import", path)
    assert ran.code == 1
    assert str(path) in ran.err
    assert "Traceback" not in ran.err


def test_later_records_fill_in_what_earlier_ones_left_open(cli: Cli, tmp_path: Path) -> None:
    first = {"prompt": "p", "prompt_id": "one", "user": "u1"}
    later = {"prompt": "p", "prompt_id": "two", "user": "u2", "language": "en", "meta": {"x": 1}}
    for order, said in enumerate([[first, later], [first], [later]]):
        cli("import", write_jsonl(tmp_path / f"{order}.jsonl", said))
    (row,) = cli("export", "--format", "records", "--out", "-").rows
    assert (row["user"], row["language"], row["meta"]) == ("u1", "en", {"x": 1})
    assert (row["prompt_id"], row["aliases"]) == ("one", ["two"])


def test_labels_may_follow_in_a_file_of_their_own(cli: Cli, tmp_path: Path) -> None:
    cli("import", write_jsonl(tmp_path / "a.jsonl", [record()]))
    labels = {"prompt": "Why is the sky blue?", "rankings": [ranking("x", "d > a = b > c")]}
    cli("import", write_jsonl(tmp_path / "b.jsonl", [labels]))
    (row,) = cli("export", "--format", "records", "--out", "-").rows
    assert row["rankings"][0]["tiers"] == [["d"], ["a", "b"], ["c"]]


def met() -> list[dict[str, object]]:
    """Records that need what those before them brought, and say some of it again."""
    said = [record(f"prompt {i % 7}", k=4 + i % 3) for i in range(40)]
    for i, each in enumerate(said):
        each["rankings"] = [ranking(f"r{i}", "d > a = b > c", among=[*"abcd"], guideline="odd@1")]
        if i % 5 == 0:  # only the store knows these names, when the record is not the first
            each["completions"] = each["completions"] if i < 7 else []
    return said


@pytest.mark.parametrize("block", [1, 2, 3, 400])
def test_it_does_not_matter_where_blocks_end(
    cli: Cli, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", met())
    whole = Cli(tmp_path / "whole.db")
    project.init(whole.store, write_settings=False)
    counts = whole("import", path, "--json").json
    monkeypatch.setattr(ingest, "_BLOCK", block)
    assert cli("import", path, "--json").json == counts
    assert counts["rankings"]["added"] == 40
    exported = ("export", "--format", "records", "--out", "-")
    assert cli(*exported).out == whole(*exported).out


@pytest.mark.parametrize("fails", [1, 2, 5])
def test_a_block_that_cannot_be_written_ends_the_import(
    cli: Cli, tmp_path: Path, fails: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = ingest.insert_many

    def full(tx: Tx, table: Table, *rest: Any, **options: Any) -> None:
        calls.append(0)
        if len(calls) == 3 * fails:
            raise StoreError("the disk is full")
        real(tx, table, *rest, **options)

    monkeypatch.setattr(ingest, "_BLOCK", 4)
    path = write_jsonl(tmp_path / "in.jsonl", met())
    with monkeypatch.context() as patched:
        patched.setattr(ingest, "insert_many", full)
        ran = cli.run("import", path)
    assert ran.code == 1
    assert "the disk is full" in ran.err
    assert cli("status", "--json").json["prompts"] == 0
    assert cli("import", path, "--json").json["prompts"]["added"] == 7


def test_memory_stays_flat(store_path: Path, tmp_path: Path) -> None:
    """Blocks are let go: ten times the rows need no more than a little more memory."""
    import tracemalloc

    def peak(n: int) -> int:
        path = tmp_path / f"{n}.jsonl"
        write_jsonl(path, [record(f"prompt {i} of {n}", k=4) for i in range(n)])
        tracemalloc.start()
        import_file(store_path, str(path), ImportOptions())
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    peak(500)
    assert peak(8000) < 1.3 * peak(1600)
