"""Several processes, pieces instead of rows: the bytes do not change."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import orjson
import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit import plugins
from labelkit.errors import LabelkitError
from labelkit.services import export_jobs
from labelkit.services.export_lines import Writer
from labelkit.services.export_options import stage_of
from labelkit.services.export_rows import Books
from labelkit.services.exporting import ExportOptions, export, options, parts_of, prepare
from labelkit.services.project import opened
from labelkit.store.bundles import Range, read_bundles

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
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    monkeypatch.setattr(export_jobs, "_PROMPTS", 7)
    monkeypatch.setattr(export_jobs, "_WORTH_IT", 0)
    return cli


def tree(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


@pytest.mark.parametrize("stage", ["rm", "sft", "kto", "prompts", "rankings", "records"])
@pytest.mark.parametrize("more", [(), ("--max-rows-per-file", "9"), ("--container", "jsonl.gz")])
def test_any_number_of_processes_writes_the_same_bytes(
    filled: Cli, tmp_path: Path, stage: str, more: tuple[str, ...]
) -> None:
    found = []
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
    assert tree(tmp_path / "rm") == {}


def test_what_goes_wrong_in_a_worker_is_told(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise LabelkitError("the disk is on fire", hint="run")

    monkeypatch.setattr(export_jobs, "open_store", fail)
    with pytest.raises(LabelkitError, match="the disk is on fire"):
        export(filled.store, ExportOptions("rm", jobs=2), tmp_path / "rm")


def pair_stages() -> list[tuple[str, str | None, str]]:
    found = []
    for name in plugins.exporters.names():
        exporter: plugins.Exporter = plugins.exporters.get(name)
        for variant, stages in ((None, exporter.stages), *exporter.variants.items()):
            found += [(name, variant, stage) for stage in stages if stage in ("rm", "dpo")]
    assert found
    return found


@pytest.mark.parametrize(("name", "variant", "stage"), pair_stages())
@pytest.mark.parametrize("labels", ["majority", "each"])
def test_pieces_make_the_rows_that_the_stage_makes(
    filled: Cli, name: str, variant: str | None, stage: str, labels: str
) -> None:
    wanted = options(format=stage, trainer=name, variant=variant, labels=labels)
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
