"""A person's data are deleted completely, and only that is remembered."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit.domain.tasks import Answer
from labelkit.services import purging
from labelkit.services.desk import Desk
from labelkit.store import purging as store_purging
from labelkit.store import schema

SECRET = "zanzibar-secret"
N = 8


def said() -> list[dict[str, Any]]:
    """Prompts of two users; every text of the first one's holds the secret."""
    ours = [
        record(
            f"{SECRET} question {i}" + " padding" * 400,
            k=5,
            user=f"{SECRET} user",
            meta={"app": SECRET},
            rankings=[ranking("ana", "a > b = c > d > e", note=SECRET, notes={"a": SECRET})],
            demonstrations=[{"text": f"{SECRET} answer", "labeler": "ben"}],
            skips=[{"labeler": "ben", "reason": "other", "note": SECRET}],
            aliases=[f"{SECRET} alias {i}"],
        )
        | {"prompt_id": f"{SECRET} {i}"}
        for i in range(N)
    ]
    for each in ours:
        for completion in each["completions"]:
            completion |= {"text": f"{SECRET} {completion['id']}", "model": SECRET}
    theirs = [
        record(f"other {i}", user="u2", rankings=[ranking("ana", "a > b > c > d")])
        for i in range(N)
    ]
    return [each for pair in zip(ours, theirs, strict=True) for each in pair]


@pytest.fixture
def worked(cli: Cli, tmp_path: Path) -> Cli:
    """A store where tasks were handed out, done, skipped, drafted, revised and decided about."""
    cli("import", write_jsonl(tmp_path / "in.jsonl", said()))
    gold = {"prompt_id": f"{SECRET} 1", "tiers": [["a"], ["b"]], "note": SECRET}
    cli("assign", "--gold", write_jsonl(tmp_path / "gold.jsonl", [gold]), "--with-demonstrations")
    cli("labelers", "add", "chloe")
    with Desk(cli.store, "chloe") as desk:
        for _ in range(10):
            view = desk.next_task()
            assert view is not None
            desk.save_draft(view, {"note": view.messages[0].content})
            desk.submit(view, Answer(tiers=tuple((c.uid,) for c in view.candidates)))
        view = desk.next_task()
        assert view is not None
        desk.save_draft(view, {"note": view.messages[0].content})
        last = desk.previous()
        assert last is not None
        desk.save_draft(last[0], {"note": f"revised {last[0].messages[0].content}"})
    cli("prompts", "exclude", f"{SECRET} 2", "--note", SECRET)
    return cli


def bytes_of(folder: Path) -> dict[Path, bytes]:
    """Every file of the project but the input."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".jsonl"
    }


def tables(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as connection:
        names = [
            n
            for (n,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        return {
            n: connection.execute(f"SELECT count(*) FROM {n}").fetchone()[0]  # noqa: S608
            for n in names
        }


def objects(path: Path) -> list[Any]:
    with sqlite3.connect(path) as connection:
        return sorted(connection.execute("SELECT type, name, sql FROM sqlite_schema"))


def test_nothing_of_it_is_left_in_any_file(worked: Cli) -> None:
    folder = worked.store.parent
    (draft, *_) = folder.glob("labelkit.db.drafts/*/*.json")
    shutil.copyfile(draft, draft.with_name(f".{draft.stem}.12345"))  # killed while it was saved
    assert sum(SECRET.encode() in data for data in bytes_of(folder).values()) > 2
    worked("purge", "--user", f"{SECRET} user", "--yes")
    left = [path for path, data in bytes_of(folder).items() if SECRET.encode() in data]
    assert left == []
    assert worked("doctor", "--json").json["ok"]


def test_nothing_is_left_even_where_the_file_is_not_written_anew(
    worked: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "_compact", lambda _: False)
    ran = worked("purge", "--user", f"{SECRET} user", "--yes")
    assert "could not be written anew" in ran.err
    assert SECRET.encode() not in worked.store.read_bytes()


def test_a_draft_that_the_disk_keeps_is_named(worked: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = sorted(str(p) for p in worked.store.parent.glob("labelkit.db.drafts/*/*.json"))
    monkeypatch.setattr(purging, "drop", lambda _: False)
    ran = worked("purge", "--user", f"{SECRET} user", "--yes", "--json")
    kept = ran.json["drafts_that_hold_it"]
    assert kept
    assert set(kept) <= set(drafts)
    assert ran.json["drafts"] == 0


def test_everything_of_the_others_stays(worked: Cli, tmp_path: Path) -> None:
    schema_before = objects(worked.store)
    told = worked("purge", "--user", f"{SECRET} user", "--dry-run", "--json").json["deleted"]
    before = tables(worked.store)
    done = worked("purge", "--user", f"{SECRET} user", "--yes", "--json").json
    assert done["deleted"] == told
    after = tables(worked.store)
    assert {n: before[n] - after[n] for n in told} == told
    # Everything that hangs off a prompt went with it, and nothing else did.
    assert set(told) == {t.name for t, _ in store_purging._hanging_off([1])}
    changed = {n for n in before if before[n] != after[n]} - set(told)
    assert changed == {"journal", "purge", "purged"}
    assert objects(worked.store) == schema_before
    left = worked("export", "--format", "records", "--out", "-").rows
    assert [r["user"] for r in left] == ["u2"] * N
    assert all(r["rankings"] for r in left)
    with (
        sqlite3.connect(worked.store) as connection,
        pytest.raises(sqlite3.IntegrityError, match="never changed or deleted"),
    ):
        connection.execute("DELETE FROM ranking")


def test_every_table_about_prompts_is_thought_of() -> None:
    """A new table that leads to a prompt, a completion or a task must be purged too."""
    listed = {table.name for table, _ in store_purging._hanging_off([1])}
    about = {"prompt", "completion", "task"}
    leading = {
        table.name
        for table in schema.metadata.tables.values()
        if {key.column.table.name for key in table.foreign_keys} & about
    }
    assert leading
    assert listed == leading | about


def test_it_is_logged_without_a_name(worked: Cli) -> None:
    worked("purge", "--user", f"{SECRET} user", "--yes", "--by", "lea")
    with sqlite3.connect(worked.store) as connection:
        (row,) = connection.execute("SELECT by, kind, who, counts FROM purge").fetchall()
    assert row[:2] == ("lea", "user")
    assert len(row[2]) == 16
    assert f'"prompt":{N}' in row[3]
    connection.close()


def test_what_comes_back_is_noticed(worked: Cli, tmp_path: Path) -> None:
    fresh = write_jsonl(tmp_path / "other.jsonl", [record("other still", user="u2")])
    worked("purge", "--user", f"{SECRET} user", "--yes")
    assert "purged" not in worked("import", fresh).err
    again = worked("import", tmp_path / "in.jsonl")
    assert f"{N} of these prompts were deleted for good before" in again.err
    assert worked("import", tmp_path / "in.jsonl", "--json").json["prompts"]["purged_before"] == N
    new = [record("never seen", user=f"{SECRET} user")]
    assert "deleted for good before" in worked("import", write_jsonl(tmp_path / "n.jsonl", new)).err
    worked("purge", "--user", f"{SECRET} user", "--yes")
    assert SECRET.encode() not in worked.store.read_bytes()


def test_it_does_not_come_back_with_a_merge(worked: Cli, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copyfile(worked.store, copy)
    copy.chmod(0o600)
    worked("purge", "--user", f"{SECRET} user", "--yes")
    ran = worked("merge", copy, "--json")
    assert ran.json["prompts"] == {"added": 0, "known": N}
    assert sum("deleted here for good" in told for told in ran.json["conflicts"]) == N
    assert SECRET.encode() not in worked.store.read_bytes()


def test_backups_are_named(worked: Cli) -> None:
    kept = worked("backup", "--json").json["backups"][0]["path"]
    ran = worked("purge", "--user", f"{SECRET} user", "--yes")
    assert f"this backup still holds it: {kept}" in ran.err


def test_it_asks_first(worked: Cli) -> None:
    before = worked.store.read_bytes()
    ran = worked.run("purge", "--user", f"{SECRET} user")
    assert (ran.code, "--yes" in ran.err) == (2, True)
    assert f"{N} prompts" in ran.err
    worked("purge", "--user", f"{SECRET} user", "--dry-run")
    assert worked.store.read_bytes() == before


def test_one_prompt_may_go_alone(worked: Cli) -> None:
    worked("purge", "--prompt", f"{SECRET} 3", "--yes")
    assert len(worked("prompts", "list", "--user", f"{SECRET} user", "--ids").out.split()) == N - 1
    assert worked("doctor", "--json").json["ok"]


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("--user", "nobody"), 1, "no prompt of user 'nobody'"),
        ((), 2, "say whose data go"),
        (("--user", "u2", "--prompt", "x"), 2, "say whose data go"),
        (("--prompt", "nobody"), 1, "there is no prompt 'nobody'"),
    ],
)
def test_failures(worked: Cli, args: tuple[str, ...], code: int, told: str) -> None:
    ran = worked.run("purge", "--yes", *args)
    assert (ran.code, told in ran.err) == (code, True)


@pytest.mark.parametrize("where", ["_log", "_hanging_off", "insert_many"])
def test_a_kill_in_the_middle_leaves_all_of_it_or_nothing(
    worked: Cli, tmp_path: Path, where: str
) -> None:
    """The triggers that guard labels are lifted inside the transaction, and come back with it."""
    before, guards = tables(worked.store), objects(worked.store)
    pid = os.fork()
    if not pid:
        try:
            setattr(store_purging, where, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
            purging.purge(worked.store, f"{SECRET} user")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    whole = tmp_path / "whole.db"
    assert tables(worked.store) == before
    assert objects(worked.store) == guards
    shutil.copyfile(worked.store, whole)
    assert Cli(whole)("doctor", "--json").json["ok"]
