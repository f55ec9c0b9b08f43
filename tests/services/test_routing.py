"""Who is handed what, how often, and who never is."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, record, write_jsonl

from labelkit.domain.tasks import Answer, TaskView
from labelkit.errors import InputError, LeaseLost, NotFound, UsageError
from labelkit.services.desk import Desk

PEOPLE = ("ana", "ben", "chloe")


@pytest.fixture
def project(cli: Cli, tmp_path: Path) -> Cli:
    """Twelve prompts of four completions, three labelers."""
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record(f"q{i}") for i in range(12)]))
    for name in PEOPLE:
        cli("labelers", "add", name)
    return cli


def desk(cli: Cli, name: str, **options: Any) -> Desk:
    return Desk(cli.store, name, **options)


def answer(view: TaskView) -> Answer:
    return Answer(tiers=tuple((c.uid,) for c in view.candidates), seconds=5.0)


def work(cli: Cli, name: str, n: int = 1000, **options: Any) -> list[TaskView]:
    """Rank up to `n` tasks as `name`, and return them."""
    done: list[TaskView] = []
    with desk(cli, name, **options) as place:
        while len(done) < n and (view := place.next_task()) is not None:
            place.submit(view, answer(view))
            done.append(view)
    return done


def tasks_of(views: list[TaskView]) -> list[str]:
    return [view.task for view in views]


def test_overlap_is_kept_and_nobody_gets_a_task_twice(project: Cli) -> None:
    project("assign", "--overlap", 2)
    done = {name: work(project, name) for name in PEOPLE}
    counts = Counter(task for views in done.values() for task in tasks_of(views))
    assert len(counts) == 12
    assert set(counts.values()) == {2}
    for views in done.values():
        assert len(set(tasks_of(views))) == len(views)


def test_the_order_is_stable_for_one_and_differs_between_two(project: Cli) -> None:
    project("assign", "--overlap", 3)
    orders = [tasks_of(work(project, name)) for name in PEOPLE]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert len({tuple(order) for order in orders}) == 3


def test_letters_are_shuffled_between_labelers_and_stay_for_one(project: Cli) -> None:
    project("assign", "--overlap", 3)
    shown: dict[str, dict[str, list[str]]] = {}
    for name in PEOPLE:
        with desk(project, name) as place:
            first = place.next_task()
            again = place.next_task()
            assert first is not None
            assert again is not None
            assert (first.task, first.candidates) == (again.task, again.candidates)
        shown[name] = {v.task: [c.uid for c in v.candidates] for v in work(project, name)}
    differing = [t for t, order in shown["ana"].items() if shown["ben"][t] != order]
    assert len(differing) > 6


def test_named_labelers_and_cohorts(project: Cli) -> None:
    project("labelers", "add", "dora", "--cohort", "trusted")
    project("assign", "--to", "ana", "--cohort", "trusted", "--limit", 4, "--overlap", 2)
    project("labelers", "add", "emil", "--cohort", "trusted")
    assert work(project, "ben") == []
    assert len(work(project, "ana", 2)) == 2
    assert len(work(project, "dora", 3)) == 3
    assert len(work(project, "emil")) >= 2


def test_priority_goes_first(project: Cli) -> None:
    project("assign", "--limit", 4, "--batch", "later")
    project("assign", "--limit", 4, "--batch", "first", "--priority", 5)
    assert [view.batch for view in work(project, "ana")] == ["first"] * 4 + ["later"] * 4


def test_one_batch_only(project: Cli) -> None:
    project("assign", "--limit", 4, "--batch", "one")
    project("assign", "--limit", 4, "--batch", "two")
    assert {view.batch for view in work(project, "ana", batch="two")} == {"two"}
    with pytest.raises(NotFound, match="there is no batch 'three'"):
        desk(project, "ana", batch="three")


def test_calibration_goes_to_everybody(project: Cli) -> None:
    made = project("assign", "--calibration", 0.25, "--json").json
    assert (made["tasks"], made["calibration"], made["slots"]) == (12, 3, 9)
    done = {name: tasks_of(work(project, name)) for name in PEOPLE}
    counts = Counter(task for tasks in done.values() for task in tasks)
    assert sorted(counts.values()) == [1] * 9 + [3] * 3


def test_repeats_come_back_later_in_another_order(project: Cli) -> None:
    project("assign", "--repeat", 1, "--overlap", 2)
    views = work(project, "ana")
    assert Counter(tasks_of(views)).most_common()[0][1] == 2
    first: dict[str, int] = {}
    for i, view in enumerate(views):
        if view.task in first:
            assert i - first[view.task] > 3
            assert view.round == 1
        first.setdefault(view.task, i)
    pairs = [(v, w) for v in views for w in views if v.task == w.task and v.round < w.round]
    assert len(pairs) >= 8
    assert all(v.handle != w.handle for v, w in pairs)
    assert any(v.candidates != w.candidates for v, w in pairs)
    rows = project("export", "--format", "records", "--out", "-").rows
    repeats = [r.get("repeat", False) for row in rows for r in row["rankings"]]
    assert sum(repeats) == len(pairs)
    assert len(work(project, "ben")) > 0, "repeats take nobody else's place"


def test_gold_goes_to_everybody_and_is_stored(project: Cli, tmp_path: Path) -> None:
    gold = [
        {"prompt_id": "id of q3", "tiers": [["c"], ["a", "b"]], "note": "c is right"},
        {"prompt": "q5", "tiers": [["d"], ["a"]]},
    ]
    made = project("assign", "--gold", write_jsonl(tmp_path / "gold.jsonl", gold), "--json").json
    assert (made["gold"], made["tasks"], made["k"]) == (2, 12, {"2": 1, "3": 1, "4": 10})
    for name in PEOPLE:
        views = work(project, name)
        assert sorted(view.k for view in views)[:2] == [2, 3]
        assert not {"gold", "role"} & {f for v in views for f in dir(v) if not f.startswith("_")}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt_id": "nobody", "tiers": [["a"], ["b"]]}, "gold.jsonl:2: prompt_id: no stored"),
        ({"prompt_id": "id of q1", "tiers": [["a"], ["z"]]}, "tiers: the prompt has no completion"),
        ({"prompt_id": "id of q1", "tiers": [["a"], ["a"]]}, "tiers: a completion is named twice"),
        ({"prompt_id": "id of q1", "tiers": [["a"]]}, "tiers: 1 completions"),
        ({"prompt_id": "id of q1", "tiers": "a > b"}, "tiers: not a list of tiers"),
        ({"prompt_id": "id of q1", "prompt": "q1", "tiers": [["a"]]}, "prompt_id: give this or"),
        ({"prompt_id": "id of q1", "tires": [["a"]]}, "tires: there is no such field"),
    ],
)
def test_bad_gold_names_its_line_and_nothing_is_made(
    project: Cli, tmp_path: Path, row: dict[str, Any], said: str
) -> None:
    good = {"prompt_id": "id of q3", "tiers": [["c"], ["a"]]}
    ran = project.run("assign", "--gold", write_jsonl(tmp_path / "gold.jsonl", [good, row]))
    assert ran.code == 1
    assert said in ran.err
    assert "gold.jsonl:2: " in ran.err
    assert project("status", "--json").json["tasks"] == 0


def test_demonstrations_are_ranked_blind_but_never_by_their_author(
    cli: Cli, tmp_path: Path
) -> None:
    written = [{"text": "What ana wrote", "labeler": "ana"}, {"text": "Ben's", "labeler": "ben"}]
    rows = [record(f"q{i}", demonstrations=written[: i % 3]) for i in range(9)]
    cli("import", write_jsonl(tmp_path / "in.jsonl", rows))
    cli("labelers", "add", "chloe")
    cli("assign", "--with-demonstrations", "--overlap", 3)
    assert sorted(view.k for view in work(cli, "chloe")) == [4] * 3 + [5] * 3 + [6] * 3
    assert [view.k for view in work(cli, "ana")] == [4] * 3
    assert sorted(view.k for view in work(cli, "ben")) == [4] * 3 + [5] * 3
    exported = cli("export", "--format", "records", "--out", "-").rows
    models = Counter(c["model"] for row in exported for c in row["completions"])
    assert models["demonstration"] == 9


def test_a_text_that_equals_a_demonstration_is_its_authors_too(cli: Cli, tmp_path: Path) -> None:
    same = {"text": "answer a to q", "labeler": "ana"}
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record("q", demonstrations=[same])]))
    cli("assign")
    assert work(cli, "ana") == []


def test_a_skipped_task_goes_to_somebody_else(project: Cli) -> None:
    project("assign", "--limit", 1)
    with desk(project, "ana") as place:
        view = place.next_task()
        assert view is not None
        place.skip(view, "expertise", seconds=2, origin="screen")
        assert place.next_task() is None
    assert tasks_of(work(project, "ben")) == [view.task]


def test_an_expired_task_goes_to_somebody_else_and_the_late_answer_is_refused(
    project: Cli,
) -> None:
    project("assign", "--limit", 1)
    with desk(project, "ana", lease_seconds=-1) as slow, desk(project, "ben") as quick:
        view = slow.next_task()
        assert view is not None
        slow.save_draft(view, {"kept": True})
        with pytest.raises(LeaseLost):
            slow.submit(view, answer(view))
        other = quick.next_task()
        assert other is not None
        assert other.task == view.task
        with pytest.raises(LeaseLost):
            slow.renew(view)
        quick.submit(other, answer(other))
        with pytest.raises(LeaseLost):
            quick.submit(other, answer(other))
        assert slow.draft(view) == {"kept": True}
    assert project("status", "--json").json["rankings"] == 1


def test_renewing_takes_a_lapsed_task_back_when_nobody_has_it(project: Cli) -> None:
    project("assign", "--limit", 1)
    with desk(project, "ana", lease_seconds=-1) as slow, desk(project, "ben") as other:
        view = slow.next_task()
        assert view is not None
        other_view = other.next_task()
        assert other_view is not None
        other.release(other_view)
        slow._seat = desk(project, "ana")._seat
        slow.renew(view)
        assert other.next_task() is None
        slow.submit(view, answer(view))


def test_the_last_window_wins(project: Cli) -> None:
    project("assign", "--limit", 1)
    with desk(project, "ana") as first, desk(project, "ana") as second:
        one, two = first.next_task(), second.next_task()
        assert one is not None
        assert two is not None
        assert one.task == two.task
        with pytest.raises(LeaseLost):
            first.submit(one, answer(one))
        second.submit(two, answer(two))


def test_an_unclear_task_is_set_aside_and_released(project: Cli) -> None:
    project("assign", "--limit", 1, "--overlap", 3)
    for name in ("ana", "ben"):
        with desk(project, name) as place:
            view = place.next_task()
            assert view is not None
            place.skip(view, "unclear", seconds=1, note=f"{name} wonders", origin="screen")
    assert work(project, "chloe") == []
    (task,) = project("tasks", "list", "--set-aside", "--json").json["tasks"]
    assert (task["state"], task["skips"]) == ("set_aside", {"unclear": 2})
    assert task["notes"] == ["ana wonders", "ben wonders"]
    assert "1 task handed out again" in project("tasks", "release", task["task"][:8]).err
    assert [len(work(project, name)) for name in PEOPLE] == [1, 1, 1]
    assert project.run("tasks", "release", "--all").code == 4
    assert project.run("tasks", "release", "abcdef").code == 1


def test_a_lead_sets_a_task_aside(project: Cli) -> None:
    project("assign", "--limit", 1)
    (task,) = project("tasks", "list", "--json").json["tasks"]
    project("tasks", "set-aside", task["task"])
    assert work(project, "ana") == []


def test_partial_and_unseeded_batches(project: Cli) -> None:
    project("assign", "--partial", "--no-seed", "--limit", 1)
    with desk(project, "ana") as place:
        view = place.next_task()
        assert view is not None
        assert (view.settings.partial, view.settings.seed_ratings) == (True, False)
        uids = [c.uid for c in view.candidates]
        ranking = place.submit(
            view, Answer(tiers=((uids[0],), (uids[2],)), unranked=(uids[1], uids[3]))
        )
    assert set(ranking.unranked) == {uids[1], uids[3]}


@pytest.mark.parametrize(
    "options",
    [("--repeat", "1.5"), ("--calibration", "-1"), ("--k-min", "1"), ("--k-max", "10"),
     ("--kind", "write", "--repeat", "0.1"), ("--kind", "sing")],
)  # fmt: skip
def test_senseless_batches_are_usage_errors(project: Cli, options: tuple[str, ...]) -> None:
    assert project.run("assign", *options).code == 2


def test_strangers_and_the_retired_are_refused(project: Cli) -> None:
    ran = project.run("rank", "--as", "nobody", stdin="")
    assert (ran.code, "try: labelkit labelers add" in ran.err) == (1, True)
    assert project.run("rank", stdin="").code == 2
    with desk(project, "ana") as place, place._store.write() as tx:
        from labelkit.store import people

        people.change(tx, "ana", active=0)
    with pytest.raises(UsageError, match="not active"):
        desk(project, "ana")


def test_revisions_supersede_and_go_back_further(project: Cli) -> None:
    project("assign")
    first, second = work(project, "ana", 2)
    with desk(project, "ana") as place:
        found = place.previous()
        assert found is not None
        view, ranking = found
        assert (view.task, view.candidates) == (second.task, second.candidates)
        turned = Answer(tiers=tuple(reversed(ranking.tiers)))
        revised = place.submit(view, turned)
        assert revised.supersedes == ranking.uid
        again = place.previous()
        assert again is not None
        assert again[1].tiers == turned.tiers
        earlier = place.previous(again[0])
        assert earlier is not None
        assert earlier[0].task == first.task
        assert place.previous(earlier[0]) is None
        with pytest.raises(InputError):
            place.skip(view, "unclear", seconds=0, origin="screen")
    assert project("status", "--json").json["rankings"] == 2


def test_an_unfinished_revision_comes_first(project: Cli) -> None:
    project("assign")
    (done,) = work(project, "ana", 1)
    with desk(project, "ana") as place:
        found = place.previous()
        assert found is not None
        place.save_draft(found[0], {"begun": 1})
    with desk(project, "ana") as place:
        view = place.next_task()
        assert view is not None
        assert (view.task, view.revises) == (done.task, found[1].uid)
        place.release(view)
        following = place.next_task()
        assert following is not None
        assert following.revises is None


def test_json_of_tasks_is_whole(project: Cli) -> None:
    project("assign", "--limit", 2)
    found = json.loads(project("tasks", "list", "--json").out)
    assert found["schema"] == "labelkit.tasks/1"
    assert len(found["tasks"]) == 2
    lines = project("tasks", "list").out.splitlines()
    assert len(lines) == 3
