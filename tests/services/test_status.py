"""What the lead sees: done, open, leased, skipped, pace, hours left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, record, write_jsonl

from labelkit.domain.tasks import Answer
from labelkit.services.desk import Desk


@pytest.fixture
def project(cli: Cli, tmp_path: Path) -> Cli:
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record(f"q{i}") for i in range(10)]))
    for name in ("ana", "ben"):
        cli("labelers", "add", name)
    return cli


def rank(cli: Cli, name: str, n: int, seconds: float = 90.0) -> None:
    with Desk(cli.store, name) as desk:
        for _ in range(n):
            view = desk.next_task()
            assert view is not None
            tiers = tuple((c.uid,) for c in view.candidates)
            desk.submit(view, Answer(tiers=tiers, seconds=seconds))


def named(rows: list[Any], name: str) -> Any:
    (row,) = [row for row in rows if row["name"] == name]
    return row


def test_a_batch_and_its_labelers(project: Cli) -> None:
    project("assign", "--overlap", 2, "--batch", "one")
    rank(project, "ana", 4, seconds=90)
    with Desk(project.store, "ben") as desk:
        view = desk.next_task()
        assert view is not None
        desk.skip(view, "expertise", seconds=3, origin="screen")
        assert desk.next_task() is not None
        found = project("status", "--json").json
    batch = named(found["batches"], "one")
    assert {k: batch[k] for k in ("tasks", "filled", "leased", "open")} == {
        "tasks": 10, "filled": 4, "leased": 1, "open": 15,
    }  # fmt: skip
    assert batch["skips"] == {"expertise": 1}
    assert (batch["mean_seconds"], batch["per_hour"]) == (90.0, 40.0)
    assert batch["hours_left"] == 0.4
    ana, ben = named(found["labelers"], "ana"), named(found["labelers"], "ben")
    assert (ana["done"], ana["open"], ana["per_hour"], ana["hours_left"]) == (4, 6, 40.0, 0.15)
    assert (ben["done"], ben["leased"], ben["open"]) == (0, 1, 8)
    assert (ben["skips"], ben["per_hour"], ben["hours_left"]) == ({"expertise": 1}, None, None)


def test_tasks_for_everybody_count_for_each_of_them(project: Cli) -> None:
    project("assign", "--calibration", 1, "--batch", "all")
    assert named(project("status", "--json").json["batches"], "all")["open"] == 20
    rank(project, "ana", 10)
    batch = named(project("status", "--json").json["batches"], "all")
    assert (batch["open"], batch["filled"], batch["for_everyone"]) == (10, 10, 10)


def test_only_those_who_may_work_have_open_tasks(project: Cli) -> None:
    project("labelers", "add", "chloe", "--cohort", "trusted")
    project("assign", "--to", "ana", "--cohort", "trusted")
    rows = project("status", "--json").json["labelers"]
    assert [(row["name"], row["open"]) for row in rows] == [("ana", 10), ("ben", 0), ("chloe", 10)]


def test_the_tables_say_the_same(project: Cli) -> None:
    project("assign", "--batch", "one")
    rank(project, "ana", 1, seconds=36)
    lines = project("status").out.splitlines()
    assert "one\trank\t10\t1\t0\t9\t\t100.0\t0.09\t0" in lines
    assert "ana\thuman\t1\t0\t1\t0\t9\t\t100.0\t0.09" in lines
