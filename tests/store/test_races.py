"""Many processes at one store: every slot is filled exactly once, and nothing gets in the way."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers import record, write_jsonl

from labelkit.domain.tasks import Answer, TaskView
from labelkit.errors import LeaseLost
from labelkit.services import assigning, importing, people
from labelkit.services.desk import Desk
from labelkit.store import core, schema

PROCESSES, TASKS, OVERLAP = 16, 200, 3


def answer(view: TaskView) -> Answer:
    return Answer(tiers=tuple((c.uid,) for c in view.candidates), seconds=1.0)


def one_labeler(path: Path, name: str, report: Any) -> None:
    """Rank everything there is; answer twice now and then, and late now and then."""
    done, refused, kept, errors = [], 0, 0, []
    try:
        with Desk(path, name) as desk, Desk(path, name, lease_seconds=-1) as late:
            turn = 0
            while True:
                turn += 1
                slow = turn % 7 == 0
                view = (late if slow else desk).next_task()
                if view is None:
                    break
                desk.save_draft(view, {"by": name})
                try:
                    desk.submit(view, answer(view))
                    done.append(view.task)
                except LeaseLost:
                    refused += 1
                    kept += desk.draft(view) == {"by": name}
                    continue
                if turn % 5 == 0:
                    try:
                        desk.submit(view, answer(view))
                    except LeaseLost:
                        refused += 1
                        kept += 1
    except Exception as error:
        errors.append(f"{type(error).__name__}: {error}")
    report.put((name, done, refused, kept, errors))


@pytest.mark.slow
def test_sixteen_processes_fill_every_slot_exactly_once(store_path: Path, tmp_path: Path) -> None:
    rows = [record(f"q{i}") for i in range(TASKS)]
    importing.import_file(store_path, str(write_jsonl(tmp_path / "in.jsonl", rows)))
    names = [f"labeler-{i}" for i in range(PROCESSES)]
    for name in names:
        people.add(store_path, name)
    settings = assigning.BatchSettings(overlap=OVERLAP)
    assigning.assign(store_path, assigning.AssignOptions(settings=settings))

    context = multiprocessing.get_context("spawn")
    report: Any = context.Queue()
    workers = [
        context.Process(target=one_labeler, args=(store_path, name, report)) for name in names
    ]
    for worker in workers:
        worker.start()
    found = [report.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join(30)

    assert [error for *_, errors in found for error in errors] == []
    counts = Counter(task for _, done, *_ in found for task in done)
    assert sum(counts.values()) == TASKS * OVERLAP
    assert set(counts.values()) == {OVERLAP}
    assert all(len(set(done)) == len(done) for _, done, *_ in found)
    refused = sum(refused for _, _, refused, *_ in found)
    assert refused > PROCESSES
    assert refused == sum(kept for _, _, _, kept, _ in found)
    _check_store(store_path)


def _check_store(path: Path) -> None:
    """The counters, the slots and the labels say the same."""
    store = core.open_store(path)
    with store.read() as tx:
        tasks = tx.execute(schema.task.select()).all()
        slots = tx.execute(schema.slot.select()).all()
        rankings = tx.execute(schema.ranking.select()).all()
    store.close()
    filled = Counter(s.task_id for s in slots if s.state == "filled")
    assert all((t.filled, t.leased) == (filled[t.id], 0) for t in tasks)
    judged = Counter((r.task_id, r.labeler_id) for r in rankings)
    assert len(judged) == len(rankings) == TASKS * OVERLAP
