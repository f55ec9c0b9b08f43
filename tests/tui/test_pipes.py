"""Answers through a pipe: line mode and JSONL, end to end, from the command line to the export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, record, write_jsonl


@pytest.fixture
def desk(cli: Cli, tmp_path: Path) -> Cli:
    """Three prompts of four completions, and a labeler."""
    rows = [record(f"question {i}") for i in range(3)]
    cli("import", write_jsonl(tmp_path / "in.jsonl", rows))
    cli("labelers", "add", "ana")
    return cli


def rankings(cli: Cli) -> list[Any]:
    rows = cli("export", "--format", "records", "--out", "-").rows
    return [ranking for row in rows for ranking in row["rankings"]]


def test_orders_through_a_pipe(desk: Cli) -> None:
    ran = desk("rank", "--as", "ana", stdin="C > A = B > D\nca=bd\nd>c>b>a\n")
    assert ran.out.count("Stored: ") == 3
    assert "No task is left. You ranked 3 tasks." in ran.out
    found = rankings(desk)
    assert sorted(len(r["tiers"]) for r in found) == [3, 3, 4]
    for ranking in found:
        assert ranking["labeler"] == "ana"
        assert len(ranking["shown"]) == 4


def test_end_of_input_keeps_the_draft(desk: Cli) -> None:
    first = desk.run("rank", "--as", "ana", stdin="r A 6\nm A hallucination\nn B why, not\n")
    assert first.code == 4
    assert "end of input" in first.err
    again = desk.run("rank", "--as", "ana", stdin="status\na>b>c>d\nquit\n")
    assert again.code == 0
    assert "Going on where you left off:" in again.out
    assert "A: 6 of 7, very good; hallucination" in again.out
    (ranking,) = rankings(desk)
    letters = dict(zip("ABCD", ranking["shown"], strict=True))
    assert ranking["ratings"] == {letters["A"]: 6}
    assert ranking["flags"] == {letters["A"]: ["hallucination"]}
    assert ranking["notes"] == {letters["B"]: "why, not"}


def test_nothing_to_do_is_an_exit_code(desk: Cli) -> None:
    desk("rank", "--as", "ana", stdin="abcd\nabcd\nabcd\n")
    ran = desk.run("rank", "--as", "ana", stdin="abcd\n")
    assert (ran.code, "no task is left for 'ana'" in ran.err) == (4, True)


def test_jsonl_one_answer_after_the_other(desk: Cli) -> None:
    """Handles do not depend on the run, so a first pass may read them and a second answer."""
    code, events = jsonl(desk, [])
    (task,) = events
    assert code == 4
    assert task["event"] == "task"
    assert [c["letter"] for c in task["completions"]] == list("ABCD")
    answer = {
        "task": task["task"],
        "order": "C>A=B>D",
        "ratings": {"a": 6},
        "flags": {"B": ["hallucination"]},
        "note": "fine",
    }
    code, events = jsonl(desk, [{"task": task["task"], "order": "C>A"}, answer])
    assert [e["event"] for e in events] == ["task", "error", "stored", "task"]
    assert events[1]["error"].startswith("completion B, D is not placed")
    (ranking,) = rankings(desk)
    letters = dict(zip("ABCD", ranking["shown"], strict=True))
    assert ranking["tiers"][0] == [letters["C"]]
    assert ranking["ratings"] == {letters["A"]: 6}
    assert ranking["flags"] == {letters["B"]: ["hallucination"]}
    assert ranking["note"] == "fine"
    assert desk("status", "--json").json["rankings"] == 1


def jsonl(desk: Cli, answers: list[Any]) -> tuple[int, list[Any]]:
    text = "".join(json.dumps(a) + "\n" for a in answers)
    ran = desk.run("rank", "--as", "ana", "--jsonl", stdin=text)
    return ran.code, ran.rows


def test_a_demonstration_through_a_pipe(desk: Cli) -> None:
    ran = desk("write", "--as", "ana", stdin="First line\n\n  and [brackets]\n")
    assert "Stored: 4 words." in ran.out
    rows = desk("export", "--format", "records", "--out", "-").rows
    texts = [d["text"] for row in rows for d in row["demonstrations"]]
    assert texts == ["First line\n\n  and [brackets]"]
