"""`verify` finds every planted fault, also where files and manifest were made to agree again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

Rows = list[dict[str, Any]]
SPLIT = ("--split", "train=0.6,valid=0.4")


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    said = [
        record(
            f"question {i}",
            rankings=[ranking("ana", "a > b > c = d", seconds=30, guideline="house@2")],
            demonstrations=[{"text": f"ideal {i}", "labeler": "ana"}],
        )
        for i in range(12)
    ]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli


def exported(cli: Cli, out: Path, stage: str, *more: object) -> Path:
    split = () if stage == "prompts" else SPLIT
    cli("export", "--format", stage, "--out", out, *split, *more)
    return out


def rows_of(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text().splitlines()]


def reseal(folder: Path) -> None:
    """Make the manifest agree with the files, as a careful forger would."""
    about = json.loads((folder / "manifest.json").read_text())
    for file in about["files"]:
        data = (folder / file["name"]).read_bytes()
        file["sha256"] = hashlib.sha256(data).hexdigest()
        file["bytes"], file["rows"] = len(data), data.count(b"\n")
    (folder / "manifest.json").write_text(json.dumps(about))


def altered(folder: Path, change: Callable[[Rows], object]) -> None:
    """Change the rows of train.jsonl in place, and seal the folder again."""
    rows = rows_of(folder / "train.jsonl")
    change(rows)
    write_jsonl(folder / "train.jsonl", rows)
    reseal(folder)


def found(cli: Cli, folder: Path, *more: object) -> dict[str, int]:
    ran = cli.run("verify", folder, "--json", *more)
    assert ran.code == (0 if ran.json["ok"] else 3)
    counts: dict[str, int] = ran.json["found"]
    return counts


@pytest.mark.parametrize("stage", ["sft", "rm", "dpo", "kto", "prompts", "rankings", "records"])
def test_a_fresh_export_is_sound(filled: Cli, tmp_path: Path, stage: str) -> None:
    out = exported(filled, tmp_path / stage, stage)
    ran = filled("verify", out, "--against", filled.store)
    assert "nothing is off" in ran.err
    assert ran.out == ""


def set_to(column: str, value: Any) -> Callable[[Rows], object]:
    return lambda rows: rows[0].__setitem__(column, value)


def swap(rows: Rows) -> None:
    rows[0]["chosen"], rows[0]["rejected"] = rows[0]["rejected"], rows[0]["chosen"]


def say(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


FAULTS: list[tuple[str, Callable[[Rows], object], str]] = [
    ("rm", set_to("chosen", say(" \n")), "empty completion"),
    ("rm", lambda rows: rows[0].__setitem__("chosen", rows[0]["rejected"]), "identical"),
    ("rm", set_to("chosen", say("Sure.<|im_end|>")), "template token"),
    ("rm", set_to("chosen", None), "row shape"),
    ("rm", set_to("chosen", "a text"), "row shape"),
    ("rm", set_to("prompt_id", None), "row shape"),
    ("rm", lambda rows: rows[0].pop("prompt_id"), "row shape"),
    ("rm", set_to("margin", 0.5), "row shape"),
    ("rm", lambda rows: rows[0].update(prompt=rows[0].pop("prompt")), "row shape"),
    ("rm", lambda rows: rows.insert(1, rows[0]), "duplicate"),
    ("rm", lambda rows: (rows.insert(1, dict(rows[0])), swap(rows)), "contradiction"),
    ("rm", lambda rows: rows.append(rows.pop(0)), "scattered"),
    ("kto", set_to("label", 1), "row shape"),
    ("kto", lambda rows: rows.append(rows[0]), "duplicate"),
    (
        "kto",
        lambda rows: rows.append({**rows[0], "label": not rows[0]["label"]}),
        "contradiction",
    ),
    ("kto", lambda rows: rows.sort(key=lambda r: r["prompt_id"]), "neighbours"),
    ("kto", lambda rows: [r.update(label=True) for r in rows], "one label"),
    ("rankings", set_to("ranks", [2, 1, 3, 3]), "order"),
    ("sft", set_to("completion", say("")), "empty completion"),
    ("prompts", lambda rows: rows.append(rows[0]), "duplicate"),
]


@pytest.mark.parametrize(
    ("stage", "change", "rule"), FAULTS, ids=[f"{s} {r}" for s, _, r in FAULTS]
)
def test_a_planted_fault_is_found(
    filled: Cli, tmp_path: Path, stage: str, change: Callable[[Rows], object], rule: str
) -> None:
    out = exported(filled, tmp_path / stage, stage)
    assert not found(filled, out)
    altered(out, change)
    assert rule in found(filled, out)


def test_a_finding_names_the_row(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm")
    altered(out, lambda rows: rows[2].update(chosen=say("")))
    ran = filled.run("verify", out)
    assert ran.code == 3
    assert f"{out}/train.jsonl#3: empty completion: a completion is blank" in ran.out
    assert "1 x empty completion" in ran.err


def test_a_prompt_in_two_splits_is_a_leak(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "sft", "sft")
    (leaked, *_) = rows_of(out / "valid.jsonl")
    leaked["prompt"][0]["content"] = leaked["prompt"][0]["content"].upper() + " \n"
    altered(out, lambda rows: rows.append(leaked))
    assert found(filled, out) == {"leak": 1}


@pytest.mark.parametrize("container", ["jsonl", "jsonl.gz", "parquet"])
def test_an_edited_byte_is_found(filled: Cli, tmp_path: Path, container: str) -> None:
    out = exported(filled, tmp_path / "rm", "rm", "--container", container)
    path = out / f"train.{container}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "changed file" in found(filled, out)


@pytest.mark.parametrize("name", ["train.jsonl", "README.md"])
def test_a_missing_file_is_found(filled: Cli, tmp_path: Path, name: str) -> None:
    out = exported(filled, tmp_path / "rm", "rm")
    (out / name).unlink()
    assert "missing file" in found(filled, out)


def test_a_strange_data_file_is_found_and_notes_are_nobodys_business(
    filled: Cli, tmp_path: Path
) -> None:
    out = exported(filled, tmp_path / "rm", "rm")
    (out / "notes.txt").write_text("mine")
    assert not found(filled, out)
    (out / "extra.jsonl").write_text("{}\n")
    assert found(filled, out) == {"strange file": 1}


def test_a_line_that_is_not_json_is_found(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm")
    path = out / "train.jsonl"
    path.write_text(path.read_text().replace('"prompt"', '"chosen"', 1))
    reseal(out)
    assert found(filled, out) == {"row shape": 1}


def test_lost_rows_are_counted(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm")
    path = out / "train.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert found(filled, out) == {"changed file": 1, "row count": 1}


@pytest.mark.parametrize(
    ("column", "value", "rule"), [("weight", 0.5, "weight"), ("k", 5, "weight")]
)
def test_group_columns_are_checked(
    filled: Cli, tmp_path: Path, column: str, value: Any, rule: str
) -> None:
    out = exported(filled, tmp_path / "rm", "rm", "--by-group")
    assert not found(filled, out)
    altered(out, set_to(column, value))
    assert rule in found(filled, out)


def test_a_group_with_a_row_too_few_is_found(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm", "--by-group")
    altered(out, lambda rows: rows.pop(0))
    assert found(filled, out) == {"group": 1}


def test_a_margin_out_of_range_is_found(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm", "--margin", "rank")
    altered(out, set_to("margin", 3.0))
    assert found(filled, out) == {"margin": 1}


# -- against a store -----------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["rm", "dpo"])
def test_inverted_rows_are_found_with_the_store(filled: Cli, tmp_path: Path, stage: str) -> None:
    out = exported(filled, tmp_path / "rm", stage)

    def turn_all(rows: Rows) -> None:
        for row in rows:
            row["chosen"], row["rejected"] = row["rejected"], row["chosen"]

    altered(out, turn_all)
    assert not found(filled, out)
    n = len(rows_of(out / "train.jsonl"))
    assert found(filled, out, "--against", filled.store) == {"inverted": n, "missing row": 1}


def test_inverted_labels_are_found_with_the_store(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "kto", "kto")
    altered(out, lambda rows: [r.update(label=not r["label"]) for r in rows])
    assert "inverted" in found(filled, out, "--against", filled.store)


def test_a_row_nobody_said_is_found_with_the_store(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm")
    altered(out, lambda rows: rows[0].update(chosen=say("never said")))
    against = found(filled, out, "--against", filled.store)
    assert against == {"strange row": 1, "missing row": 1}


def test_a_store_that_has_moved_on_is_said(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm")
    more = {"prompt": "question 3", "rankings": [ranking("ben", "d > c > b > a")]}
    filled("import", write_jsonl(tmp_path / "more.jsonl", [more]))
    against = found(filled, out, "--against", filled.store)
    assert against["other data"] == 1
    assert not found(filled, out)


def test_what_is_no_export_is_refused(filled: Cli, tmp_path: Path) -> None:
    ran = filled.run("verify", tmp_path)
    assert ran.code == 1
    assert "has no manifest.json" in ran.err


# -- why -----------------------------------------------------------------------------------------


def test_why_names_who_said_so(filled: Cli, tmp_path: Path) -> None:
    more = {
        "prompt": "question 3",
        "rankings": [ranking("ben", "b > a > c = d", shown=list("dcba"))],
    }
    filled("import", write_jsonl(tmp_path / "more.jsonl", [more]))
    out = tmp_path / "rm"
    filled("export", "--format", "rm", "--out", out, "--by-group")
    rows = rows_of(out / "train.jsonl")
    number = next(
        i
        for i, row in enumerate(rows, 1)
        if row["prompt_id"] == "id of question 3" and "answer a" in row["chosen"][0]["content"]
    )
    for target in (f"{out}#{number}", f"{out}/train.jsonl#{number}"):
        told = filled("why", target, "--json").json
        assert told["prompt"]["id"] == "id of question 3"
        assert told["completions"]["chosen"]["models"] == ["m-a"]
        says = {x["labeler"]: x for x in told["labels"]}
        assert {name: x["says"] for name, x in says.items()} == {"ana": "for", "ben": "for"}
        assert (says["ana"]["guideline"], says["ana"]["seconds"]) == ("house@2", 30)
        assert says["ben"]["shown"] == "d c b a"
        assert says["ben"]["tiers"] == "b > a > c = d"
    by_id = filled("why", rows[number - 1]["pair_id"], "--json").json
    assert by_id["labels"] == told["labels"]
    label = filled("why", told["labels"][0]["label"], "--json").json
    assert label["labels"][0]["labeler"] == told["labels"][0]["labeler"]


def test_why_counts_rows_through_all_files_train_first(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm", "--max-rows-per-file", 7)
    files = sorted(out.glob("*.jsonl"), key=lambda p: (not p.name.startswith("train"), p.name))
    rows = [row for path in files for row in rows_of(path)]
    for number in (1, 8, len(rows)):
        told = filled("why", f"{out}#{number}", "--json").json
        assert told["prompt"]["id"] == rows[number - 1]["prompt_id"]


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("rm#999", 1, "there is no row 999"),
        ("rm/none.jsonl#1", 1, "has no file 'none.jsonl'"),
        ("rm#0", 2, "not a row or an id"),
        ("rm", 2, "not a row or an id"),
        ("0" * 32, 1, "no pair and no label"),
        ("nowhere#1", 1, "has no manifest.json"),
    ],
)
def test_why_refuses_what_is_not_there(
    filled: Cli, tmp_path: Path, target: str, code: int, said: str
) -> None:
    exported(filled, tmp_path / "rm", "rm")
    where = target if len(target) == 32 else tmp_path / target
    ran = filled.run("why", where)
    assert ran.code == code
    assert said in ran.err


def test_why_says_when_a_row_is_not_the_stores(filled: Cli, tmp_path: Path) -> None:
    out = exported(filled, tmp_path / "rm", "rm")
    altered(out, lambda rows: rows[0].update(chosen=say("never said")))
    ran = filled.run("why", f"{out}#1")
    assert ran.code == 1
    assert "the store gives no such row" in ran.err
