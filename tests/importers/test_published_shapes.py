"""Rows in the shapes of published preference sets: who won, who tied, and what was asked.

The shapes are from the sets' cards; the texts are ours. In each row `good` beats `bad`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, write_jsonl

Row = dict[str, Any]


def user(text: str) -> Row:
    return {"role": "user", "content": text}


def assistant(text: str) -> Row:
    return {"role": "assistant", "content": text}


def system(text: str) -> Row:
    return {"role": "system", "content": text}


def imported(cli: Cli, path: Path, *options: str) -> tuple[list[Row], Row]:
    """What an import added, as records in the order of their prompts, and its report."""
    report = cli("import", path, *options, "--json").json
    assert report["rejected"] == 0
    rows = cli("export", "--format", "records", "--labelers", "all", "--out", "-").rows
    assert rows
    return sorted(rows, key=lambda row: str(row["prompt"])), report


def orders(row: Row) -> list[list[list[str]]]:
    """A record's rankings, in texts."""
    texts = {each["id"]: each["text"] for each in row["completions"]}
    return [[sorted(texts[c] for c in tier) for tier in each["tiers"]] for each in row["rankings"]]


WON = [[["good"], ["bad"]]]
PAIRS: dict[str, tuple[Row, Any]] = {
    "orca_dpo_pairs": (
        {"system": "Be brief.", "question": "Why?", "chosen": "good", "rejected": "bad"},
        [system("Be brief."), user("Why?")],
    ),
    "full-hh-rlhf": (
        {
            "prompt": "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Why?\n\nAssistant:",
            "response": " good",
            "chosen": " good",
            "rejected": " bad",
        },
        [user("Hi"), assistant("Yes?"), user("Why?")],
    ),
    "a transcript beside its prompt": (
        {
            "prompt": "\n\nHuman: Why?\n\nAssistant:",
            "chosen": "\n\nHuman: Why?\n\nAssistant: good",
            "rejected": "\n\nHuman: Why?\n\nAssistant: bad",
        },
        "Why?",
    ),
    "ultrafeedback_binarized": (
        {
            "prompt": "Why?",
            "prompt_id": "f0",
            "chosen": [user("Why?"), assistant("good")],
            "rejected": [user("Why?"), assistant("bad")],
            "messages": [user("Why?"), assistant("good")],
            "score_chosen": 8.5,
            "score_rejected": 7.5,
        },
        "Why?",
    ),
    "Magpie-DPO": (
        {
            "uuid": "u1",
            "instruction": "Why?",
            "chosen": [user("Why?"), assistant("good")],
            "rejected": [user("Why?"), assistant("bad")],
        },
        "Why?",
    ),
    "capybara": (
        {
            "prompt": "Why?",
            "chosen": [user("Hi"), assistant("Yes?"), user("Why?"), assistant("good")],
            "rejected": [user("Hi"), assistant("Yes?"), user("Why?"), assistant("bad")],
        },
        [user("Hi"), assistant("Yes?"), user("Why?")],
    ),
    "conversations with a system column": (
        {
            "system": "Be brief.",
            "chosen": [user("Why?"), assistant("good")],
            "rejected": [user("Why?"), assistant("bad")],
        },
        [system("Be brief."), user("Why?")],
    ),
    "answers with a system column": (
        {
            "system": "Be brief.",
            "prompt": [user("Why?")],
            "chosen": [assistant("good")],
            "rejected": [assistant("bad")],
        },
        [system("Be brief."), user("Why?")],
    ),
    "a prompt that alone has the system message": (
        {
            "prompt": [system("Be brief."), user("Why?")],
            "chosen": [user("Why?"), assistant("good")],
            "rejected": [user("Why?"), assistant("bad")],
        },
        [system("Be brief."), user("Why?")],
    ),
    "answers of several turns": (
        {
            "prompt": [user("Hi")],
            "chosen": [assistant("Yes?"), user("Why?"), assistant("good")],
            "rejected": [assistant("Yes?"), user("Why?"), assistant("bad")],
        },
        [user("Hi"), assistant("Yes?"), user("Why?")],
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_keep_the_winner_and_all_that_was_asked(cli: Cli, tmp_path: Path, name: str) -> None:
    row, prompt = PAIRS[name]
    ((record,), report) = imported(cli, write_jsonl(tmp_path / "a.jsonl", [row]))
    assert report["format"] == "pairs"
    assert orders(record) == WON
    assert record["prompt"] == prompt
    assert {"field prompt", "field system"}.isdisjoint(report.get("lost", {}))


def test_a_prompt_that_the_conversations_do_not_hold_is_told(cli: Cli, tmp_path: Path) -> None:
    sides = {key: [user("Why?"), assistant(key)] for key in ("chosen", "rejected")}
    rows = [{"prompt": "<|user|>Why?", **sides}, {"system": "B", "prompt": "Why?", **sides}]
    rows[1] |= {key: [system("A"), *side] for key, side in sides.items()}
    _, report = imported(cli, write_jsonl(tmp_path / "a.jsonl", rows))
    assert report["lost"] == {"field prompt": 1, "field system": 1}


def test_scores_that_contradict_the_choice_are_told(cli: Cli, tmp_path: Path) -> None:
    columns = [("score_chosen", "score_rejected"), ("chosen-rating", "rejected-rating")]
    rows = [
        {"prompt": "Why?", "chosen": f"g{n}", "rejected": "bad", better: n, worse: 7}
        for better, worse in columns
        for n in (6, 7, 8.5)
    ]
    _, report = imported(cli, write_jsonl(tmp_path / "a.jsonl", rows))
    for better, _ in columns:
        assert report["lost"][f"{better} that is lower than for rejected"] == 1
        assert report["lost"][f"{better} that is the same for rejected"] == 1
