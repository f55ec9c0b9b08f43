"""Damage of every kind: what is no longer as it was written, doctor notices."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl
from torture import stage

from labelkit.errors import StoreMissing
from labelkit.services import bundling, doctor
from labelkit.services.desk import Desk

PAGE = 4096
PER_PAGE = 2

# No word of anybody, and made anew when it does not fit: a window's token, the end of a lease, when
# a row was made, the log of commands, and how urgent a batch is.
PASSING = {
    "slot": {"token", "expires", "due"},
    "batch": {"created_at", "priority"},
    "labeler": {"created_at", "cohort"},
    "guideline": {"created_at"},
    "journal": {"at", "command", "detail"},
    "gold": {"created_at", "note"},
}


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small store that people worked with."""
    path = stage.build(tmp_path_factory.mktemp("damage") / "labelkit.db", prompts=5)
    rnd = random.Random(1)
    for who in ("ana", "ben"):
        with Desk(path, who) as desk:
            for _ in range(3):
                view = desk.next_task()
                assert view is not None
                desk.submit(view, stage.answer(view, rnd))
            view = desk.next_task()
            assert view is not None
            desk.skip(view, "other", seconds=1.0, note="why not")
            desk.next_task()
    assert not doctor.examine(path).findings
    return path


def content(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Everything in a file that is no passing matter, as bytes."""
    said: dict[str, list[dict[str, Any]]] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as c:
        c.text_factory = bytes
        for (name,) in c.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            table = name.decode()
            rows = c.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # from the file itself
            names = [column for column, *_ in rows.description]
            kept = [n not in PASSING.get(table, ()) for n in names]
            said[table] = [
                {n: v for n, v, k in zip(names, row, kept, strict=True) if k} for row in rows
            ]
        said["schema"] = [{"row": row} for row in c.execute("SELECT * FROM sqlite_schema")]
    return said


def noticed(path: Path, data: bytes) -> bool:
    stage.clear(path)
    path.write_bytes(data)
    path.chmod(0o600)
    return bool(doctor.examine(path).findings)


def same(path: Path, before: dict[str, list[dict[str, Any]]]) -> bool:
    try:
        return content(path) == before
    except sqlite3.Error:
        return False


@pytest.mark.slow
def test_a_flipped_bit_on_any_page_is_noticed_or_changes_nothing(
    worked: Path, tmp_path: Path
) -> None:
    whole, before = worked.read_bytes(), content(worked)
    copy, rnd = tmp_path / "labelkit.db", random.Random(2)
    seen, missed = 0, []
    for page in range(len(whole) // PAGE):
        used = [i for i in range(page * PAGE, (page + 1) * PAGE) if whole[i]]
        for at in rnd.sample(used, min(PER_PAGE, len(used))):
            data = bytearray(whole)
            data[at] ^= 1 << rnd.randrange(8)
            if noticed(copy, bytes(data)):
                seen += 1
            elif not same(copy, before):
                missed.append(at)
    assert not missed
    assert seen > len(whole) // PAGE  # most bytes that are not 0 mean something


@pytest.mark.slow
def test_a_store_cut_anywhere_is_noticed(worked: Path, tmp_path: Path) -> None:
    whole = worked.read_bytes()
    sizes = {0, 1, 15, 16, 99, 100, 511, PAGE - 1, len(whole) - 1}
    sizes |= set(range(PAGE, len(whole), 5 * PAGE)) | {len(whole) - PAGE, len(whole) // 2 + 77}
    for size in sorted(sizes):
        assert noticed(tmp_path / "labelkit.db", whole[:size]), size


BLOCKS: dict[str, Callable[[bytearray, int], None]] = {
    "of zeros": lambda data, at: data.__setitem__(slice(at, at + 512), bytes(512)),
    "of noise": lambda data, at: data.__setitem__(
        slice(at, at + 512), random.Random(at).randbytes(512)
    ),
    "of another page": lambda data, at: data.__setitem__(
        slice(at, at + 512), data[2 * PAGE : 2 * PAGE + 512]
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("spoil", BLOCKS.values(), ids=BLOCKS)
def test_a_lost_sector_is_noticed_or_changes_nothing(
    worked: Path, tmp_path: Path, spoil: Callable[[bytearray, int], None]
) -> None:
    whole, before = worked.read_bytes(), content(worked)
    copy, rnd = tmp_path / "labelkit.db", random.Random(3)
    for _ in range(10):
        data = bytearray(whole)
        spoil(data, 512 * rnd.randrange(len(whole) // 512))
        assert noticed(copy, bytes(data)) or same(copy, before)


def test_what_is_no_store_is_noticed(worked: Path, tmp_path: Path) -> None:
    copy = tmp_path / "labelkit.db"
    for data in (b"", b"\0" * PAGE, b"SQLite format 3\0", b"hello\n" * 1000, b"\x1f\x8b" * 700):
        assert noticed(copy, data)
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as c, c:
        c.execute("CREATE TABLE notes (text)")
    assert noticed(copy, (tmp_path / "foreign.db").read_bytes())
    for version in (0, 1, 99):
        shutil.copyfile(worked, copy)
        with closing(sqlite3.connect(copy)) as c:
            c.execute(f"PRAGMA user_version={version}")
        assert noticed(copy, copy.read_bytes())
    stage.clear(copy)
    with pytest.raises(StoreMissing):
        doctor.examine(copy)


# Neither do these: the name of the checksum (older stores have none), a name that is on no label,
# how often a task was found unclear before it is set aside, whose turn it is at a free place.
UNWATCHED = {"setting.key", "labeler.name", "task.unclear", "slot.labeler_id", "batch.guideline_id"}
ROWLESS = {"prompt_alias", "batch_labeler", "batch_cohort", "task_author"}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small store with something in nearly every table, and no triggers."""
    folder = tmp_path_factory.mktemp("columns")
    path = stage.build(folder / "labelkit.db", prompts=2)
    cli = Cli(path)
    said = ranking("old", "a > b > c > d", ratings={"a": 6}, notes={"a": "n"}, note="x", seconds=3)
    rich = record("rich", user="u9", rankings=[said], meta={"a": 1}, split="test")
    rich["demonstrations"] = [{"text": "best", "labeler": "old", "note": "hm"}]
    cli("import", write_jsonl(folder / "rich.jsonl", [rich, record("gone", user="u8")]))
    cli("prompts", "exclude", "id of q1", "--note", "why", "--by", "lead")
    cli("purge", "--user", "u8", "--yes")
    gold = {"prompt_id": "id of rich", "tiers": [["a"], ["b"], ["c", "d"]]}
    cli("assign", "--gold", write_jsonl(folder / "gold.jsonl", [gold]), "--batch", "g")
    cli("assign", "--kind", "write", "--batch", "w")
    with Desk(path, "ana") as desk:
        view = desk.next_task()
        assert view is not None
        desk.submit(view, stage.answer(view, random.Random(1)))
        view = desk.next_task()
        assert view is not None
        desk.skip(view, "other", seconds=1.0, note="why not")
    bundling.make(path, folder / "b.bundle", bundling.BundleOptions("ben", 1))
    assert not doctor.examine(path).findings
    with closing(sqlite3.connect(path)) as c, c:
        triggers = c.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            c.execute(f'DROP TRIGGER "{name}"')
    return path


def changed(path: Path, table: str, column: str, kind: str) -> None:
    """Change one column of a table's last row, whatever a constraint says."""
    new = {
        "INTEGER": f'coalesce("{column}", 0) + 1',
        "REAL": f'coalesce("{column}", 0) + 1',
        "BLOB": "zeroblob(16)",
    }.get(kind, f"coalesce(\"{column}\", '') || 'x'")
    with closing(sqlite3.connect(path)) as c, c:
        keys = [row[1] for row in c.execute(f'PRAGMA table_info("{table}")') if row[5]]
        order = ", ".join(f'"{key}" DESC' for key in keys) or "1"
        row = c.execute(f'SELECT {", ".join(keys) or 1} FROM "{table}" ORDER BY {order}').fetchone()  # noqa: S608
        where = " AND ".join(f'"{key}" = ?' for key in keys) or "1 = ?"
        c.execute(f'UPDATE "{table}" SET "{column}" = {new} WHERE {where}', row)  # noqa: S608


@pytest.mark.slow
def test_every_column_that_says_something_is_watched(furnished: Path, tmp_path: Path) -> None:
    copy = stage.copy_to(furnished, tmp_path / "labelkit.db")
    usual = len(doctor.examine(copy).findings)  # the triggers
    tables, missed = content(furnished), set()
    filled = [table for table, rows in tables.items() if rows and table != "schema"]
    columns = [(table, column) for table in filled for column in kinds(copy, table)]
    assert len(columns) > 100
    for table, (column, kind) in columns:
        stage.copy_to(furnished, copy)
        changed(copy, table, column, kind)
        if len(doctor.examine(copy).findings) <= usual:
            missed.add(f"{table}.{column}")
    passing = {f"{table}.{name}" for table, names in PASSING.items() for name in names}
    assert missed <= passing | UNWATCHED
    assert {t for t, rows in tables.items() if not rows} <= ROWLESS


def kinds(path: Path, table: str) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as c:
        return [(row[1], row[2]) for row in c.execute(f'PRAGMA table_info("{table}")')]
