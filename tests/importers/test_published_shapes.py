"""Rows in the shapes of published preference sets: who won, who tied, and what was asked.

The shapes are from the sets' cards; the texts are ours. In each row `good` beats `bad`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, write_jsonl
from published import WON, Row, assistant, imported, orders, system, user

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
    "ultrafeedback-binarized-preferences": (
        {
            "instruction": "Why?",
            "chosen_response": "good",
            "rejected_response": "bad",
            "chosen_avg_rating": 5.0,
            "rejected_avg_rating": 3.5,
            "chosen_model": "m",
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


# -- prompts and chats ---------------------------------------------------------------------------


def test_chat_logs_give_the_answer_to_the_model_that_wrote_it(cli: Cli, tmp_path: Path) -> None:
    """WildChat and LMSYS-Chat-1M; without a model it is somebody's demonstration."""
    row = {"conversation_id": "c", "model": "m", "source": "web", "turn": 1}
    turns = [{**user("Why?"), "language": "English"}, assistant("good")]
    path = write_jsonl(tmp_path / "chats.jsonl", [{**row, "conversation": turns}])
    (record,), report = imported(cli, path)
    assert (report["format"], record["prompt"], record["source"]) == ("openai", "Why?", "web")
    assert [(c["text"], c["model"]) for c in record["completions"]] == [("good", "m")]
    assert record["demonstrations"] == []
    nobodys = write_jsonl(tmp_path / "sft.jsonl", [{"messages": [user("Who?"), assistant("She.")]}])
    (who, _), _ = imported(cli, nobodys)
    assert [d["text"] for d in who["demonstrations"]] == ["She."]


def test_turns_as_texts_are_a_conversation(cli: Cli, tmp_path: Path) -> None:
    rows = [{"conversations": ["Why?", "good"], "source": "se"}, {"conversations": ["Who?"]}]
    (who, why), report = imported(cli, write_jsonl(tmp_path / "lima.jsonl", rows))
    assert report["format"] == "sharegpt"
    assert (why["source"], [d["text"] for d in why["demonstrations"]]) == ("se", ["good"])
    assert (who["prompt"], who["demonstrations"]) == ("Who?", [])


def test_an_empty_conversation_is_said_to_be_empty(cli: Cli, tmp_path: Path) -> None:
    rows = [{"conversations": [{"from": "human", "value": "Why?"}]}, {"conversations": []}]
    ran = cli.run("import", write_jsonl(tmp_path / "a.jsonl", rows))
    assert ":2: conversations: is empty" in ran.err


def test_an_instruction_without_an_output_is_a_prompt(cli: Cli, tmp_path: Path) -> None:
    row = {"instruction": "Translate.", "input": "Hello", "system": "Be brief."}
    (record,), report = imported(cli, write_jsonl(tmp_path / "a.jsonl", [row]))
    assert report["format"] == "alpaca"
    assert record["prompt"] == [system("Be brief."), user("Translate.\nHello")]
    compared = {**row, "output_1": "a", "output_2": "b", "preference": 1}
    ran = cli.run("import", write_jsonl(tmp_path / "b.jsonl", [compared]))
    assert "of no format that labelkit knows" in ran.err


# -- tools whose files do not say which fields are completions -----------------------------------


def label_studio(data: Row, selected: str) -> Row:
    value = {"type": "pairwise", "from_name": "p", "value": {"selected": selected}}
    return {"id": 1, "data": data, "annotations": [{"completed_by": 1, "result": [value]}]}


@pytest.mark.parametrize(
    "data",
    [
        {"source": "web", "prompt": "Why?", "answer1": "good", "answer2": "bad", "topic": "x"},
        {"answer_b": "bad", "answer_a": "good", "model_a": "m", "model_b": "n", "prompt": "Why?"},
        {"prompt": "Why?", "answer10": "bad", "answer9": "good"},
        {"prompt": "Why?", "ours": "good", "theirs": "bad"},
    ],
)
def test_label_studio_left_is_the_first_by_number(cli: Cli, tmp_path: Path, data: Row) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [label_studio(data, "left")])
    (record,), _ = imported(cli, path)
    assert orders(record) == WON


def test_label_studio_does_not_guess_between_sets_of_fields(cli: Cli, tmp_path: Path) -> None:
    data = {"prompt": "Why?", "x1": "good", "x2": "bad", "y1": "bad", "y2": "good"}
    ran = cli.run("import", write_jsonl(tmp_path / "a.jsonl", [label_studio(data, "left")]))
    assert "data: are x1, ... or y1, ... the completions?" in ran.err


def test_label_studio_one_other_text_is_no_completion(cli: Cli, tmp_path: Path) -> None:
    row = {"id": 1, "data": {"prompt": "Why?", "source": "web"}, "annotations": []}
    (record,), report = imported(cli, write_jsonl(tmp_path / "a.jsonl", [row]))
    assert record["completions"] == []
    assert report["lost"] == {"field source": 1}


# -- Argilla's label questions -------------------------------------------------------------------

FIELDS = {"prompt": "Why?", "response-1": "good", "response-2": "bad"}


def argilla(fields: Row, **said: Any) -> Row:
    return {
        "id": "r",
        "fields": fields,
        "responses": {q: [{"value": value, "user_id": "u"}] for q, value in said.items()},
    }


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (FIELDS, "response-1"),
        (FIELDS, "Response 1"),
        (FIELDS, "1"),
        (FIELDS, "A"),
        (FIELDS, "left"),
        ({"prompt": "Why?", "chosen": "bad", "rejected": "good"}, "rejected"),
        ({"prompt": "Why?", "model_a": "m", "answer_b": "good", "answer_a": "bad"}, "B"),
    ],
)
def test_argilla_labels_that_name_a_side_are_choices(
    cli: Cli, tmp_path: Path, fields: Row, said: str
) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [argilla(fields, better=said)])
    (record,), _ = imported(cli, path)
    assert orders(record) == WON
    assert record["demonstrations"] == []


@pytest.mark.parametrize(
    ("said", "tiers", "lost"),
    [
        ({"better": "both"}, [[["bad", "good"]]], {}),
        ({"better": "unsure"}, [], {"answers to better": 1}),
        ({"kept": ["response-1"]}, [], {"answers to kept": 1}),
        ({"tags": ["funny", "long"]}, [], {"answers to tags": 1}),
        ({"helpful": "A", "safe": "B"}, WON, {"answers to safe": 1}),
        ({"why": "same", "order": ["response-1", "response-2"]}, WON, {}),
    ],
)
def test_argilla_labels_that_name_no_side_are_told(
    cli: Cli, tmp_path: Path, said: Row, tiers: Any, lost: Row
) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [argilla(FIELDS, **said)])
    (record,), report = imported(cli, path)
    assert orders(record) == tiers
    assert report.get("lost", {}) == lost
    assert record["demonstrations"] == []


def test_argilla_texts_are_still_demonstrations(cli: Cli, tmp_path: Path) -> None:
    long = "Both are wrong: short waves of light scatter more than long ones do."
    rows = [argilla(FIELDS, better=long), argilla({"prompt": "Who?"}, answer="She.")]
    (who, why), _ = imported(cli, write_jsonl(tmp_path / "a.jsonl", rows))
    assert [d["text"] for d in why["demonstrations"]] == [long]
    assert [d["text"] for d in who["demonstrations"]] == ["She."]
    assert orders(why) == []
