"""Exports: whole or absent, the same bytes, honest books."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit.errors import LabelkitError
from labelkit.services import export_files
from labelkit.services.exporting import ExportOptions, export


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    said = [
        record(
            f"question {i}",
            user=f"u{i % 20}",
            rankings=[ranking("ana", "a > b > c = d"), ranking("ben", "a > c > b > d")],
            demonstrations=[{"text": f"ideal {i}", "labeler": "ana"}],
        )
        for i in range(40)
    ]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli


def tree(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text())


def test_a_folder_has_one_file_a_split_and_a_manifest(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "rm"
    plan = "train=0.6,valid=0.2,test=0.2"
    filled("export", "--format", "rm", "--out", out, "--split", plan)
    about = manifest(out)
    assert sorted(tree(out)) == ["manifest.json", "test.jsonl", "train.jsonl", "valid.jsonl"]
    for file in about["files"]:
        data = (out / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert (file["bytes"], file["rows"]) == (len(data), data.count(b"\n"))
    assert about["options"]["split"] == plan
    counts = about["counts"]
    assert counts["prompts"] == 40
    assert counts["rankings"] == 80
    assert counts["comparisons"] == 80 * 6
    assert counts["ties"] == 40
    assert counts["no_majority"] == 40  # b and c: one vote each
    assert counts["pairs"] == 40 * 5 == sum(f["rows"] for f in about["files"])


def test_a_split_that_nothing_fell_into_is_said(filled: Cli, tmp_path: Path) -> None:
    plan = "train=0.999999,valid=0.000001"
    ran = filled("export", "--format", "rm", "--out", tmp_path / "rm", "--split", plan)
    assert "nothing fell into valid" in ran.err


def test_no_user_is_in_two_splits(filled: Cli, tmp_path: Path) -> None:
    users = {f"id of question {i}": i % 20 for i in range(40)}
    out = tmp_path / "sft"
    filled("export", "--format", "sft", "--out", out, "--split", "train=0.5,valid=0.5")
    seen = {
        name: {users[json.loads(line)["prompt_id"]] for line in data.splitlines()}
        for name, data in tree(out).items()
        if name != "manifest.json"
    }
    assert len(seen) == 2
    assert not seen["train.jsonl"] & seen["valid.jsonl"]


def test_the_same_store_gives_the_same_bytes(filled: Cli, tmp_path: Path) -> None:
    for stage in ("rm", "sft", "prompts", "rankings", "records"):
        one, two = tmp_path / f"{stage}1", tmp_path / f"{stage}2"
        filled("export", "--format", stage, "--out", one)
        filled("export", "--format", stage, "--out", two)
        assert tree(one) == tree(two)


def test_the_digest_tells_stores_apart(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "rm"
    filled("export", "--format", "rm", "--out", out)
    before = manifest(out)["digest"]
    labels = {"prompt": "question 1", "rankings": [ranking("chloe", "d > c > b > a")]}
    filled("import", write_jsonl(tmp_path / "more.jsonl", [labels]))
    filled("export", "--format", "rm", "--out", out)
    assert manifest(out)["digest"] != before


def test_an_export_again_takes_away_files_that_are_no_longer_part_of_it(
    filled: Cli, tmp_path: Path
) -> None:
    out = tmp_path / "rm"
    filled("export", "--format", "rm", "--out", out, "--split", "train=0.5,valid=0.5")
    (out / "notes.txt").write_text("mine")
    filled("export", "--format", "rm", "--out", out)
    assert sorted(tree(out)) == ["manifest.json", "notes.txt", "train.jsonl"]


def test_a_folder_holds_one_kind_of_export(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    filled("export", "--format", "rm", "--out", out)
    before = tree(out)
    ran = filled.run("export", "--format", "sft", "--out", out)
    assert (ran.code, tree(out)) == (1, before)
    assert "holds an export of rm for trl" in ran.err


def test_a_failure_in_the_middle_leaves_the_old_export_alone(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rm"
    filled("export", "--format", "rm", "--out", out)
    before = tree(out)
    written = 0

    def full_disk(self: Any, line: bytes) -> None:
        nonlocal written
        written += 1
        if written > 20:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_files._Part, "write", full_disk)
    with pytest.raises(LabelkitError, match="No space left on device; nothing was exported"):
        export(filled.store, ExportOptions("rm"), out)
    assert tree(out) == before


def test_what_a_killed_export_left_behind_is_swept(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "rm"
    out.mkdir()
    (out / ".train.jsonl.999999999.part").write_bytes(b"half")
    (out / f".train.jsonl.{os.getpid()}0.part").write_bytes(b"half")
    alive = out / f".other.jsonl.{os.getppid()}.part"
    alive.write_bytes(b"somebody is writing this")
    filled("export", "--format", "rm", "--out", out)
    assert sorted(tree(out)) == [alive.name, "manifest.json", "train.jsonl"]


def test_a_dry_run_counts_and_writes_nothing(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "rm"
    ran = filled("export", "--format", "rm", "--out", out, "--dry-run", "--json")
    assert ran.json["counts"]["pairs"] == 200
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--format", "odd"), 2, "there is no format 'odd'"),
        (("--format", "rm", "--for", "odd"), 2, "there is no trainer 'odd'"),
        (("--format", "rm", "--for", "labelkit"), 2, "labelkit has no format 'rm'"),
        (("--format", "rm", "--pairs", "odd"), 2, "not a way to choose pairs"),
        (("--format", "rm", "--labels", "odd"), 2, "--labels: not one of them"),
        (("--format", "rm", "--margin", "odd"), 2, "--margin: not one of them"),
        (("--format", "rm", "--labelers", "model"), 4, "no rows for rm"),
        (("--format", "rm", "--split", "train=1"), 2, "one stream holds one split"),
        ((), 2, "Missing option '--format'"),
    ],
)
def test_refusals(filled: Cli, args: tuple[str, ...], code: int, said: str) -> None:
    ran = filled.run("export", *args)
    assert ran.code == code
    assert said in ran.err
    assert ran.out == ""


def test_pinned_splits_have_files_of_their_own(cli: Cli, tmp_path: Path) -> None:
    said = [record("one", split="test"), record("two")]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    cli("export", "--format", "prompts", "--out", tmp_path / "p")
    assert sorted(tree(tmp_path / "p")) == ["manifest.json", "test.jsonl", "train.jsonl"]
