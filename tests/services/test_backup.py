"""Backups: whole, private, verified, taken while people work; and the way back."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit.errors import Conflict, ForeignStore
from labelkit.services import backup, project
from labelkit.store import copies, core

RECORDS = ("export", "--format", "records", "--out", "-")


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    said = [record(f"q{i}", rankings=[ranking("ana", "a > b > c > d")]) for i in range(50)]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli


def add_label(cli: Cli, tmp_path: Path, who: str) -> None:
    said = {"prompt": "q1", "rankings": [ranking(who, "d > c > b > a")]}
    cli("import", write_jsonl(tmp_path / f"{who}.jsonl", [said]))


def test_a_backup_is_a_store_of_its_own(filled: Cli) -> None:
    ran = filled("backup", "--json")
    (made,) = ran.json["backups"]
    copy = Path(made["path"])
    assert Cli(copy)(*RECORDS).out_bytes == filled(*RECORDS).out_bytes
    assert Cli(copy)("doctor", "--json").json["findings"] == []
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert {p.suffix for p in copy.parent.iterdir()} <= {".db", ".lock"}


def test_only_the_newest_are_kept_and_only_of_their_kind(filled: Cli, tmp_path: Path) -> None:
    automatic = backup.automatic(filled.store, "merge").path
    first, *_ = [backup.backup(filled.store).path for _ in range(3)]
    ran = filled("backup", "--keep", 2, "--json")
    assert str(first) in ran.json["backups"][0]["removed"]
    there = backup.listed(filled.store)
    assert [b.before for b in there] == [None, None, "merge"]
    assert there[-1].path == automatic
    assert str(automatic) in filled("backup", "--list").out


def test_another_projects_backups_are_never_removed(filled: Cli, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "labelkit.db"
    project.init(other, write_settings=False)
    shared = tmp_path / "shared"
    theirs = backup.backup(other, shared).path
    for _ in range(3):
        backup.backup(filled.store, shared, keep=1)
    assert theirs.exists()
    assert len(list(shared.glob("*.db"))) == 2


def test_a_damaged_store_does_not_push_good_backups_out(filled: Cli) -> None:
    good = backup.backup(filled.store).path
    data = bytearray(filled.store.read_bytes())
    data[5 * 4096 : 6 * 4096] = bytes(4096)
    filled.store.write_bytes(data)
    ran = filled.run("backup", "--keep", 1)
    assert ran.code == 1
    assert "damaged" in ran.err
    assert [b.path for b in backup.listed(filled.store)] == [good]
    assert not list(good.parent.glob(".*"))


def test_a_backup_is_consistent_while_others_write(
    filled: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two settings always change together; no copy may have one without the other."""
    monkeypatch.setattr(copies, "_STEP_PAGES", 1)
    done = threading.Event()
    turns = 0

    def work() -> None:
        nonlocal turns
        store = core.open_store(filled.store)
        while not done.is_set():
            turns += 1
            with store.write() as tx:
                core.put_setting(tx, "a", str(turns))
                core.put_setting(tx, "z", str(turns))
        store.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        copied = [backup.backup(filled.store).path for _ in range(6)]
    finally:
        done.set()
        worker.join()
    assert turns > 6
    for path in copied:
        with sqlite3.connect(path) as connection:
            said = dict(connection.execute("SELECT key, value FROM setting").fetchall())
        assert said.get("a") == said.get("z")


def test_a_busy_store_is_copied_in_its_turn_in_the_end(
    filled: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every start is disturbed, the last one holds the queue."""
    held: list[Path] = []
    real = copies.queue

    def queue(path: Path) -> Any:
        held.append(path)
        return real(path)

    monkeypatch.setattr(copies, "queue", queue)
    monkeypatch.setattr(copies, "_STARTS", 0)
    made = backup.backup(filled.store)
    assert held == [filled.store]
    assert Cli(made.path)(*RECORDS).out_bytes == filled(*RECORDS).out_bytes


def test_restore_and_back(filled: Cli, tmp_path: Path) -> None:
    early = backup.backup(filled.store).path
    before = filled(*RECORDS).out_bytes
    add_label(filled, tmp_path, "ben")
    after = filled(*RECORDS).out_bytes
    ran = filled("restore", early, "--json")
    assert filled(*RECORDS).out_bytes == before != after
    assert ran.json["labels_since"] == 1
    assert "labelkit merge" in ran.err
    kept = Path(ran.json["replaced"])
    assert Cli(kept)(*RECORDS).out_bytes == after
    filled("restore", kept)
    assert filled(*RECORDS).out_bytes == after


def test_whoever_has_the_store_open_sees_the_restored_one(filled: Cli, tmp_path: Path) -> None:
    early = backup.backup(filled.store).path
    store = core.open_store(filled.store)
    with store.write() as tx:
        core.put_setting(tx, "test", "later")
    filled("restore", early)
    with store.read() as tx:
        assert core.get_setting(tx, "test", "gone") == "gone"
    with store.write() as tx:
        core.put_setting(tx, "test", "afterwards")
    store.close()
    assert filled("doctor", "--json").json["ok"]


@pytest.mark.parametrize("head", [b"", b"hello" * 999, b"SQLite format 9\x00"])
def test_restore_over_a_store_that_cannot_be_read(filled: Cli, head: bytes) -> None:
    good = backup.backup(filled.store).path
    before = filled(*RECORDS).out_bytes
    spoilt = head + filled.store.read_bytes()[len(head) :] if head else b""
    filled.store.write_bytes(spoilt)
    ran = filled("restore", good, "--json")
    assert filled(*RECORDS).out_bytes == before
    if spoilt:
        assert Path(ran.json["replaced"]).read_bytes() == spoilt
    assert filled("doctor", "--json").json["ok"]


def test_restore_into_nothing_makes_the_store(filled: Cli, tmp_path: Path) -> None:
    made = backup.backup(filled.store).path
    elsewhere = Cli(tmp_path / "new.db")
    elsewhere("restore", made)
    assert elsewhere(*RECORDS).out_bytes == filled(*RECORDS).out_bytes


def test_restore_refuses_what_is_no_good(filled: Cli, tmp_path: Path) -> None:
    before = filled.store.read_bytes()
    other = tmp_path / "other.db"
    project.init(other, write_settings=False)
    with pytest.raises(Conflict, match="another project"):
        backup.restore(filled.store, other)
    damaged = tmp_path / "damaged.db"
    data = bytearray(before)
    data[5 * 4096 : 6 * 4096] = bytes(4096)
    damaged.write_bytes(data)
    with pytest.raises(ForeignStore, match="damaged"):
        backup.restore(filled.store, damaged)
    assert filled.run("restore", tmp_path / "none.db").code == 1
    assert filled.store.read_bytes() == before
