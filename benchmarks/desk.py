"""Hand-out and submit with many tasks in the store, alone and with forty writers at once.

python -m benchmarks.desk [TASKS [SECONDS]]
"""

from __future__ import annotations

import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event

from benchmarks import _made
from benchmarks._report import FULL, Goals
from labelkit.domain.tasks import Answer, TaskView
from labelkit.services.desk import Desk

LABELKIT = str(Path(sys.executable).parent / "labelkit")
WRITERS = 40
BATCHES = 4
ROUNDS = 200


def a_store(folder: Path, tasks: int) -> Path:
    """Every prompt is in several batches: a store with many tasks need not be large."""
    store, file = folder / "labelkit.db", folder / "in.jsonl"
    _made.write(file, _short(tasks // BATCHES))
    base = [LABELKIT, "-q", "--db", str(store)]
    words = [["init"], ["import", str(file)]]
    words += [["labelers", "add", name] for name in names()]
    words += [["assign", "--batch", f"b{i}", "--again", "--overlap", "3"] for i in range(BATCHES)]
    for each in words:
        subprocess.run([*base, *each], check=True, cwd=folder)
    file.unlink()
    return store


def _short(prompts: int) -> Any:
    for i in range(prompts):
        completions = [{"id": f"c{j}", "text": f"Answer {j} to question {i}."} for j in range(4)]
        yield {"prompt_id": f"p{i}", "prompt": f"Question {i}?", "completions": completions}


def names() -> list[str]:
    return [f"labeler-{i:02d}" for i in range(WRITERS)]


def answer(view: TaskView) -> Answer:
    return Answer(tiers=tuple((c.uid,) for c in view.candidates), seconds=10)


def turn(desk: Desk) -> tuple[float, float]:
    """Seconds for a hand-out and for the submit that follows."""
    start = time.perf_counter()
    view = desk.next_task()
    assert view is not None, "there are tasks for everybody"
    handed = time.perf_counter()
    desk.submit(view, answer(view))
    return handed - start, time.perf_counter() - handed


@dataclass(frozen=True)
class Alone:
    """Seconds for one labeler. The first turn of a session counts what is left."""

    handed: list[float]
    sent: list[float]
    first: float
    cpu: float

    @property
    def both(self) -> float:
        return statistics.median(a + b for a, b in zip(self.handed, self.sent, strict=True))


def alone(store: Path) -> Alone:
    """Turns of a session, the first told apart; CPU is that of a median turn."""
    with Desk(store, names()[0]) as desk:
        first = sum(turn(desk))
        found, cpu = [], []
        for _ in range(ROUNDS):
            begin = time.process_time()
            found.append(turn(desk))
            cpu.append(time.process_time() - begin)
    handed, sent = ([each[i] for each in found] for i in (0, 1))
    return Alone(handed, sent, first, statistics.median(cpu))


def _write(store: Path, name: str, start: Any, seconds: float, told: Any) -> None:
    waits: list[float] = []
    with Desk(store, name) as desk:
        turn(desk)
        start.wait()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            waits += turn(desk)
    told.put((len(waits) // 2, max(waits, default=seconds)))


def together(store: Path, seconds: float) -> tuple[list[int], float]:
    """Rankings of each writer, and the longest that any of them waited for one transaction."""
    context = multiprocessing.get_context("fork")
    told, start = context.Queue(), context.Barrier(WRITERS)
    crew = [
        context.Process(target=_write, args=(store, name, start, seconds, told)) for name in names()
    ]
    for one in crew:
        one.start()
    found = [told.get(timeout=seconds + 120) for _ in crew]
    for one in crew:
        one.join()
    assert all(one.exitcode == 0 for one in crew), "a writer failed"
    return [n for n, _ in found], max(wait for _, wait in found)


def plans(store: Path) -> list[str]:
    """How SQLite finds the next task: EXPLAIN QUERY PLAN of what a hand-out asks."""
    asked: dict[str, Any] = {}
    with Desk(store, names()[1]) as desk:
        turn(desk)
        engine = desk._store.engine
        event.listen(
            engine,
            "before_cursor_execute",
            lambda _c, _cursor, text, parameters, *_: asked.setdefault(text, parameters),
        )
        view = desk.next_task()
        assert view is not None
        desk.release(view)
        lines = []
        with engine.connect() as tx:
            for text, parameters in list(asked.items()):
                if " task" in text and text.startswith(("SELECT", "UPDATE")):
                    rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
                    lines += ["", " ".join(text.split())[:160], *(f"    {row[3]}" for row in rows)]
    return lines


def _alone_with(tasks: int) -> Alone:
    with tempfile.TemporaryDirectory() as name:
        return alone(a_store(Path(name), tasks))


def main(tasks: int = 1_000_000 if FULL else 20_000, seconds: int = 8) -> int:
    print(f"\n## The desk with {tasks:,} tasks\n")
    smaller = {size: _alone_with(size) for size in (tasks // 16, tasks // 4)}
    with tempfile.TemporaryDirectory() as name:
        store = a_store(Path(name), tasks)
        found = alone(store)
        goals = Goals()
        goals.most("hand-out and submit, median", 1000 * found.both, 30, " ms")
        done, worst = together(store, seconds)
        goals.most(f"{WRITERS} writers, longest wait", worst, 0.5, " s")
        goals.least("slowest writer / fastest", min(done) / max(done), 0.5)
        median = [f"{1000 * statistics.median(x):.1f} ms" for x in (found.handed, found.sent)]
        print(f"\nAlone: hand-out {median[0]}, submit {median[1]}; first turn {found.first:.2f} s.")
        by_size = {**smaller, tasks: found}
        told = (f"{n:,}: {1000 * x.cpu:.1f} of {1000 * x.both:.1f} ms" for n, x in by_size.items())
        print(f"\nCPU of hand-out and submit by tasks in the store: {', '.join(told)}.")
        rate = f"{sum(done) / seconds:.0f} rankings/s, {min(done)} to {max(done)} each"
        print(f"\n{WRITERS} writers: no error, {rate}.")
        print("\nQuery plans of a hand-out:\n\n```text")
        print("\n".join(plans(store)).strip())
        print("```")
    return 0


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
