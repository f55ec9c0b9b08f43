"""Exports: whole or absent, the same bytes, honest books."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit.errors import ExitCode, LabelkitError
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


def data(folder: Path) -> dict[str, bytes]:
    """The files of rows."""
    return {name: rows for name, rows in tree(folder).items() if name.endswith(".jsonl")}


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text())


def test_a_folder_has_one_file_a_split_and_a_manifest(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "rm"
    plan = "train=0.6,valid=0.2,test=0.2"
    filled("export", "--format", "rm", "--out", out, "--split", plan)
    about = manifest(out)
    own = ["README.md", "manifest.json"]
    assert sorted(tree(out)) == [*own, "test.jsonl", "train.jsonl", "valid.jsonl"]
    for file in [*about["files"], *about["documents"]]:
        found = (out / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(found).hexdigest()
        assert file["bytes"] == len(found)
        assert file.get("rows", found.count(b"\n")) == found.count(b"\n")
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
        name: {users[json.loads(line)["prompt_id"]] for line in rows.splitlines()}
        for name, rows in data(out).items()
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
    assert sorted(tree(out)) == ["README.md", "manifest.json", "notes.txt", "train.jsonl"]


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

    def full_disk(self: Any, *lines: Any) -> None:
        nonlocal written
        written += 1
        if written > 20:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_files._Part, "add", full_disk)
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
    assert sorted(tree(out)) == [alive.name, "README.md", "manifest.json", "train.jsonl"]


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
    assert sorted(data(tmp_path / "p")) == ["test.jsonl", "train.jsonl"]


# -- the folder ----------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [False, True])
def test_an_export_of_nothing_leaves_the_place_as_it_was(
    filled: Cli, tmp_path: Path, there: bool
) -> None:
    out = tmp_path / "rm"
    if there:
        out.mkdir()
    ran = filled.run("export", "--format", "rm", "--labelers", "model", "--out", out)
    assert ran.code == ExitCode.NOTHING_TO_DO
    assert out.exists() == there


@pytest.mark.parametrize("name", ["README.md", "train.jsonl"])
def test_what_is_not_ours_is_never_overwritten(filled: Cli, tmp_path: Path, name: str) -> None:
    out = tmp_path / "rm"
    out.mkdir()
    (out / name).write_text("mine")
    ran = filled.run("export", "--format", "rm", "--out", out)
    assert ran.code == 1
    assert f"{name} is already there" in ran.err
    assert tree(out) == {name: b"mine"}


def test_an_export_killed_while_files_got_their_names_can_be_run_again(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rm"
    monkeypatch.setattr(export_files, "sync_folder", lambda _: os._exit(9))
    if (child := os.fork()) == 0:
        export(filled.store, ExportOptions("rm"), out)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    monkeypatch.undo()
    assert "manifest.json" not in tree(out)
    assert "train.jsonl" in tree(out)
    filled("export", "--format", "rm", "--out", out)
    assert sorted(tree(out)) == ["README.md", "manifest.json", "train.jsonl"]


def test_an_export_that_failed_while_files_got_their_names_can_be_run_again(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it fails on the way, and whatever the new one is called."""
    out = tmp_path / "rm"
    filled("export", "--format", "rm", "--out", out, "--split", "train=0.5,valid=0.5")

    def refuse(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(export_files, "sync_folder", refuse)
    for scheme in ("train=0.5,test=0.5", "train=1"):
        ran = filled.run("export", "--format", "rm", "--out", out, "--split", scheme)
        assert (ran.code, "nothing was exported" in ran.err) == (1, True)
    monkeypatch.undo()
    filled("export", "--format", "rm", "--out", out, "--split", "train=0.5,valid=0.5")
    assert sorted(tree(out)) == ["README.md", "manifest.json", "train.jsonl", "valid.jsonl"]
    filled("export", "--format", "rm", "--out", out, "--split", "train=0.5,test=0.5")
    assert sorted(tree(out)) == ["README.md", "manifest.json", "test.jsonl", "train.jsonl"]


def test_files_are_cut_at_a_number_of_rows(filled: Cli, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    filled("export", "--format", "rm", "--out", whole)
    filled("export", "--format", "rm", "--out", cut, "--max-rows-per-file", 90)
    names = [f"train-{i:05d}-of-00003.jsonl" for i in range(3)]
    assert sorted(data(cut)) == names
    assert b"".join(data(cut)[name] for name in names) == data(whole)["train.jsonl"]
    assert [f["rows"] for f in manifest(cut)["files"]] == [90, 90, 20]


def test_a_trainer_that_looks_for_a_path_finds_its_files_there(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    plan = ("--split", "train=0.5,valid=0.5")
    filled("export", "--format", "rm", "--for", "deepspeed-chat", "--out", out, *plan)
    assert sorted(tree(out / "data")) == ["eval.json", "train.json"]
    ran = filled.run(
        "export",
        "--format",
        "rm",
        "--for",
        "deepspeed-chat",
        "--container",
        "parquet",
        "--out",
        out,
    )
    assert ran.code == 2
    assert "plain files" in ran.err


# -- what leaves and what does not ---------------------------------------------------------------


def test_prompts_that_differ_in_case_and_space_never_straddle_splits(
    cli: Cli, tmp_path: Path
) -> None:
    texts = ("Same  question?", "same QUESTION?\n", "same question? ")
    said: list[dict[str, Any]] = [
        {"prompt": text, "user": f"u{i}", "demonstrations": [{"text": "x"}]}
        for i, text in enumerate(texts)
    ]
    said += [record(f"other {i}", demonstrations=[{"text": "y"}]) for i in range(20)]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    for seed in range(6):
        out = tmp_path / str(seed)
        plan = ("--split", "train=1,valid=1", "--seed", seed)
        cli("export", "--format", "sft", "--out", out, *plan)
        rows = {
            name: [json.loads(line)["prompt"][0]["content"] for line in lines.splitlines()]
            for name, lines in data(out).items()
        }
        holders = [n for n, found in rows.items() if any("question" in t.lower() for t in found)]
        kept = sum("question" in t.lower() for found in rows.values() for t in found)
        assert len(holders) == 1
        assert kept + manifest(out)["counts"]["twins"] == 3


def test_rankings_that_contradict_each_other_leave_only_on_request(
    cli: Cli, tmp_path: Path
) -> None:
    said = record(k=3, rankings=[ranking("ana", "a > b > c"), ranking("ben", "b > c > a")])
    cli("import", write_jsonl(tmp_path / "in.jsonl", [said]))
    for stage, without, with_ in (("rm", 2, 6), ("kto", 2, 4)):
        args = ("export", "--format", stage, "--labels", "each", "--out")
        cli(*args, tmp_path / stage)
        found = manifest(tmp_path / stage)
        assert found["files"][0]["rows"] == without
        assert found["counts"]["contradictory"] == with_ - without
        cli(*args, tmp_path / f"{stage}2", "--keep-contradictions")
        assert manifest(tmp_path / f"{stage}2")["files"][0]["rows"] == with_


def test_sft_learns_from_demonstrations_or_the_best_or_both(cli: Cli, tmp_path: Path) -> None:
    said = [
        record("written", k=2, demonstrations=[{"text": "Ideal."}], rankings=[ranking("x", "a>b")]),
        record("ranked", k=2, rankings=[ranking("x", "b>a")]),
        record("tied", k=2, rankings=[ranking("x", "a=b")]),
    ]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))

    def texts(rule: str) -> set[str]:
        rows = cli("export", "--format", "sft", "--from", rule, "--out", "-").rows
        return {row["completion"][0]["content"] for row in rows}

    assert texts("demonstrations") == {"Ideal."}
    assert texts("best") == {"answer a to written", "answer b to ranked"}
    assert texts("both") == {"Ideal.", "answer b to ranked"}


def test_halves_use_every_tier_but_the_middle(cli: Cli, tmp_path: Path) -> None:
    said = [record("p", k=5, rankings=[ranking("x", "a > b > c > d = e")])]
    said += [record("q", k=3, rankings=[ranking("x", "a > b > c")])]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    rows = cli("export", "--format", "kto", "--kto", "halves", "--out", "-").rows
    assert {(r["completion"][0]["content"], r["label"]) for r in rows} == {
        *((f"answer {n} to p", n in "ab") for n in "abcde"),
        ("answer a to q", True),
        ("answer c to q", False),
    }


def test_a_rating_margin_needs_ratings(cli: Cli, tmp_path: Path) -> None:
    rated = ranking("x", "a > b > c", ratings={"a": 7, "b": 1})
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record(k=3, rankings=[rated])]))
    ran = cli("export", "--format", "rm", "--margin", "rating", "--out", tmp_path / "rm")
    (row,) = [json.loads(line) for line in data(tmp_path / "rm")["train.jsonl"].splitlines()]
    assert row["margin"] == 1.0
    assert manifest(tmp_path / "rm")["counts"]["no_margin"] == 2
    assert "2 no margin" in ran.err


def test_misfits_are_counted_and_said(cli: Cli, tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    said = [{**record("x", k=2, rankings=[ranking("x", "a>b")]), "prompt": chat}]
    said += [record("plain", k=2, rankings=[ranking("x", "a>b")])]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    args = ("export", "--format", "rm", "--for", "hh-rlhf", "--out")
    ran = cli(*args, tmp_path / "a")
    assert "left out: 1 prompt with a system message, which hh-rlhf rm cannot say" in ran.err
    assert "--misfits flatten" in ran.err
    assert manifest(tmp_path / "a")["misfits"] == {"refused": {"system": 1}, "flattened": {}}
    cli(*args, tmp_path / "b", "--misfits", "flatten")
    assert manifest(tmp_path / "b")["misfits"] == {"refused": {}, "flattened": {"system": 1}}


def test_lengths_are_told_with_their_unit(cli: Cli, tmp_path: Path) -> None:
    said = [record("p" * 100, k=2, rankings=[ranking("x", "a>b")])]
    said[0]["completions"][0]["text"] = "x" * 5000
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    ran = cli("export", "--format", "rm", "--out", tmp_path / "rm")
    found = manifest(tmp_path / "rm")["lengths"]
    assert found["unit"] == "estimated tokens: UTF-8 bytes / 4"
    assert (found["p50"], found["max"]) == (1275, 1275)
    assert found["over"] == {"1024": 1, "2048": 0, "4096": 0}
    assert "1 over 1024" in ran.err


def test_the_card_counts_labelers_and_names_none(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "rm"
    filled("export", "--format", "rm", "--out", out, "--licence", "cc-by-4.0")
    text = (out / "README.md").read_text()
    assert text.startswith("---\nlicense: cc-by-4.0\n")
    assert "80 rankings by 2 human labelers" in text
    assert "agreement (category)" in text
    assert "ana" not in text
    assert manifest(out)["agreement"]["category"]["n"] == 240
    filled("export", "--format", "rm", "--out", out, "--no-card")
    assert sorted(tree(out)) == ["manifest.json", "train.jsonl"]


def test_the_card_changes_with_the_data(filled: Cli, tmp_path: Path) -> None:
    """`datasets` caches a local folder by its card alone: an equal card would mean stale rows."""
    out = tmp_path / "rm"
    filled("export", "--format", "rm", "--out", out)
    before = (out / "README.md").read_text().split("dataset_info")[0]
    turned = {"prompt": "question 1", "rankings": [ranking("chloe", "c = d > b > a")]}
    turned["rankings"] += [ranking("dmitri", "d > c > b > a"), ranking("eun-ji", "d > c > b > a")]
    filled("import", write_jsonl(tmp_path / "more.jsonl", [turned]))
    filled("export", "--format", "rm", "--out", out)
    assert (out / "README.md").read_text().split("dataset_info")[0] != before
