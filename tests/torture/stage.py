"""What the harnesses share: stores to torment, and a look at them that trusts nothing of labelkit.

Only services are used to build and to work, so that the harnesses outlive changes underneath.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from helpers import ranking, record, write_jsonl

from labelkit.domain.tasks import Answer, TaskView
from labelkit.services import assigning, people, project
from labelkit.services.exporting import ExportOptions, export
from labelkit.services.importing import import_file
from labelkit.store import schema

VERSIONS = Path(__file__).parent.parent / "store" / "versions"
LABELERS = ("ana", "ben", "chloe", "dana")
LABELS = ("ranking", "demonstration", "skip")


def said(n: int, prefix: str = "q") -> list[dict[str, Any]]:
    """Records with labels, to import."""
    return [
        record(f"{prefix}{i}", k=4, user=f"u{i % 7}", rankings=[ranking("old", "a > b = c > d")])
        for i in range(n)
    ]


def build(path: Path, prompts: int = 40, overlap: int = 3) -> Path:
    """Make a store with tasks for everybody."""
    project.init(path, write_settings=False)
    import_file(path, str(write_jsonl(path.with_suffix(".in.jsonl"), said(prompts))))
    for name in LABELERS:
        people.add(path, name)
    settings = assigning.BatchSettings(overlap=overlap)
    assigning.assign(path, assigning.AssignOptions(settings=settings))
    return path


def answer(view: TaskView, rnd: random.Random) -> Answer:
    uids = [c.uid for c in view.candidates]
    rnd.shuffle(uids)
    return Answer(tiers=((uids[0],), tuple(uids[1:3]), *((u,) for u in uids[3:])), seconds=4.0)


def old_versions() -> list[Path]:
    """The committed stores that need an upgrade."""
    there = {int(path.stem[1:]): path for path in VERSIONS.glob("v*.db")}
    return [path for version, path in sorted(there.items()) if version < schema.SCHEMA_VERSION]


def copy_to(source: Path, target: Path) -> Path:
    """A fresh copy of a store that nobody has open, without what an earlier run left beside it."""
    clear(target)
    shutil.copyfile(source, target)
    target.chmod(0o600)
    return target


def clear(path: Path) -> None:
    for stray in path.parent.glob(f"*{path.name}*"):
        shutil.rmtree(stray) if stray.is_dir() else stray.unlink()


def records_digest(path: Path, out: Path | None = None) -> str:
    """SHA-256 of everything people said and were asked."""
    out = out or path.with_suffix(".records")
    with out.open("wb") as file:
        export(path, ExportOptions("records"), file)
    return hashlib.sha256(out.read_bytes()).hexdigest()


# -- looking at a store with the bare driver -----------------------------------------------------

_BOOKS = {
    "a filled slot without a label": """
        SELECT count(*) FROM slot s JOIN task t ON t.id = s.task_id
        WHERE s.state = 'filled' AND NOT EXISTS (
            SELECT 1 FROM ranking r WHERE r.task_id = s.task_id AND r.labeler_id = s.labeler_id)
        """,
    "a skipped slot without a skip": """
        SELECT count(*) FROM slot s WHERE s.state = 'skipped' AND NOT EXISTS (
            SELECT 1 FROM skip k WHERE k.task_id = s.task_id AND k.labeler_id = s.labeler_id)
        """,
    "a label without a filled slot": """
        SELECT count(*) FROM ranking r WHERE r.task_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM slot s WHERE s.task_id = r.task_id AND s.labeler_id = r.labeler_id
            AND s.state = 'filled')
        """,
    "a task that counts wrong": """
        SELECT count(*) FROM task t WHERE
            filled <> (SELECT count(*) FROM slot s
                       WHERE s.task_id = t.id AND s.round = 0 AND s.state = 'filled')
            OR leased <> (SELECT count(*) FROM slot s
                          WHERE s.task_id = t.id AND s.round = 0 AND s.state = 'leased')
        """,
    "a task answered too often": "SELECT count(*) FROM task WHERE filled + leased > overlap",
    "a task without its completions": """
        SELECT count(*) FROM task t WHERE
            (SELECT count(*) FROM task_completion m WHERE m.task_id = t.id) < 2
        """,
}


def look(path: Path) -> tuple[set[str], list[str]]:
    """Return (uids of all labels, what is torn or broken)."""
    with closing(sqlite3.connect(path, timeout=30)) as c:
        c.execute("PRAGMA synchronous=OFF")  # a rollback here need not last
        problems = [
            f"{what}: {n}" for what, q in _BOOKS.items() if (n := c.execute(q).fetchone()[0])
        ]
        if (found := c.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            problems.append(f"integrity: {found[:2]}")
        if found := c.execute("PRAGMA foreign_key_check").fetchall():
            problems.append(f"keys: {found[:2]}")
        return labels_in(c), problems


def labels_in(connection: sqlite3.Connection) -> set[str]:
    union = " UNION ALL ".join(f"SELECT hex(uid) FROM {table}" for table in LABELS)  # noqa: S608
    return {uid.lower() for (uid,) in connection.execute(union)}


def prompts_in(path: Path) -> int:
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return int(connection.execute("SELECT count(*) FROM prompt").fetchone()[0])


def schema_of(path: Path) -> tuple[int, str]:
    """Return (schema version, all statements that made the schema)."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_schema ORDER BY type, name").fetchall()
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    return version, "\n".join(str(sql) for (sql,) in rows)
