"""Moments, lengths, columns, use cases, template tokens: small tables of known cases."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from labelkit.domain.columns import CHAT, FLAG, NUMBER, TEXT, WHOLE, mismatch, row_mismatch
from labelkit.domain.lengths import estimated_tokens, summary, words
from labelkit.domain.models import Decision, Message, Prompt
from labelkit.domain.splits import SplitPlan, is_training, parse_plan, split_key
from labelkit.domain.template_tokens import has_template_tokens
from labelkit.domain.times import normalise, now_text, utc_text
from labelkit.domain.use_cases import PAPER, beside_paper, tag_of
from labelkit.domain.withheld import withheld

# -- moments ---------------------------------------------------------------------------------------


def test_moments_are_utc() -> None:
    paris = datetime(2026, 11, 20, 11, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert utc_text(paris) == "2026-11-20T10:00:00.000005Z"
    assert utc_text(datetime(2026, 11, 20, 10)) == "2026-11-20T10:00:00Z"  # noqa: DTZ001
    assert normalise("2026-11-20") == "2026-11-20T00:00:00Z"
    with pytest.raises(ValueError, match="yesterday"):
        normalise("yesterday")
    assert abs(datetime.fromisoformat(now_text()) - datetime.now(UTC)) < timedelta(minutes=1)


# -- lengths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        ("one", 1),
        ("It isn't - far.", 4),
        ("潮の満ち引き。", 6),
        ("月 is moon", 3),
        ("月と sun!", 3),
        ("月。", 1),
    ],
)
def test_words(text: str, n: int) -> None:
    assert words(text) == n


@pytest.mark.parametrize(("text", "n"), [("", 0), ("a", 1), ("four", 1), ("fives", 2), ("日本", 2)])
def test_tokens_are_four_bytes_each(text: str, n: int) -> None:
    assert estimated_tokens(text) == n


def test_a_summary_has_nearest_rank_percentiles() -> None:
    hundred = Counter(dict.fromkeys(range(1, 101), 1))
    found = summary(hundred, "tokens")
    assert found == {
        "unit": "tokens",
        "p50": 50,
        "p90": 90,
        "p99": 99,
        "max": 100,
        "over": {"1024": 0, "2048": 0, "4096": 0},
    }
    few = summary(Counter({4097: 1, 1024: 1, 1025: 2}), "words")
    assert few == {
        "unit": "words",
        "p50": 1025,
        "p90": 4097,
        "p99": 4097,
        "max": 4097,
        "over": {"1024": 3, "2048": 1, "4096": 1},
    }
    thousand = summary(Counter(dict.fromkeys(range(1, 1001), 1)), "words")
    assert thousand is not None
    assert (thousand["p50"], thousand["p90"], thousand["p99"]) == (500, 900, 990)
    assert summary(Counter(), "words") is None


# -- columns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "type_", "found"),
    [
        ("x", TEXT, None),
        (1, WHOLE, None),
        (1.5, NUMBER, None),
        (True, FLAG, None),
        (True, WHOLE, "k: is bool, not int64"),
        (1, NUMBER, "k: is int, not float64"),
        (None, TEXT, "k: is null"),
        (["x", "y"], [TEXT], None),
        (["x", 3], [TEXT], "k.1: is int, not string"),
        ("x", [TEXT], "k: is str, not a list"),
        ([{"role": "user", "content": "Hi"}], CHAT, None),
        ([{"role": "user", "content": 1}], CHAT, "k.0.content: is int, not string"),
        (
            [{"content": "Hi", "role": "user"}],
            CHAT,
            "k.0: has keys content, role, not role, content",
        ),
        (["user"], CHAT, "k.0: is str, not an object"),
    ],
)
def test_a_value_is_of_its_type_or_said_to_be_another(value: Any, type_: Any, found: Any) -> None:
    assert mismatch(value, type_, "k") == found


def test_a_row_has_the_columns_declared_in_their_order() -> None:
    columns = {"a": TEXT, "b": WHOLE}
    assert row_mismatch({"a": "x", "b": 1}, columns) is None
    assert row_mismatch({"b": 1, "a": "x"}, columns) == "row: has keys b, a, not a, b"
    assert row_mismatch({"a": "x", "b": "y"}, columns) == "b: is str, not int64"
    assert row_mismatch([], columns) == "row: is list, not an object"


# -- use cases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Open QA", "open_qa"),
        (" Closed - QA ", "closed_qa"),
        ("qa_open", "open_qa"),
        ("QA closed", "closed_qa"),
        ("Summarisation", "summarization"),
        ("code  review", "code_review"),
    ],
)
def test_use_cases_have_one_spelling(text: str, tag: str) -> None:
    assert tag_of(text) == tag


def test_use_cases_beside_the_papers() -> None:
    found = beside_paper({"chat": 3, "code": 1, "art": 4, "": 2})
    assert [row["use_case"] for row in found] == [*PAPER, "art", "code", None]
    rows = {row["use_case"]: row for row in found}
    assert rows["chat"] == {"use_case": "chat", "prompts": 3, "share": 3 / 8, "paper": 0.084}
    assert rows["rewrite"] == {"use_case": "rewrite", "prompts": 0, "share": 0.0, "paper": 0.066}
    assert rows["art"] == {"use_case": "art", "prompts": 4, "share": 0.5, "paper": None}
    assert rows[None] == {"use_case": None, "prompts": 2, "share": None, "paper": None}
    nothing = beside_paper({})
    assert {row["share"] for row in nothing} == {None}
    assert len(nothing) == len(PAPER)


# -- template tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    ["<|im_end|>", "<|eot_id|>", "<｜User｜>", "<s>", "</s>", "<bos>", "<pad>", "[INST]", "[/INST]",
     "<<SYS>>", "<</SYS>>", "<start_of_turn>", "<end_of_turn>"],
)  # fmt: skip
def test_a_templates_tokens_are_found(token: str) -> None:
    assert has_template_tokens(f"Sure.{token}\n")


@pytest.mark.parametrize("text", ["", "plain", "a < b", "[1]", "<b>bold</b>", "<| |>", "[inst]"])
def test_honest_text_has_none(text: str) -> None:
    assert not has_template_tokens(text)


# -- what is withheld ------------------------------------------------------------------------------

MAIL = (Message("user", "Write to jane@mail.example.org, please."),)


def decided(aspect: str, value: str) -> tuple[Decision, ...]:
    return (Decision(aspect=aspect, value=value, reason="", made_at="", run=""),)


@pytest.mark.parametrize(
    ("prompt", "split", "why"),
    [
        (Prompt("p", (Message("user", "Hi"),)), "train", None),
        (Prompt("p", MAIL), "train", "undecided_pii"),
        (Prompt("p", MAIL), "valid", None),
        (Prompt("p", MAIL, decisions=decided("pii", "cleared")), "train", None),
        (Prompt("p", MAIL, decisions=decided("use", "keep")), "train", None),
        (Prompt("p", MAIL, decisions=decided("use", "exclude")), "valid", "excluded"),
    ],
)
def test_why_a_prompt_is_left_out(prompt: Prompt, split: str, why: str | None) -> None:
    assert withheld(prompt, split) == why


def test_personal_data_may_be_allowed_but_not_what_was_excluded() -> None:
    assert withheld(Prompt("p", MAIL), "train", allow_pii=True) is None
    excluded = Prompt("p", MAIL, decisions=decided("use", "exclude"))
    assert withheld(excluded, "train", allow_pii=True) == "excluded"


# -- splits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("train", True),
        ("Train_2", True),
        ("VALID", False),
        ("held-out", False),
        ("hold_out", False),
    ],
)
def test_models_learn_from_what_is_not_held_out(name: str, training: bool) -> None:
    assert is_training(name) is training


def test_a_plan_is_read_as_written() -> None:
    plan = parse_plan(" train=3, valid=1", "s")
    assert plan == SplitPlan((("train", 0.75), ("valid", 0.25)), "s")
    assert (plan.text, plan.names) == (" train=3, valid=1", ["train", "valid"])
    assert parse_plan("a=1").seed == ""


def test_what_must_stay_together() -> None:
    one, other = (Prompt("p", (Message("user", text),)) for text in ("Hi there", "hi  THERE\n"))
    assert split_key(one) == split_key(other)
    assert split_key(one).startswith("prompt:")
    assert split_key(Prompt("p", (), user="u1")) == "user:u1"
