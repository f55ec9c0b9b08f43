"""Bundles and merges: what is taken away, what comes back, and what is refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit.domain.identity import named
from labelkit.domain.models import Ranking
from labelkit.domain.tasks import Answer
from labelkit.services import backup, bundling, doctor, merging, project
from labelkit.services.bundling import BundleOptions
from labelkit.services.desk import Desk
from labelkit.store import core
from labelkit.store.codec import COMMON, OWN, own_values, raw
from labelkit.store.sql import insert_many

RECORDS = ("export", "--format", "records", "--out", "-")
SECRET = "zebra"  # in the names of all models and in every name of the file


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six prompts, handed out to two people each."""
    folder = tmp_path_factory.mktemp("first")
    cli = Cli(folder / "labelkit.db")
    project.init(cli.store, write_settings=False)
    rows = []
    for i in range(6):
        row = record(f"question {i}", user=f"u-{SECRET}", source=SECRET, use_case=SECRET)
        row |= {"prompt_id": f"{SECRET}-{i}", "meta": {"model": SECRET, "application": "a shop"}}
        for completion in row["completions"]:
            completion |= {"model": f"{SECRET}-7b", "id": f"{SECRET}-{completion['id']}"}
        rows.append(row)
    cli("import", write_jsonl(folder / "in.jsonl", rows))
    for name in ("ana", "ben"):
        cli("labelers", "add", name)
    cli("assign", "--overlap", 2, "--k-min", 2)
    return cli.store


@pytest.fixture
def desk(first: Path, tmp_path: Path) -> Cli:
    store = Path(shutil.copyfile(first, tmp_path / "labelkit.db"))
    store.chmod(0o600)
    return Cli(store)


def make(desk: Cli, name: str = "ana", n: int = 3, **more: object) -> Path:
    out = desk.store.with_name(f"{name}-{n}.bundle.db")
    bundling.make(desk.store, out, BundleOptions(name, n, **more))  # type: ignore[arg-type]
    return out


def work(path: Path, who: str, n: int = 99) -> int:
    """Rank up to n tasks; return how many there were."""
    with Desk(path, who) as seat:
        for done in range(n):
            view = seat.next_task()
            if view is None:
                return done
            seat.submit(view, Answer(tiers=tuple((c.uid,) for c in view.candidates), seconds=1.0))
    return n


def test_a_bundle_goes_out_and_comes_back(desk: Cli) -> None:
    out = desk.store.with_name("ana.db")
    ran = desk("bundle", "make", "--labeler", "ana", "-n", 4, "--out", out)
    assert ran.out.strip() == str(out)
    assert out.stat().st_mode & 0o777 == 0o600
    assert Cli(out)("rank", stdin="abcd\nabcd\nabcd\nabcd\n").out.count("Stored: ") == 4
    found = desk("merge", "--json", out).json
    assert found["rankings"] == {"added": 4, "known": 0}
    assert found["conflicts"] == []
    assert backup.listed(desk.store)[0].before == "merge"
    (loan,) = desk("bundle", "list", "--json").json["bundles"]
    assert (loan["labeler"], loan["out"], loan["back"]) == ("ana", 0, 4)
    assert desk("doctor", "--json").json["findings"] == []
    again = desk.run("bundle", "make", "--labeler", "ana", "--out", out)
    assert (again.code, "is already there" in again.err) == (1, True)
    assert desk("merge", "--json", out).json["rankings"] == {"added": 0, "known": 4}


def test_nothing_in_a_bundle_says_where_a_text_came_from(desk: Cli, tmp_path: Path) -> None:
    gold = {"prompt_id": f"{SECRET}-1", "tiers": [[f"{SECRET}-{c}"] for c in "abcd"]}
    desk(
        "assign", "--gold", write_jsonl(tmp_path / "g.jsonl", [gold]), "--batch", "g", "--k-min", 2
    )
    out = make(desk, n=99)
    data = out.read_bytes()
    assert SECRET.encode() in desk.store.read_bytes()
    assert SECRET.encode() not in data
    with closing(sqlite3.connect(desk.store)) as here, closing(sqlite3.connect(out)) as there:
        salts = [
            c.execute("SELECT value FROM setting WHERE key='salt'").fetchone()
            for c in (here, there)
        ]
        application = there.execute("SELECT DISTINCT meta FROM prompt").fetchall()
        roles = there.execute("SELECT DISTINCT role FROM task").fetchall()
        golds = there.execute("SELECT count(*) FROM gold").fetchall()
        overlaps = {n for (n,) in there.execute("SELECT overlap FROM task")}
    assert (roles, golds) == ([("normal",)], [(0,)])
    assert overlaps == {1, 2}  # those of the batches: what goes to everybody does not show
    assert salts[0] != salts[1]
    assert salts[0][0].encode() not in data
    assert application == [('{"application":"a shop"}',)]


def test_its_tasks_are_kept_for_it_alone(desk: Cli) -> None:
    out = make(desk, n=6)
    with pytest.raises(bundling.NothingToDo):
        make(desk, n=5)
    assert work(desk.store, "ana") == 0  # not even at the desk that it was made at
    other = make(desk, "ben", 6)
    assert (work(out, "ana"), work(other, "ben")) == (6, 6)
    report = merging.merge(desk.store, [out, other])
    assert report.came.conflicts == []
    assert not doctor.examine(desk.store).findings


def test_released_places_go_to_others_and_late_labels_are_kept_beside(desk: Cli) -> None:
    desk("assign", "--again", "--batch", "once", "--overlap", 1, "--k-min", 2, "--priority", 9)
    out = make(desk, n=6, batch="once")
    (loan,) = bundling.listed(desk.store)
    assert "6 tasks handed out again" in desk("bundle", "release", loan.bundle).err
    assert desk.run("bundle", "release", loan.bundle).code == 4
    assert "no bundle 'nope'" in desk.run("bundle", "release", "nope").err
    assert work(desk.store, "ben", 6) == 6
    assert work(out, "ana") == 6
    ran = desk("merge", out)
    assert ran.err.count("was answered 2 times where 1 were asked for: all are kept") == 6
    assert doctor.examine(desk.store).problems == 0
    assert "nothing that was not here already" in desk("merge", out).err


def test_time_gives_the_places_back(desk: Cli) -> None:
    make(desk, n=6)
    with closing(sqlite3.connect(desk.store)) as c, c:
        c.execute("UPDATE slot SET expires = 1")
    assert work(desk.store, "ana") == 6


def test_a_bundle_is_for_work_only(desk: Cli, tmp_path: Path) -> None:
    out = make(desk)
    away = Cli(out)
    more = write_jsonl(tmp_path / "more.jsonl", [record("more")])
    for command in (
        ("import", more),
        ("labelers", "add", "eve"),
        ("assign", "--again"),
        ("merge", desk.store),
    ):
        ran = away.run(*command)
        assert (ran.code, "is a bundle" in ran.err) == (1, True), command
    assert "no task is left" in away.run("write", stdin="A text.").err
    assert work(out, "ana") == 3
    assert merging.merge(desk.store, [out]).came.counts["rankings"]["added"] == 3


def test_demonstrations_and_skips_travel_too(desk: Cli) -> None:
    desk("assign", "--kind", "write", "--batch", "texts")
    out = make(desk, n=2, kind="write")
    Cli(out)("write", stdin="The ideal answer.")
    with Desk(out, "ana", "write") as seat:
        view = seat.next_task()
        assert view is not None
        seat.skip(view, "unclear", seconds=1.0)
    found = desk("merge", "--json", out).json
    assert (found["demonstrations"]["added"], found["skips"]["added"]) == (1, 1)
    (loan,) = bundling.listed(desk.store)
    assert (loan.out, loan.back, loan.skipped) == (0, 1, 1)


def test_a_dry_run_changes_nothing(desk: Cli) -> None:
    out = make(desk)
    work(out, "ana")
    before = desk.store.read_bytes()
    ran = desk("merge", "--dry-run", out)
    assert "rankings: 3 added" in ran.err
    assert "dry run: nothing was changed" in ran.err
    assert desk.store.read_bytes() == before
    assert not backup.listed(desk.store)


def test_two_whole_stores(desk: Cli, tmp_path: Path) -> None:
    other = Path(shutil.copyfile(desk.store, tmp_path / "laptop.db"))
    work(desk.store, "ana", 3)
    work(other, "ben", 3)
    Cli(other)(
        "import",
        write_jsonl(tmp_path / "n.jsonl", [record("new", rankings=[ranking("eve", "a>b>c>d")])]),
    )
    found = desk("merge", "--json", other).json
    assert found["rankings"] == {"added": 4, "known": 0}
    assert (found["prompts"]["added"], found["labelers"]["added"]) == (1, 1)
    Cli(other)("merge", desk.store)
    assert Cli(other)(*RECORDS).out_bytes == desk(*RECORDS).out_bytes


def test_what_was_deleted_for_good_does_not_come_back(desk: Cli, tmp_path: Path) -> None:
    out = make(desk, n=6)
    work(out, "ana")
    other = Cli(Path(shutil.copyfile(desk.store, tmp_path / "laptop.db")))
    desk("purge", "--prompt", f"{SECRET}-1", "--yes")
    ran = desk("merge", out, other.store)
    assert ran.err.count("was deleted here for good: left out") == 2
    assert len(desk(*RECORDS).rows) == 5
    assert "was deleted there for good, and is still here" in other("merge", desk.store).err
    assert len(other(*RECORDS).rows) == 6
    assert doctor.examine(desk.store).problems == doctor.examine(other.store).problems == 0


def test_all_files_or_none(desk: Cli, tmp_path: Path) -> None:
    good = make(desk)
    work(good, "ana")
    bad = tmp_path / "bad.db"
    bad.write_bytes(b"")
    before = desk(*RECORDS).out_bytes
    assert desk.run("merge", good, bad).code == 1
    assert desk(*RECORDS).out_bytes == before
    assert not list(tmp_path.glob(".*"))


# -- what is refused -----------------------------------------------------------------------------


def sql(*statements: str) -> Callable[[Path], None]:
    """Change a file behind labelkit's back, triggers put back as they were."""

    def spoil(path: Path) -> None:
        with closing(sqlite3.connect(path)) as c, c:
            triggers = c.execute(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
            ).fetchall()
            for name, _ in triggers:
                c.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                c.execute(statement)
            for _, text in triggers:
                c.execute(text)

    return spoil


TAMPERED = {
    "a text": sql("UPDATE completion SET text = 'I am the best' WHERE id = 1"),
    "a text and its uid": sql(
        "UPDATE completion SET text = 'x', uid = randomblob(16) WHERE id = 1"
    ),
    "a prompt": sql("UPDATE prompt SET messages = replace(messages, 'question', 'order')"),
    "what a prompt is for": sql("UPDATE prompt SET meta = NULL, crc = NULL"),
    "a guideline": sql("UPDATE guideline SET text = text || ' '"),
    "the labeler": sql("UPDATE labeler SET name = 'ben'"),
    "another labeler": sql(
        "INSERT INTO labeler (name, kind, created_at) VALUES ('eve', 'human', '2026-01-01')"
    ),
    "a task less": sql(
        "DELETE FROM slot",
        "DELETE FROM ranking",
        "DELETE FROM task_completion WHERE task_id = 1",
        "DELETE FROM task WHERE id = 1",
    ),
    "the batch": sql(
        "UPDATE batch SET settings = replace(settings, '\"partial\":false', '\"partial\":true')"
    ),
    "a model's name": sql("INSERT INTO completion_source VALUES (1, '', 'm', '{}', NULL)"),
    "the time it is due": sql(
        "UPDATE setting SET value = replace(value, '20', '21') WHERE key = 'bundle'"
    ),
    "the seal": sql(
        "UPDATE setting SET value = replace(value, 'a', 'b') WHERE key = 'bundle_seal'"
    ),
    "that it is a bundle": sql("DELETE FROM setting WHERE key LIKE 'bundle%'"),
    "the project": sql("UPDATE setting SET value = 'ff' WHERE key = 'project'"),
    "a label": sql("UPDATE ranking SET tiers = shown WHERE id = 1"),
    "a label's text": sql("UPDATE ranking SET note = 'x' WHERE id = 1"),
    "a view": sql("CREATE VIEW sneaky AS SELECT 1"),
    "a trigger": sql("CREATE TRIGGER t AFTER INSERT ON ranking BEGIN DELETE FROM prompt; END"),
    "a table in a view's clothes": sql(
        "ALTER TABLE gold RENAME TO gilt", "CREATE VIEW gold AS SELECT * FROM gilt"
    ),
    "a column": sql("ALTER TABLE setting ADD COLUMN more TEXT"),
    "a column that computes": sql("ALTER TABLE labeler ADD COLUMN g TEXT AS (upper(name))"),
    "a virtual table": sql("CREATE VIRTUAL TABLE v USING fts5(x)"),
    "another program's mark": sql("PRAGMA application_id = 7"),
    "a newer version": sql("PRAGMA user_version = 99"),
    "an older version": sql("PRAGMA user_version = 1"),
    "its size": sql(
        "INSERT INTO journal (at, command, detail) VALUES ('', '', hex(zeroblob(3000000)))"
    ),
    "one huge value": sql(
        "INSERT INTO journal (at, command, detail) VALUES ('', '', hex(zeroblob(9000000)))"
    ),
    "WAL mode": lambda path: sqlite3.connect(path).execute("PRAGMA journal_mode=WAL").close(),
    "its length": lambda path: path.write_bytes(path.read_bytes()[:-4096]),
    "its first page": lambda path: path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:]),
    "everything": lambda path: path.write_bytes(b"hello" * 4000),
}


@pytest.mark.parametrize("spoil", TAMPERED.values(), ids=TAMPERED)
def test_a_bundle_that_was_tampered_with_is_refused(
    desk: Cli, spoil: Callable[[Path], None]
) -> None:
    out = make(desk)
    work(out, "ana")
    spoil(out)
    before, there = desk.store.read_bytes(), out.read_bytes()
    ran = desk.run("merge", out)
    assert ran.code == 1, ran.err
    assert str(out) in ran.err
    assert "Traceback" not in ran.err
    assert desk.store.read_bytes() == before
    assert out.read_bytes() == there
    assert not list(out.parent.glob(".*"))
    assert not backup.listed(desk.store)


def forged(path: Path, **change: object) -> None:
    """Add a label with a right uid and a right checksum that the desk would never have made."""
    with closing(core.open_store(path)) as store, store.write() as tx:
        row = (
            tx.exec_driver_sql("SELECT * FROM ranking WHERE task_id IS NOT NULL").mappings().first()
        )
        assert row is not None
        uids = {u.hex(): key for key, u in tx.exec_driver_sql("SELECT id, uid FROM completion")}
        prompt = tx.exec_driver_sql(
            "SELECT hex(uid) FROM prompt WHERE id = ?", (row["prompt_id"],)
        ).scalar_one()
        names = {key: uid for uid, key in uids.items()}
        tiers = tuple((names[k],) for k in json.loads(row["shown"]))
        said = {
            "tiers": tiers,
            "shown": tuple(u for (u,) in tiers),
            "labeler": "ana",
            "batch": "rank-1",
        }
        said |= {
            "guideline": "helpful-honest-harmless@1",
            "seconds": 3.0,
            "submitted_at": "2026-01-01T00:00:00Z",
        }
        keys = {"task": row["task_id"], "labeler": row["labeler_id"]} | {
            k: change.pop(k) for k in ("task", "labeler") if k in change
        }
        if keys["labeler"] is None:
            said["labeler"] = None
        if change.get("tiers") == "fewer":
            change["tiers"] = tiers[:2]
        if change.get("ratings"):
            change["ratings"] = {tiers[0][0]: 99}
        ranking = named(prompt.lower(), Ranking(uid="", **said | change))  # type: ignore[arg-type]
        ids = uids | {"f" * 32: 1}
        common = (
            raw(ranking.uid),
            row["prompt_id"],
            keys["labeler"],
            row["guideline_id"],
            keys["task"],
            ranking.batch,
            ranking.seconds,
            ranking.note or None,
            ranking.submitted_at,
            None,
            ranking.origin,
            0,
        )
        insert_many(
            tx, core.schema.ranking, (*COMMON, *OWN[Ranking]), [common + own_values(ranking, ids)]
        )


FORGED = {
    "a note with NUL": {"note": "a\0b"},
    "by nobody": {"labeler": None, "task": None},
    "to no task": {"task": None},
    "with a rating off the scale": {"ratings": "99"},
    "of another batch": {"batch": "elsewhere"},
    "of no time": {"submitted_at": "soon"},
    "of negative time": {"seconds": -1.0},
    "with an unknown mark": {"marks": ("gorgeous",)},
    "that leaves some out": {"tiers": "fewer"},
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_forged_label_is_refused(desk: Cli, change: dict[str, object]) -> None:
    out = make(desk)
    work(out, "ana", 1)
    forged(out, **change)
    ran = desk.run("merge", out)
    assert (ran.code, "is refused" in ran.err) == (1, True), ran.err


def test_the_forger_can_do_what_the_desk_does(desk: Cli) -> None:
    """Else the tests above would prove nothing."""
    out = make(desk)
    work(out, "ana", 1)
    forged(out)
    assert merging.merge(desk.store, [out]).came.counts["rankings"]["added"] == 2


def test_bundles_and_stores_of_other_projects_are_refused(desk: Cli, tmp_path: Path) -> None:
    other = Cli(tmp_path / "other" / "labelkit.db")
    other("init", other.store)
    assert "another project" in desk.run("merge", other.store).err
    out = make(desk)
    assert "another project" in other.run("merge", out).err
    assert "is the store itself" in desk.run("merge", desk.store).err
    assert "there is no file" in desk.run("merge", tmp_path / "none.db").err


def test_a_bundle_that_was_not_closed_is_not_taken_for_whole(desk: Cli) -> None:
    out = make(desk)
    held = sqlite3.connect(out, isolation_level=None)
    held.execute("PRAGMA cache_size=1")
    held.execute("BEGIN IMMEDIATE")
    held.execute("UPDATE completion SET text = hex(zeroblob(50000))")
    shutil.copyfile(out, copy := out.with_name("copied.db"))
    shutil.copyfile(f"{out}-journal", f"{copy}-journal")
    held.close()
    ran = desk.run("merge", copy)
    assert (ran.code, "was not closed properly" in ran.err) == (1, True)
    Cli(copy)("status")
    assert desk.run("merge", copy).code == 0
