"""How a store is opened and shared: processes, threads, file systems, and what others left."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labelkit.errors import Conflict, ForeignStore, SchemaMismatch, StoreBusy, StoreError
from labelkit.store import core, disk, engine


def put(store: core.Store, value: str) -> None:
    with store.write() as tx:
        core.put_setting(tx, "test", value)


def get(store: core.Store) -> str:
    with store.read() as tx:
        return core.get_setting(tx, "test")


def try_to_write(path: Path) -> str:
    """Begin a write in another process, past the queue, and say how it went."""
    code = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "try: c.execute('BEGIN IMMEDIATE'); print('taken')\n"
        "except sqlite3.OperationalError as e: print(e)"
    )
    argv = [sys.executable, "-c", code, str(path)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def test_opening_a_store_does_not_drop_the_locks_of_this_process(store: core.Store) -> None:
    with store.write() as tx:
        core.put_setting(tx, "test", "in the middle")
        core.open_store(store.path).close()
        assert try_to_write(store.path) == "database is locked"
    assert try_to_write(store.path) == "taken"


def test_a_child_gets_connections_of_its_own(store: core.Store) -> None:
    put(store, "before")
    connection = store.engine.raw_connection()
    parents = connection.dbapi_connection
    connection.close()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            put(store, "child")
            mine = store.engine.raw_connection().dbapi_connection
            code = 0 if mine is not parents else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert get(store) == "child"
    assert store.engine.raw_connection().dbapi_connection is parents


def test_threads_write_in_turn(store: core.Store) -> None:
    put(store, "0")

    def count() -> None:
        for _ in range(25):
            with store.write() as tx:
                core.put_setting(tx, "test", str(int(core.get_setting(tx, "test")) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get(store) == "100"


def test_a_writer_that_waits_too_long_is_told(
    store: core.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with engine.queue(store.path), pytest.raises(StoreBusy, match="has been writing"):
        put(store, "never")
    put(store, "now")
    assert get(store) == "now"


def test_wal_mode_that_another_program_left_is_undone(store_path: Path) -> None:
    other = sqlite3.connect(store_path)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("INSERT INTO setting VALUES ('test', 'in the wal')")
    other.commit()
    busy = core.open_store(store_path)  # the other program still has it open: nothing is forced
    assert get(busy) == "in the wal"
    put(busy, "in the wal, by us")
    busy.close()
    other.close()
    store = core.open_store(store_path)
    assert get(store) == "in the wal, by us"
    with store.read() as tx:
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    store.close()
    assert not Path(f"{store_path}-wal").exists()


def test_a_store_upgraded_while_it_is_open_is_not_written(store: core.Store) -> None:
    with sqlite3.connect(store.path) as other:
        other.execute("PRAGMA user_version=99")
    with pytest.raises(SchemaMismatch, match="newer"):
        put(store, "by an old labelkit")


def test_file_systems_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "x.db"
    core.create(path)
    before = path.read_bytes()
    with pytest.raises(Conflict):
        core.create(path)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"other")
    with pytest.raises(FileExistsError):
        disk.publish(fresh, path)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_create_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(core, "publish", fail)
    with pytest.raises(StoreError, match="No space left"):
        core.create(tmp_path / "x.db")
    assert list(tmp_path.iterdir()) == []


def test_the_queue_follows_no_link(store: core.Store, tmp_path: Path) -> None:
    lock = Path(f"{store.path}.lock")
    lock.unlink(missing_ok=True)
    lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        put(store, "x")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("SQLITE_BUSY_SNAPSHOT", StoreBusy, "somebody else is writing"),
        ("SQLITE_READONLY_DBMOVED", StoreError, "read-only"),
        ("SQLITE_FULL", StoreError, "disk is full"),
        ("SQLITE_IOERR_FSYNC", StoreError, "refuses to read or write"),
        ("SQLITE_CORRUPT_INDEX", ForeignStore, "damaged"),
        ("SQLITE_NOTADB", ForeignStore, "not a labelkit store"),
        ("SQLITE_TOOBIG", StoreError, "too long"),
        ("SQLITE_CANTOPEN", StoreError, "cannot be opened"),
    ],
)
def test_what_sqlite_says_in_words(name: str, kind: type[Exception], said: str) -> None:
    error = sqlite3.OperationalError("secret")
    error.sqlite_errorname = name
    with pytest.raises(kind, match=said) as caught, engine.translated(Path("x.db")):
        raise error
    assert "secret" not in str(caught.value)


def test_a_damaged_text_is_not_quoted(store: core.Store) -> None:
    with sqlite3.connect(store.path) as other:
        other.execute("INSERT INTO setting VALUES ('test', CAST(x'736563726574ff' AS TEXT))")
    with pytest.raises(ForeignStore, match="damaged") as caught:
        get(store)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ("1 0 8:1 / / rw - ext4 /dev/sda rw", None),
        ("1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:9 / {} rw - nfs4 box:/x rw", "nfs4"),
        ("1 0 8:1 / / rw - nfs box:/x rw\n2 1 0:9 / {} rw - ext4 /dev/sdb rw", None),
    ],
)
def test_network_file_systems_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounts: str, kind: str | None
) -> None:
    text = mounts.format(tmp_path.resolve())
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    assert disk.network_filesystem(tmp_path / "labelkit.db") == kind
