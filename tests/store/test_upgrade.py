"""Every committed store version upgrades, keeps what it held, and can be worked with afterwards."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli

from labelkit.domain.tasks import Answer
from labelkit.errors import SchemaMismatch, StoreError
from labelkit.services import backup, upgrade
from labelkit.services.desk import Desk
from labelkit.store import migrate, schema

VERSIONS = Path(__file__).parent / "versions"
OLD = range(1, schema.SCHEMA_VERSION)


@pytest.fixture(params=OLD, ids="v{}".format)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Cli, Path]:
    """A store of an older version, and what an export of it must say."""
    path = tmp_path / "labelkit.db"
    shutil.copyfile(VERSIONS / f"v{request.param}.db", path)
    path.chmod(0o600)
    return Cli(path), VERSIONS / f"v{request.param}.jsonl"


def rows_of(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for (t,) in tables}  # noqa: S608


def test_every_older_version_has_a_store() -> None:
    """A new schema version needs a store of the one before: python tests/store/make_version.py."""
    there = {int(path.stem[1:]) for path in VERSIONS.glob("v*.db")}
    assert set(OLD) <= there <= set(range(1, schema.SCHEMA_VERSION + 1))
    for version in there:
        with sqlite3.connect(VERSIONS / f"v{version}.db") as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (version,)


def test_an_old_store_is_refused_with_the_command_to_run(old: tuple[Cli, Path]) -> None:
    ran = old[0].run("status")
    assert ran.code == 1
    assert "older labelkit" in ran.err
    assert "try: labelkit db upgrade" in ran.err


def test_an_upgrade_keeps_everything(old: tuple[Cli, Path], tmp_path: Path) -> None:
    cli, said = old
    before = rows_of(cli.store)
    cli("db", "upgrade")
    after = rows_of(cli.store)
    assert after.pop("journal") == before.pop("journal") + 1  # the upgrade itself
    assert {table: after[table] for table in before} == before
    assert cli("doctor", "--json").json["ok"]
    fresh = Cli(tmp_path / "fresh.db")
    fresh("init")
    fresh("import", said)
    records = ("export", "--format", "records", "--out", "-")
    assert cli(*records).out_bytes == fresh(*records).out_bytes


def test_an_upgraded_store_can_be_worked_with(old: tuple[Cli, Path]) -> None:
    cli, _ = old
    cli("db", "upgrade")
    cli("labelers", "add", "newcomer")
    with Desk(cli.store, "newcomer") as desk:
        view = desk.next_task()
        assert view is not None
        desk.submit(view, Answer(tiers=tuple((c.uid,) for c in view.candidates)))
    assert cli("doctor", "--json").json["ok"]
    cli("export", "--format", "rm", "--out", "-")


def test_an_upgraded_store_is_built_like_a_new_one(old: tuple[Cli, Path], tmp_path: Path) -> None:
    cli, _ = old
    cli("db", "upgrade")
    fresh = Cli(tmp_path / "fresh.db")
    fresh("init")

    def objects(path: Path) -> Any:
        with sqlite3.connect(path) as connection:
            query = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
            return connection.execute(query).fetchall()

    assert objects(cli.store) == objects(fresh.store)


def test_an_upgrade_backs_up_first(old: tuple[Cli, Path]) -> None:
    cli, _ = old
    before = rows_of(cli.store)
    ran = cli("db", "upgrade", "--json")
    kept = Path(ran.json["backup"])
    assert rows_of(kept) == before
    assert ran.json["from"] < ran.json["to"] == schema.SCHEMA_VERSION
    again = cli("db", "upgrade", "--json")
    assert again.json["backup"] is None
    assert len(backup.listed(cli.store)) == 1


def test_the_backup_of_an_upgrade_can_be_put_back(old: tuple[Cli, Path]) -> None:
    cli, _ = old
    before = rows_of(cli.store)
    kept = cli("db", "upgrade", "--json").json["backup"]
    assert "next: labelkit db upgrade" in cli("restore", kept).err
    assert rows_of(cli.store) == before
    cli("db", "upgrade")


def test_a_migration_that_loses_rows_is_undone(
    old: tuple[Cli, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli, _ = old
    before = rows_of(cli.store)
    real = migrate.run

    def careless(connection: Any, revision: str = "head") -> None:
        real(connection, revision)
        connection.exec_driver_sql("DELETE FROM completion_source")
        connection.exec_driver_sql("DELETE FROM task_completion")
        connection.exec_driver_sql("DELETE FROM completion")

    monkeypatch.setattr(migrate, "run", careless)
    with pytest.raises(StoreError, match="the upgrade was undone"):
        upgrade.upgrade(cli.store)
    assert rows_of(cli.store) == before


def test_a_newer_store_is_left_alone(store_path: Path) -> None:
    with sqlite3.connect(store_path) as connection:
        connection.execute("PRAGMA user_version=99")
    before = store_path.read_bytes()
    with pytest.raises(SchemaMismatch, match="newer"):
        upgrade.upgrade(store_path)
    assert store_path.read_bytes() == before
    ran = Cli(store_path).run("doctor")
    assert (ran.code, "newer labelkit" in ran.out) == (3, True)
