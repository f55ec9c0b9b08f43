"""The schema: migrations build what is declared, and SQLite runs as promised."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from labelkit.errors import ForeignStore, SchemaMismatch, StoreMissing
from labelkit.store import core, migrate, schema
from labelkit.store.engine import make_engine


def declared() -> dict[str, str]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        schema.metadata.create_all(connection)
        return _objects(connection.connection.dbapi_connection)


def _objects(connection: object) -> dict[str, str]:
    rows = connection.execute(  # type: ignore[attr-defined]
        "SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'index') "
        "AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name != 'alembic_version'"
    )
    return {name: _normal(sql) for name, sql in rows}


def _normal(sql: str) -> str:
    """A statement with its parts in a fixed order: constraints may stand anywhere in a table."""
    flat = re.sub(r"\s+", " ", sql).replace('"', "")
    head, _, rest = flat.partition("(")
    inside, _, tail = rest.rpartition(")")
    parts = re.split(r", (?![^(]*\))", inside)
    columns = [p.strip() for p in parts if not p.strip().startswith(("CONSTRAINT", "PRIMARY"))]
    rules = sorted(p.strip() for p in parts if p.strip().startswith(("CONSTRAINT", "PRIMARY")))
    return f"{head.strip()} ({', '.join(columns)} | {', '.join(rules)}) {tail.strip()}"


def test_migrations_rebuild_the_declared_schema(store: core.Store) -> None:
    with store.read() as tx:
        built = _objects(tx.connection.dbapi_connection)
    assert built == declared()
    assert len(built) > 20


def test_every_table_is_strict_and_every_entity_never_reuses_a_key(store: core.Store) -> None:
    with store.read() as tx:
        for table in schema.metadata.tables.values():
            sql = tx.exec_driver_sql(
                "SELECT sql FROM sqlite_schema WHERE name = ?", (table.name,)
            ).scalar_one()
            assert "STRICT" in sql
            assert ("AUTOINCREMENT" in sql) == ("id" in table.c)


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "delete"),
        ("synchronous", 3),
        ("busy_timeout", 30_000),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("mmap_size", 0),
        ("application_id", schema.APPLICATION_ID),
        ("user_version", schema.SCHEMA_VERSION),
    ],
)
def test_connection_settings(store: core.Store, pragma: str, value: object) -> None:
    with store.read() as tx:
        assert tx.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    with store.write() as tx:
        assert tx.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


@pytest.mark.parametrize("table", ["ranking", "demonstration", "skip"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq + 1", "DELETE FROM {}"])
def test_labels_are_never_changed_or_deleted(store_path: Path, table: str, statement: str) -> None:
    with sqlite3.connect(store_path) as connection:
        connection.execute("INSERT INTO prompt (uid, kind, messages) VALUES (x'00', 'plain', '[]')")
        own = {
            "ranking": "tiers, revisions, repeat",
            "demonstration": "text",
            "skip": "reason, task",
        }
        values = {"ranking": "'[]', 0, 0", "demonstration": "''", "skip": "'', ''"}
        connection.execute(
            f"INSERT INTO {table} (uid, prompt_id, origin, seq, {own[table]}) "  # noqa: S608
            f"VALUES (x'01', 1, '', 0, {values[table]})"
        )
        with pytest.raises(sqlite3.IntegrityError, match="never changed or deleted"):
            connection.execute(statement.format(table))


def test_a_failed_migration_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(tmp_path / "x.db", create=True)

    def fail(_: object) -> None:
        raise RuntimeError("the power is out")

    monkeypatch.setattr(migrate, "_check_keys", fail)
    with pytest.raises(RuntimeError, match="power"):
        migrate.upgrade(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar() == 0


def test_stores_are_private(store_path: Path) -> None:
    assert store_path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, StoreMissing),
        (b"", ForeignStore),
        (b"hello", ForeignStore),
        (b"SQLite format 3\x00", ForeignStore),
        (b"SQLite format 3\x00" + bytes(4096), ForeignStore),
    ],
)
def test_files_that_are_no_store(
    tmp_path: Path, content: bytes | None, error: type[Exception]
) -> None:
    path = tmp_path / "x.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        core.open_store(path)
    assert path.exists() == (content is not None)


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(ForeignStore, match="belongs to another program"):
        core.open_store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("version", "word"), [(0, "older"), (99, "newer")])
def test_other_schema_versions_are_refused_with_a_way_on(
    store_path: Path, version: int, word: str
) -> None:
    with sqlite3.connect(store_path) as connection:
        connection.execute(f"PRAGMA user_version={version}")
    with pytest.raises(SchemaMismatch, match=word) as caught:
        core.open_store(store_path)
    assert caught.value.hint
