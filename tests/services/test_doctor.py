"""Doctor: notices what is wrong, says where and what to run, and changes nothing by itself."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import REPO, Cli, ranking, record, write_jsonl

from labelkit.domain.tasks import Answer
from labelkit.services import backup, doctor, upgrade
from labelkit.services.desk import Desk


@pytest.fixture
def worked(tmp_path: Path) -> Cli:
    """A store that people worked with: tasks, slots in every state, a revision, a draft."""
    path = tmp_path / "labelkit.db"
    shutil.copyfile(REPO / "tests" / "store" / "versions" / "v1.db", path)
    path.chmod(0o600)
    upgrade.upgrade(path)
    more = [record(f"more {i}", rankings=[ranking("ana", "a > b = c > d")]) for i in range(5)]
    cli = Cli(path)
    cli("import", write_jsonl(tmp_path / "more.jsonl", more))
    cli("assign", "--batch", "week-2")
    with Desk(path, "dana") as desk:
        view = desk.next_task()
        assert view is not None
        desk.submit(view, Answer(tiers=tuple((c.uid,) for c in view.candidates)))
        assert desk.next_task() is not None  # stays leased
    return cli


def edit(path: Path, *statements: str) -> None:
    """Change a store behind labelkit's back."""
    with sqlite3.connect(path) as connection:
        for kind in ("ranking", "demonstration", "skip"):
            for verb in ("update", "delete"):
                connection.execute(f"DROP TRIGGER {kind}_no_{verb}")
        connection.execute("DROP TRIGGER prompt_unsealed")
        for statement in statements:
            connection.execute(statement)


def test_a_healthy_store_has_no_findings(worked: Cli) -> None:
    found = worked("doctor", "--json").json
    assert (found["ok"], found["findings"]) == (True, [])
    assert worked("doctor").out.strip() == f"{worked.store}: no problems"


DAMAGE = {
    "a prompt": "UPDATE prompt SET messages = replace(messages, 'sky', 'sea')",
    "a prompt's user": "UPDATE prompt SET user = 'u9' WHERE user = 'u1'",
    "a prompt's split": "UPDATE prompt SET split = NULL WHERE split = 'test'",
    "an alias": "UPDATE prompt_alias SET name = name || 'x'",
    "a completion": "UPDATE completion SET text = text || '.' WHERE id = 3",
    "a completion's model": "UPDATE completion_source SET model = 'm-z' WHERE model = 'm-a'",
    "a guideline": "UPDATE guideline SET text = text || ' ' WHERE text IS NOT NULL",
    "a ranking": "UPDATE ranking SET tiers = '[[1],[2,3]]' WHERE id = 1",
    "a ranking's order of arrival": "UPDATE ranking SET seq = 9 WHERE crc IS NOT NULL",
    "a rating": "UPDATE ranking SET ratings = replace(ratings, '7', '6')",
    "a note": "UPDATE ranking SET note = 'even' WHERE note = 'odd'",
    "who said it": "UPDATE labeler SET name = 'anna' WHERE name = 'ana'",
    "what kind they are": "UPDATE labeler SET kind = 'hunan' WHERE name = 'ana'",
    "a demonstration": "UPDATE demonstration SET text = upper(text)",
    "why it was skipped": "UPDATE skip SET reason = 'other'",
    "a dangling completion": "UPDATE ranking SET shown = '[999]' WHERE shown IS NOT NULL",
    "broken JSON": "UPDATE ranking SET tiers = '[[1' WHERE id = 2",
    "not UTF-8": "UPDATE completion SET text = CAST(x'ff61' AS TEXT) WHERE id = 4",
    "a vanished ranking": "DELETE FROM ranking WHERE task_id IS NOT NULL",
    "a vanished skip": "DELETE FROM skip WHERE task_id IS NOT NULL",
    "an orphan slot": "UPDATE slot SET state = 'filled' WHERE state = 'leased'",
    "an orphan label": "DELETE FROM slot WHERE state = 'filled'",
    "an unknown slot state": "UPDATE slot SET state = 'lost' WHERE state = 'leased'",
    "a counter": "UPDATE task SET filled = filled + 1 WHERE id = 1",
    "a task's completions": "DELETE FROM task_completion WHERE position = 3",
    "an unknown task state": "UPDATE task SET state = 'opem' WHERE id = 1",
    "a batch's name": "UPDATE batch SET name = name || '!'",
    "a batch's settings": "UPDATE batch SET settings = '{}x'",
    "a key that would come again": "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'completion'",
    "a dangling key": "UPDATE batch SET guideline_id = 77",
    "a revision of somebody else's": (
        "UPDATE ranking SET supersedes = (SELECT uid FROM ranking WHERE id = 1) WHERE id = 2"
    ),
    "a view that does not belong": "CREATE VIEW sneaky AS SELECT 1",
    "a missing index": "DROP INDEX ix_ranking_task_id",
    "the last migration": "UPDATE alembic_version SET version_num = '0001'",
    "no migration": "DROP TABLE alembic_version",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE)
def test_every_change_behind_its_back_is_noticed(worked: Cli, statement: str) -> None:
    baseline = shutil.copyfile(worked.store, worked.store.with_name("base.db"))
    edit(Path(baseline))
    edit(worked.store, statement)
    expected = doctor.examine(Path(baseline)).problems  # the triggers that are gone
    assert doctor.examine(worked.store).problems > expected
    ran = worked.run("doctor", "--json")
    assert ran.code == 3
    assert "try: labelkit" in ran.err
    assert all(f["what"] and (f["cure"] or not f["serious"]) for f in ran.json["findings"])


def test_a_finding_names_the_row_and_what_to_run_but_quotes_no_text(worked: Cli) -> None:
    edit(worked.store, "UPDATE completion SET text = 'zebra' WHERE id = 3")
    ran = worked.run("doctor")
    assert "was changed: what it says does not give its uid" in ran.out
    assert "zebra" not in ran.out + ran.err
    assert "try: labelkit restore" in ran.err
    assert str(backup.listed(worked.store)[0].path) in ran.err


def test_a_pin_that_was_changed_is_worth_knowing(worked: Cli, tmp_path: Path) -> None:
    rules = tmp_path / "rules.md"
    rules.write_text("---\nname: ours\nversion: 1\n---\n# Ours\n")
    worked("guidelines", "add", rules)
    edit(worked.store, "UPDATE batch SET guideline_id = (SELECT max(id) FROM guideline)")
    said = {f.what for f in doctor.examine(worked.store).findings}
    assert "was judged by another guideline than batch 'week-1' is pinned to" in said


def test_counters_can_be_set_right(worked: Cli) -> None:
    with sqlite3.connect(worked.store) as connection:
        connection.execute("UPDATE task SET filled = 7, leased = 3")
    assert "labelkit doctor --fix" in worked.run("doctor").err
    ran = worked("doctor", "--fix", "--json")
    assert ran.json["fixed"] > 0
    assert ran.json["ok"]
    assert worked("doctor", "--fix", "--json").json["fixed"] == 0


def test_many_findings_are_counted_and_not_all_shown(worked: Cli) -> None:
    edit(worked.store, "UPDATE completion SET text = text || '!'")
    found = worked.run("doctor", "--json").json
    shown = sum(f["check"] == "content" for f in found["findings"])
    assert shown == doctor.SHOWN
    assert found["not_shown"]["content"] == found["problems"] - shown - 7  # seven triggers


def test_what_is_worth_knowing_is_no_failure(worked: Cli, tmp_path: Path) -> None:
    worked.store.chmod(0o644)
    labels = record("quotes", rankings=[ranking("ana", "a > b > c > d", guideline="unheard-of@3")])
    worked("import", write_jsonl(tmp_path / "q.jsonl", [labels]))
    with Desk(worked.store, "dana") as desk:
        view = desk.next_task()
        assert view is not None
        desk.save_draft(view, {"kept": True})
        desk.submit(view, Answer(tiers=tuple((c.uid,) for c in view.candidates)))
        desk.save_draft(view, {"too": "late"})
    (drafts,) = tmp_path.glob("labelkit.db.drafts/*")
    (drafts / "odd.json").write_text("{")
    found = worked("doctor", "--json").json
    assert found["ok"]
    said = {f["what"] for f in found["findings"]}
    assert "can be read by others (mode 0644)" in said
    assert "is quoted, and its text is not here" in said
    assert "is left of an answer that was stored" in said
    assert "cannot be read; the labeler begins that task afresh" in said
    tried = worked("doctor").err
    assert f"try: chmod 600 {worked.store}\n" in tried
    assert "try: labelkit doctor --fix\n" in tried


def test_drafts_of_stored_answers_are_removed(worked: Cli, tmp_path: Path) -> None:
    """As a kill leaves them that comes after the commit; those of work in progress stay."""
    with Desk(worked.store, "dana") as desk:
        view = desk.next_task()
        assert view is not None
        desk.submit(view, Answer(tiers=tuple((c.uid,) for c in view.candidates)))
        desk.save_draft(view, {"stored": True})
        going_on = desk.next_task()
        assert going_on is not None
        desk.save_draft(going_on, {"kept": True})
        found = worked("doctor", "--fix", "--json").json
        assert (found["swept"], found["findings"]) == (1, [])
        assert (desk.draft(view), desk.draft(going_on)) == (None, {"kept": True})
    assert worked("doctor", "--fix", "--json").json["swept"] == 0


def test_a_stored_revision_is_not_asked_for_again(worked: Cli) -> None:
    """It would be a second revision of one label, and the labeler would count twice."""
    with Desk(worked.store, "dana") as desk:
        found = desk.previous()
        assert found is not None
        view, _ = found
        desk.save_draft(view, {"begun": True})
        again = desk.next_task()
        assert again is not None
        assert again.revises == view.revises
        desk.submit(view, Answer(tiers=(tuple(c.uid for c in view.candidates),)))
        desk.save_draft(view, {"begun": True})
        noted = worked("doctor", "--json").json["findings"]
        assert [f["what"] for f in noted] == ["is left of an answer that was stored"]
        after = desk.next_task()
        assert after is not None
        assert after.revises is None
        assert desk.draft(view) is None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda p: p.write_bytes(b""), "is an empty file"),
        (lambda p: p.write_bytes(b"hello" * 1000), "not a labelkit store"),
        (lambda p: p.write_bytes(p.read_bytes()[:5000]), "damaged"),
        (lambda p: sqlite3.connect(p).execute("PRAGMA application_id=7"), "another program"),
        (lambda p: sqlite3.connect(p).execute("PRAGMA user_version=99"), "newer labelkit"),
        (lambda p: sqlite3.connect(p).execute("PRAGMA user_version=1"), "older labelkit"),
    ],
)
def test_files_that_cannot_be_used_are_noticed(
    worked: Cli, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(worked.store)
    ran = worked.run("doctor")
    assert ran.code == 3
    assert said in ran.out
    assert "try: " in ran.err


def test_tasks_that_were_released_are_sound(worked: Cli) -> None:
    for who in ("ana", "ben"):
        worked.run("labelers", "add", who)
        with Desk(worked.store, who) as desk:
            view = desk.next_task()
            assert view is not None
            desk.skip(view, "unclear", seconds=1.0)
            task = view.task
        worked.run("tasks", "set-aside", task)
        worked("tasks", "release", task)
    assert doctor.examine(worked.store).problems == 0


def test_no_store_is_no_finding(tmp_path: Path) -> None:
    ran = Cli(tmp_path / "none.db").run("doctor")
    assert (ran.code, ran.out) == (1, "")
