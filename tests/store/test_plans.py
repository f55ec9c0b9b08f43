"""The desk finds its next task through the index of open tasks, however many tasks there are."""

from __future__ import annotations

from pathlib import Path

from helpers import Cli, record, write_jsonl
from sqlalchemy import event

from labelkit.services.desk import Desk


def test_a_hand_out_never_goes_through_all_tasks(cli: Cli, tmp_path: Path) -> None:
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record(f"q{i}") for i in range(20)]))
    cli("labelers", "add", "ana")
    cli("assign")
    asked = []
    with Desk(cli.store, "ana") as desk:
        engine = desk._store.engine

        @event.listens_for(engine, "before_cursor_execute")
        def _note(_c: object, _d: object, text: str, parameters: tuple, *_: object) -> None:
            asked.append((text, parameters))

        assert desk.next_task()
        claims = [(t, p) for t, p in list(asked) if "overlap > filled" in t and "count" not in t]
        assert len(claims) >= 2, "which batches have room, and the claim itself"
        with engine.connect() as tx:
            for text, parameters in claims:
                rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
                plan = [row[3] for row in rows]
                assert any("task USING INDEX ix_task_open (batch_id=?" in step for step in plan)
                assert not any(step.startswith("SCAN task") for step in plan), plan
