"""Decisions about prompts: recorded, taken back, and followed by assign and export."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from labelkit.errors import NotFound, NothingToDo, UsageError
from labelkit.services import deciding, project
from labelkit.services.desk import Desk
from labelkit.services.importing import import_file
from labelkit.store import core
from labelkit.store.bundles import read_bundles, snapshot

N = 8


def said(n: int = N) -> list[dict[str, Any]]:
    return [
        record(f"q{i}", user=f"u{i % 3}", rankings=[ranking("ana", "a > b > c > d")])
        for i in range(n)
    ]


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    cli("import", write_jsonl(tmp_path / "in.jsonl", said()))
    return cli


def name(i: int) -> str:
    return f"id of q{i}"


def exported(cli: Cli, *more: object) -> list[str]:
    return [
        row["prompt_id"] for row in cli("export", "--format", "prompts", "--out", "-", *more).rows
    ]


def test_an_excluded_prompt_makes_no_row_and_is_counted(filled: Cli, tmp_path: Path) -> None:
    filled("prompts", "exclude", name(1), name(2), "--note", "a test of ours")
    assert set(exported(filled)) == {name(i) for i in range(N)} - {name(1), name(2)}
    for stage in ("rm", "dpo", "kto", "rankings"):
        out = tmp_path / stage
        ran = filled("export", "--format", stage, "--out", out, "--json")
        assert ran.json["counts"]["excluded"] == 2
        assert "left out: 2 prompts excluded" in ran.err
        filled("verify", out, "--against", filled.store)


def test_records_keep_everything_and_bring_it_back(filled: Cli, tmp_path: Path) -> None:
    records = ("export", "--format", "records", "--out", "-")
    before = filled(*records).rows
    filled("prompts", "exclude", name(1), "--note", "a test of ours")
    filled("prompts", "keep", name(2))
    filled("prompts", "undo", "--prompt", name(2))
    filled("prompts", "tag", "chat", name(3))
    whole = filled(*records)
    assert [r["prompt_id"] for r in whole.rows] == [r["prompt_id"] for r in before]
    (tmp_path / "all.jsonl").write_bytes(whole.out_bytes)
    for path in (tmp_path / "fresh.db", filled.store):
        other = Cli(path)
        if not path.exists():
            other("init")
        told = other("import", tmp_path / "all.jsonl", "--json").json
        assert ("decisions" in told) == (path != filled.store)
        assert other(*records).out_bytes == whole.out_bytes
        assert name(1) not in exported(other)
        assert other("doctor", "--json").json["ok"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"value": "maybe"}, "decisions.0: use is one of: exclude, keep"),
        ({"made_at": "yesterday"}, "decisions.0"),
        ({"aspect": "weather"}, "decisions.0.aspect"),
        ({"run": None}, "decisions.0.run"),
    ],
)
def test_a_bad_decision_in_a_record_is_named(
    cli: Cli, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    good = {"aspect": "use", "value": "keep", "reason": "x", "made_at": "2026-11-20", "run": "1"}
    path = write_jsonl(tmp_path / "in.jsonl", [record() | {"decisions": [good | change]}])
    ran = cli.run("import", path)
    assert (ran.code, f"in.jsonl:1: {told}" in ran.err) == (1, True)


def test_an_excluded_prompt_is_never_handed_out(filled: Cli) -> None:
    filled("prompts", "exclude", name(1))
    made = filled("assign", "--json").json
    assert (made["prompts"], made["excluded_prompts"]) == (N - 1, 1)
    filled("prompts", "exclude", *(name(i) for i in range(N) if i != 3 and i != 1))
    filled("labelers", "add", "zoe")
    with Desk(filled.store, "zoe") as desk:
        view = desk.next_task()
        assert view is not None
        assert view.messages[0].content == "q3"
        assert (view.done, view.total) == (0, 1)
    assert filled("doctor", "--json").json["ok"]
    assert {row["state"] for row in filled("tasks", "list", "--json").json["tasks"]} == {
        "open",
        "excluded",
    }


def test_tasks_come_back_with_their_prompt(filled: Cli) -> None:
    filled("assign")
    run = filled("prompts", "exclude", name(1), "--json").json["run"]
    filled("prompts", "undo", run)
    states = [row["state"] for row in filled("tasks", "list", "--json").json["tasks"]]
    assert states == ["open"] * N


def test_a_task_set_aside_stays_so(filled: Cli) -> None:
    filled("assign")
    shown = filled("prompts", "show", name(1), "--json").json
    task = shown["tasks"][0]["task"]
    filled("tasks", "set-aside", task)
    filled("prompts", "exclude", name(1))
    filled("tasks", "release", task)
    states = {row["task"]: row["state"] for row in filled("tasks", "list", "--json").json["tasks"]}
    assert states[task] == "excluded"
    filled("prompts", "undo", "--prompt", name(1))
    states = {row["task"]: row["state"] for row in filled("tasks", "list", "--json").json["tasks"]}
    assert states[task] == "open"


def test_gold_may_not_be_excluded(filled: Cli, tmp_path: Path) -> None:
    filled("prompts", "exclude", name(1))
    gold = write_jsonl(tmp_path / "gold.jsonl", [{"prompt_id": name(1), "tiers": [["a"], ["b"]]}])
    ran = filled.run("assign", "--gold", gold)
    assert ran.code == 1
    assert "gold.jsonl:1: the prompt is excluded" in ran.err


def test_what_holds_already_is_not_said_again(filled: Cli) -> None:
    filled("prompts", "exclude", name(1))
    ran = filled.run("prompts", "exclude", name(1))
    assert (ran.code, "that held already" in ran.err) == (4, True)
    both = filled("prompts", "exclude", name(1), name(2), "--json").json
    assert (both["decided"], both["known"]) == (1, 1)


def test_a_dry_run_decides_nothing(filled: Cli) -> None:
    before = filled.store.read_bytes()
    ran = filled("prompts", "exclude", name(1), "--dry-run")
    assert "would be: 1 prompt excluded" in ran.err
    assert filled.store.read_bytes() == before


def test_the_log_and_undo_by_run(filled: Cli) -> None:
    run = filled("prompts", "exclude", name(1), name(2), "--by", "lea", "--json").json["run"]
    filled("prompts", "keep", name(2))
    (keep, excluded) = filled("prompts", "log", "--json").json["runs"]
    assert (keep["value"], keep["prompts"], keep["in_force"]) == ("keep", 1, 1)
    assert (excluded["by"], excluded["prompts"], excluded["in_force"]) == ("lea", 2, 1)
    undone = filled("prompts", "undo", run, "--json").json
    assert (undone["decided"], undone["decided_again_since"]) == (1, 1)
    assert len(exported(filled)) == N
    again = filled("prompts", "undo", undone["run"], "--json").json
    assert again["decided"] == 1
    assert name(1) not in exported(filled)


def test_undoing_one_prompt_goes_back_step_by_step(filled: Cli) -> None:
    for command in ("exclude", "keep", "exclude"):
        filled("prompts", command, name(1))

    def state() -> tuple[bool, bool]:
        found = filled("prompts", "show", name(1), "--json").json
        return found["state"] == "kept", found["state"] == "excluded: by hand"

    states = [state()]
    for _ in range(3):
        filled("prompts", "undo", "--prompt", name(1))
        states.append(state())
    assert states == [(False, True), (True, False), (False, True), (False, False)]
    assert filled.run("prompts", "undo", "--prompt", name(1)).code == 4
    assert filled("doctor", "--json").json["ok"]


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("undo",), 2, "labelkit prompts log"),
        (("undo", "nothing"), 1, "there is no run"),
        (("undo", "--prompt", name(0)), 4, "nothing that was decided"),
        (("exclude",), 2, "name the prompts"),
        (("exclude", "nobody"), 1, "there is no prompt 'nobody'"),
        (("show", "nobody"), 1, "there is no prompt 'nobody'"),
    ],
)
def test_failures_say_a_way_on(filled: Cli, args: tuple[str, ...], code: int, told: str) -> None:
    ran = filled.run("prompts", *args)
    assert ran.code == code
    assert told in ran.err


def test_ids_come_from_stdin(filled: Cli) -> None:
    ids = filled("prompts", "list", "--user", "u1", "--ids").out
    assert len(ids.split()) == len([i for i in range(N) if i % 3 == 1])
    filled("prompts", "exclude", "-", stdin=ids)
    listed = filled("prompts", "list", "--excluded", "--json").json["prompts"]
    assert {p["user"] for p in listed} == {"u1"}
    assert filled("prompts", "list", "--used", "--ids").out.split() == [
        p["uid"] for p in filled("prompts", "list", "--json").json["prompts"] if p["user"] != "u1"
    ]


def test_one_name_for_two_prompts_is_refused(cli: Cli, tmp_path: Path) -> None:
    both = [record("first"), record("second")]
    for each in both:
        each["prompt_id"] = "same"
    cli("import", write_jsonl(tmp_path / "in.jsonl", both))
    ran = cli.run("prompts", "show", "same")
    assert (ran.code, "more than one prompt" in ran.err) == (2, True)


def test_an_export_does_not_see_later_decisions(filled: Cli) -> None:
    store = core.open_store(filled.store)
    with store.read() as tx:
        view = snapshot(tx)
    deciding.exclude(filled.store, [name(1)])
    seen = {b.prompt.name: b.prompt.decisions for b in read_bundles(store, view)}
    assert not any(seen.values())
    assert any(b.prompt.decisions for b in read_bundles(store))
    store.close()


def test_twins_of_an_excluded_prompt_are_used(cli: Cli, tmp_path: Path) -> None:
    same = [record("the same", split="train"), record("The  SAME", split="test")]
    cli("import", write_jsonl(tmp_path / "in.jsonl", same))
    counts = cli("export", "--format", "prompts", "--out", tmp_path / "a", "--json").json["counts"]
    assert (counts["twins"], counts["prompts"]) == (1, 1)
    for i, text in enumerate(("the same", "The  SAME")):
        run = cli("prompts", "exclude", f"id of {text}", "--json").json["run"]
        out = cli("export", "--format", "prompts", "--out", tmp_path / f"b{i}", "--json").json
        assert (out["counts"]["twins"], out["counts"]["prompts"]) == (0, 1)
        cli("prompts", "undo", run)


def test_decisions_travel_with_a_merge(filled: Cli, tmp_path: Path) -> None:
    filled("assign")
    other = Cli(tmp_path / "other.db")
    shutil.copyfile(filled.store, other.store)
    other.store.chmod(0o600)
    other("prompts", "exclude", name(1), name(2))
    filled("prompts", "exclude", name(2))
    filled("prompts", "undo", "--prompt", name(2))
    filled("prompts", "exclude", name(3))
    for here, there in ((filled, other), (other, filled)):
        assert here("merge", there.store, "--json").json["decisions"]["added"] > 0
        assert here("merge", there.store, "--json").json["decisions"]["added"] == 0
        assert here("doctor", "--json").json["ok"]
    listed = ("prompts", "list", "--excluded", "--json")
    assert filled(*listed).out == other(*listed).out
    states = ("tasks", "list", "--json")
    assert sorted(t["state"] for t in filled(*states).json["tasks"]) == sorted(
        t["state"] for t in other(*states).json["tasks"]
    )


def test_a_damaged_decision_is_found(filled: Cli) -> None:
    filled("prompts", "exclude", name(1))
    with sqlite3.connect(filled.store) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="never changed or deleted"):
            connection.execute("UPDATE decision SET value = 'keep'")
        trigger = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'decision_no_update'"
        ).fetchone()[0]
        connection.execute("DROP TRIGGER decision_no_update")
        connection.execute("UPDATE decision SET value = 'keep'")
        connection.execute(trigger)
    ran = filled.run("doctor", "--json")
    assert (ran.code, ran.json["ok"]) == (3, False)
    assert "was changed" in ran.out


# -- a decision and its undo: nothing happened ---------------------------------------------------

moves = st.lists(
    st.tuples(
        st.sampled_from(["exclude", "keep", "split", "use_case", "pii"]), st.sets(st.integers(0, 4))
    ),
    max_size=5,
)


def make(path: Path, move: str, prompts: set[int]) -> str | None:
    names = [name(i) for i in sorted(prompts)]
    how: dict[str, tuple[str, str]] = {
        "exclude": ("use", "exclude"),
        "keep": ("use", "keep"),
        "split": ("split", "test"),
        "use_case": ("use_case", "chat"),
        "pii": ("pii", "cleared"),
    }
    try:
        return deciding.by_name(path, names, *how[move]).id
    except (NothingToDo, UsageError):
        return None


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("base") / "labelkit.db"
    project.init(path, write_settings=False)
    import_file(path, str(write_jsonl(path.with_suffix(".jsonl"), said(5))))
    return path


@settings(max_examples=30, phases=[Phase.generate])
@given(before=moves, after=moves)
def test_a_decision_and_its_undo_leave_no_trace_in_exports(
    base: Path, tmp_path: Path, before: Any, after: Any
) -> None:
    path = tmp_path / "x.db"
    shutil.copyfile(base, path)
    path.chmod(0o600)
    cli = Cli(path)
    for move in before:
        make(path, *move)
    first = look(cli, tmp_path / "one")
    made = [run for move in after if (run := make(path, *move))]
    for run in reversed(made):
        deciding.undo(path, [run])
    assert look(cli, tmp_path / "two") == first


def look(cli: Cli, out: Path) -> Any:
    ran = cli.run("export", "--format", "prompts", "--out", out, "--json")
    listed = cli("prompts", "list", "--json").json
    manifest = ran.json if ran.code == 0 else ran.code
    files = {p.name: p.read_bytes() for p in out.glob("*.jsonl")} if ran.code == 0 else {}
    for path in out.glob("*"):
        path.unlink()
    return manifest, files, listed


def test_undo_of_an_unknown_run_raises(store_path: Path) -> None:
    with pytest.raises(NotFound):
        deciding.undo(store_path, ["0"])
