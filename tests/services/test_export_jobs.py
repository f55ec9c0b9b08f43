"""Several processes, pieces instead of rows: the bytes do not change."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import orjson
import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit import plugins
from labelkit.errors import LabelkitError
from labelkit.services import export_files, export_jobs, export_lines, export_parquet
from labelkit.services.export_lines import Writer, rejected_columns
from labelkit.services.export_options import stage_of
from labelkit.services.export_rows import Books
from labelkit.services.exporting import ExportOptions, export, options, parts_of, prepare
from labelkit.services.project import opened
from labelkit.store.bundles import Range, read_bundles

UNUSUAL = (
    f"{export_lines._WON} and {export_lines._LOST}",
    f"only {export_lines._WON}",
    f"only {export_lines._LOST}",
)
"""Prompts that hold what stands in for completions while their rows are framed."""

ORDERS = ("a > b > c = d", "d > c > b > a", "b = a > c > d", "c > a = d > b")


@pytest.fixture
def filled(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Prompts enough for several ranges, by one labeler, by two, and by one twice."""
    said = [
        record(
            f'question {i} \u2028 "é" \\',
            user=f"u{i % 7}",
            rankings=[
                ranking("ana", ORDERS[i % 4]),
                *([ranking("ben", ORDERS[i % 3])] if i % 2 else []),
                *([ranking("ana", ORDERS[i % 3], repeat=True, note="again")] if i % 5 else []),
            ],
            demonstrations=[{"text": f"ideal {i}", "labeler": "ana"}],
        )
        for i in range(60)
    ]
    said += [
        record(text, prompt_id=f"odd {i}", rankings=[ranking("ana", ORDERS[0])])
        for i, text in enumerate(UNUSUAL)
    ]
    for item in said[::5]:  # what a dialect that trims its texts would not quote as they are
        item["completions"][0]["text"] += " \n\t"
        item["completions"][1]["text"] = f"\n {item['completions'][1]['text']}"
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    monkeypatch.setattr(export_jobs, "_PROMPTS", 7)
    monkeypatch.setattr(export_jobs, "_WORTH_IT", 0)
    return cli


def tree(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


@pytest.mark.parametrize("stage", ["rm", "sft", "kto", "prompts", "rankings", "records"])
@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--max-rows-per-file", "9"),
        ("--container", "jsonl.gz"),
        ("--container", "parquet"),
        ("--container", "parquet", "--max-rows-per-file", "9"),
    ],
    ids=" ".join,
)
def test_any_number_of_processes_writes_the_same_bytes(
    filled: Cli, tmp_path: Path, stage: str, more: tuple[str, ...]
) -> None:
    found = []
    if "parquet" in more and stage == "records":
        pytest.skip("records have no columns")
    for jobs in (1, 2, 5):
        out = tmp_path / f"{stage}{jobs}"
        split = "train=0.7,valid=0.3"
        filled("export", "--format", stage, "--out", out, "--split", split, "--jobs", jobs, *more)
        found.append(tree(out))
    assert found[0] == found[1] == found[2]


def test_lines_longer_than_a_slot_arrive_whole(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_jobs, "_SLOT", 500)
    filled("export", "--format", "rm", "--out", tmp_path / "one", "--jobs", 1)
    filled("export", "--format", "rm", "--out", tmp_path / "two", "--jobs", 2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_worker_that_is_killed_is_noticed(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(export_jobs, "open_store", die)
    with pytest.raises(LabelkitError, match="a process of this export was killed"):
        export(filled.store, ExportOptions("rm", jobs=2), tmp_path / "rm")
    assert not (tmp_path / "rm").exists()


def test_what_goes_wrong_in_a_worker_is_told(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise LabelkitError("the disk is on fire", hint="run")

    monkeypatch.setattr(export_jobs, "open_store", fail)
    with pytest.raises(LabelkitError, match="the disk is on fire"):
        export(filled.store, ExportOptions("rm", jobs=2), tmp_path / "rm")


HOWS: tuple[dict[str, Any], ...] = (
    {},
    {"labels": "each"},
    {"pairs": "adjacent"},
    {"margin": "votes"},
    {"by_group": True},
    {"by_group": True, "margin": "rank", "pairs": "random:2"},
)


def pair_exports() -> list[ExportOptions]:
    """Every way to export pairs that a dialect takes."""
    found = []
    for name in plugins.exporters.names():
        exporter: plugins.Exporter = plugins.exporters.get(name)
        for variant, stages in ((None, exporter.stages), *exporter.variants.items()):
            for stage, how in product([s for s in ("rm", "dpo") if s in stages], HOWS):
                if "margin" in how and not stages[stage].margin:
                    continue
                if "by_group" in how and not stages[stage].extras:
                    continue
                found.append(options(format=stage, trainer=name, variant=variant, **how))
    assert len(found) > len(HOWS)
    return found


def spelled(how: ExportOptions) -> str:
    rule = how.pairs
    return f"{how.trainer}-{how.variant}-{how.format}-{rule.labels}-{rule.scheme}-{rule.margin}"


@pytest.mark.parametrize("wanted", pair_exports(), ids=spelled)
def test_pieces_make_the_rows_that_the_stage_makes(filled: Cli, wanted: ExportOptions) -> None:
    how, _, found = stage_of(wanted)
    long, short = Books(), Books()
    rows, lines = [], []
    with opened(filled.store) as store:
        view, work = prepare(store, how, found)
        for bundle in read_bundles(store, view, Range(), parts_of(how)):
            rows += [orjson.dumps(row) + b"\n" for _, _, row in work.rows(bundle, long)]
            lines += [bytes(x.data) for x in Writer(work).lines(bundle, short)]
    assert rows
    assert b"".join(lines) == b"".join(rows)
    assert short == long


# -- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("--max-rows-per-file", "9")], ids=" ".join)
@pytest.mark.parametrize("most", [1, 1 << 26])
def test_rows_made_of_picked_lines_are_the_rows_of_the_lines(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, more: tuple[str, ...]
) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.setattr(export_parquet, "_TAKEN", most)
    kinds = {"jsonl": tmp_path / "lines", "parquet": tmp_path / "columns"}
    for kind, out in kinds.items():
        filled("export", "--format", "rm", "--out", out, "--container", kind, "--jobs", 2, *more)
    lines = sorted(kinds["jsonl"].glob("*.jsonl"))
    columns = [kinds["parquet"] / f"{path.stem}.parquet" for path in lines]
    assert len(lines) > bool(more)
    for path, other in zip(lines, columns, strict=True):
        rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        assert rows == parquet.read_table(other).to_pylist()
    long, short = ((out / "manifest.json").read_bytes() for out in kinds.values())
    assert orjson.loads(long)["lengths"] == orjson.loads(short)["lengths"]


def test_columns_of_the_rejected_completion() -> None:
    exporter = plugins.exporters.get("trl")
    pair = exporter.stages["rm"]
    assert rejected_columns(pair) == {"rejected"}
    assert rejected_columns(exporter.stages["kto"]) is None
    both = replace(pair, row=lambda asked, item: {"texts": pair.row(asked, item)})
    assert rejected_columns(both) is None


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [False, True])
def test_the_disk_is_written_to_on_the_way(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    begun: dict[int, list[tuple[int, int]]] = {}

    def advise(fd: int, start: int, size: int, _: int) -> None:
        begun.setdefault(os.fstat(fd).st_ino, []).append((start, size))
        if broken:
            raise OSError(errno.EINVAL, "no such advice here")

    monkeypatch.setattr(os, "posix_fadvise", advise, raising=False)
    monkeypatch.setattr(os, "POSIX_FADV_DONTNEED", 4, raising=False)
    monkeypatch.setattr(export_files, "_AHEAD", 1000)
    monkeypatch.setattr(export_files, "_BEHIND", 3000)
    monkeypatch.setattr(export_files, "_BUFFER", 300)
    filled("export", "--format", "rm", "--out", tmp_path / "rm")
    file = (tmp_path / "rm" / "train.jsonl").stat()
    told = begun[file.st_ino]
    ends = [start + size for start, size in told]
    assert [start for start, _ in told] == [max(0, end - 3000) for end in ends]
    assert all(later - end >= 1000 for end, later in pairwise([0, *ends]))
    assert 3000 < file.st_size - 1000 < ends[-1] <= file.st_size


# -- shards --------------------------------------------------------------------------------------

PLAN = "train=0.7,valid=0.3"


@pytest.fixture
def parts(filled: Cli, tmp_path: Path) -> list[Path]:
    """The three shards of an export."""
    folders = [tmp_path / "parts" / str(i) for i in (1, 2, 3)]
    for i, out in enumerate(folders, 1):
        filled("export", "--format", "rm", "--out", out, "--split", PLAN, "--shard", f"{i}/3")
    return folders


def test_shards_one_after_the_other_are_the_whole(
    filled: Cli, tmp_path: Path, parts: list[Path]
) -> None:
    filled("export", "--format", "rm", "--out", tmp_path / "rm", "--split", PLAN)
    whole = tree(tmp_path / "rm")
    for split in ("train", "valid"):
        names = [f"{split}-{i:05d}-of-00003.jsonl" for i in range(3)]
        found = [(part / name).read_bytes() for part, name in zip(parts, names, strict=True)]
        assert all(found)
        assert b"".join(found) == whole[f"{split}.jsonl"]
    said = [orjson.loads((folder / "manifest.json").read_bytes()) for folder in parts]
    sums = sum(int(manifest["digest"], 16) for manifest in said) % (1 << 256)
    assert f"{sums:064x}" == orjson.loads(whole["manifest.json"])["digest"]


def test_verify_knows_when_all_shards_are_there(filled: Cli, parts: list[Path]) -> None:
    found = filled("verify", *parts, "--against", filled.store, "--json").json
    assert (found["ok"], len(found["parts"])) == (True, 3)
    assert found["rows"] == sum(part["rows"] for part in found["parts"]) > 0


def test_verify_names_what_is_wrong_with_the_parts(
    filled: Cli, tmp_path: Path, parts: list[Path]
) -> None:
    ran = filled.run("verify", *parts[:2])
    assert (ran.code, "3/3: missing part" in ran.out) == (3, True)
    (tmp_path / "copy").symlink_to(parts[0])
    assert "twice: part 1/3" in filled.run("verify", *parts, tmp_path / "copy").out
    filled("export", "--format", "rm", "--out", tmp_path / "rm")
    assert "not a part" in filled.run("verify", *parts, tmp_path / "rm").out
    other = tmp_path / "other"
    filled("export", "--format", "rm", "--out", other, "--shard", "3/3", "--labels", "each")
    assert "another export: other options" in filled.run("verify", *parts[:2], other).out


def test_verify_notices_that_the_store_grew_between_two_shards(
    filled: Cli, tmp_path: Path, parts: list[Path]
) -> None:
    said = record("question 1", rankings=[ranking("zoe", "d > c > b > a")])
    filled("import", write_jsonl(tmp_path / "more.jsonl", [said]))
    late = tmp_path / "late"
    filled("export", "--format", "rm", "--out", late, "--split", PLAN, "--shard", "3/3")
    ran = filled.run("verify", *parts[:2], late)
    assert ran.code == 3
    assert "another state of the store" in ran.out


@pytest.mark.parametrize("wrong", ["0/3", "4/3", "1", "a/b", "1/0"])
def test_a_shard_that_cannot_be(filled: Cli, tmp_path: Path, wrong: str) -> None:
    ran = filled.run("export", "--format", "rm", "--out", tmp_path / "x", "--shard", wrong)
    assert (ran.code, "not a part of an export" in ran.err) == (2, True)
