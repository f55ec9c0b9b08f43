"""Many labelers at one store: every slot is filled once, nobody errs, nobody is locked out."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from helpers import Cli, record, write_jsonl

PROCESSES, TASKS, OVERLAP = 16, 150, 4

WORKER = """
import json, random, sys
from pathlib import Path
from labelkit.domain.tasks import Answer
from labelkit.errors import LeaseLost
from labelkit.services.desk import Desk

path, name = Path(sys.argv[1]), sys.argv[2]
chance, done, refused = random.Random(name), [], 0
with Desk(path, name) as desk:
    while (view := desk.next_task()) is not None:
        order = [(c.uid,) for c in view.candidates]
        chance.shuffle(order)
        desk.save_draft(view, {"begun": True})
        desk.submit(view, Answer(tiers=tuple(order)))
        done.append(view.task)
        try:
            desk.submit(view, Answer(tiers=tuple(order)))
        except LeaseLost:
            refused += 1
print(json.dumps({"done": done, "refused": refused}))
"""


def work(cli: Cli) -> list[Any]:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(cli.store), f"l{i}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(PROCESSES)
    ]
    ended = [(w.communicate(timeout=300), w.returncode) for w in workers]
    assert [(err, code) for (_, err), code in ended] == [("", 0)] * PROCESSES
    return [json.loads(out) for (out, _), _ in ended]


def test_every_slot_is_filled_exactly_once(cli: Cli, tmp_path: Path) -> None:
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record(f"q{i}") for i in range(TASKS)]))
    for i in range(PROCESSES):
        cli("labelers", "add", f"l{i}")
    cli("assign", "--overlap", OVERLAP)
    results = work(cli)
    taken = Counter(task for result in results for task in result["done"])
    assert set(taken.values()) == {OVERLAP}
    assert len(taken) == TASKS
    assert all(len(set(r["done"])) == len(r["done"]) for r in results)
    assert sum(r["refused"] for r in results) == TASKS * OVERLAP  # every second submit
    with sqlite3.connect(cli.store) as connection:
        counted = connection.execute("SELECT count(*), count(DISTINCT uid) FROM ranking").fetchone()
        books = connection.execute("SELECT min(filled), max(filled), max(leased) FROM task")
        assert counted == (TASKS * OVERLAP, TASKS * OVERLAP)
        assert books.fetchone() == (OVERLAP, OVERLAP, 0)
    (batch,) = cli("status", "--json").json["batches"]
    assert (batch["filled"], batch["open"], batch["leased"]) == (TASKS * OVERLAP, 0, 0)
