"""Decisions: the last word holds, an undo restores what held before, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labelkit.domain.decisions import (
    Standing,
    from_entry,
    heads,
    in_words,
    named,
    origin,
    settled,
    standing,
    to_entry,
    undone,
)
from labelkit.domain.models import Decision, Prompt

NOON = "2026-11-20T12:00:00Z"


def made(aspect: str, value: str | None, uid: str = "", **more: Any) -> Decision:
    said = {"reason": "by hand", "made_at": NOON, "run": "prompts exclude", **more}
    return Decision(uid=uid or f"{aspect}={value}", aspect=aspect, value=value, **said)


def prompt(*decisions: Decision) -> Prompt:
    return Prompt("p", (), split="train", use_case="chat", decisions=decisions)


@pytest.mark.parametrize(
    ("decision", "excluded", "kept", "cleared"),
    [
        (made("use", "exclude"), True, False, False),
        (made("use", "keep"), False, True, True),
        (made("pii", "cleared"), False, False, True),
        (made("pii", None), False, False, False),
        (made("split", "test"), False, False, False),
    ],
)
def test_what_holds(decision: Decision, excluded: bool, kept: bool, cleared: bool) -> None:
    held = standing(prompt(decision))
    assert (held.excluded, held.kept, held.cleared) == (excluded, kept, cleared)


def test_nothing_decided_is_nothing_held() -> None:
    assert standing(prompt()) == Standing()
    assert not Standing().cleared
    assert settled(prompt()) == prompt()
    assert in_words(prompt()) == []


def test_a_prompt_stands_as_decided() -> None:
    found = settled(prompt(made("split", "test"), made("use_case", "rewrite")))
    assert (found.split, found.use_case) == ("test", "rewrite")
    found = settled(prompt(made("split", "test")))
    assert (found.split, found.use_case) == ("test", "chat")
    found = settled(prompt(made("use_case", "rewrite"), made("split", None)))
    assert (found.split, found.use_case) == ("train", "rewrite")


def test_what_nobody_superseded_holds_and_of_two_the_later_one() -> None:
    first = made("use", "exclude", "2")
    second = made("use", "keep", "1", supersedes="2", made_at="2026-11-20T11:00:00Z")
    assert heads([second, first]) == {"use": second}
    early = made("split", "a", "9", made_at="2026-11-20T11:00:00Z")
    late = made("split", "b", "8")
    tied = made("split", "c", "7")
    assert heads([late, early, tied]) == {"split": late}
    assert heads([first, early]) == {"use": first, "split": early}


def test_in_words_says_what_holds_by_aspect() -> None:
    found = prompt(made("use", "keep"), made("split", "test"), made("pii", None))
    assert in_words(found) == ["split=test", "use=keep"]


def test_a_decision_is_named_by_everything_it_says() -> None:
    one = made("use", "exclude", "whatever")
    name = named("p", one).uid
    assert name == "6e246e5c4e4a921318e2fa4843f127a0"
    assert named("p", replace(one, uid="other")) == replace(one, uid=name)
    others = [replace(one, **change) for change in (
        {"value": "keep"}, {"reason": "rule"}, {"note": "!"}, {"by": "lead"}, {"run": "x"},
        {"made_at": "2026-11-20T12:00:01Z"}, {"supersedes": "y"}, {"restores": "z"},
    )]  # fmt: skip
    names = {name, named("q", one).uid, *(named("p", other).uid for other in others)}
    assert len(names) == len(others) + 2


def test_an_entry_says_what_the_decision_says_and_reads_back() -> None:
    one = named("p", made("use", "exclude", by="lead"))
    entry = to_entry(one)
    assert entry == {
        "aspect": "use",
        "value": "exclude",
        "reason": "by hand",
        "by": "lead",
        "made_at": NOON,
        "run": "prompts exclude",
    }
    assert from_entry("p", entry) == one
    taken_back = named("p", made("use", None, supersedes=one.uid, note="oops"))
    assert to_entry(taken_back)["value"] is None
    assert from_entry("p", to_entry(taken_back)) == taken_back
    elsewhere = {**entry, "made_at": "2026-11-20T13:00:00+01:00", "by": None}
    assert from_entry("p", elsewhere) == named("p", replace(one, by=None))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": "banish"}, "use is one of: exclude, keep"),
        ({"aspect": "pii", "value": "keep"}, "pii is one of: cleared"),
        ({"made_at": "yesterday"}, "Invalid isoformat"),
    ],
)
def test_an_entry_that_makes_no_sense(change: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_entry("p", {**to_entry(made("use", "exclude")), **change})


def test_other_aspects_take_any_value() -> None:
    assert from_entry("p", to_entry(made("use_case", "odd"))).value == "odd"


# -- undo ------------------------------------------------------------------------------------------

FIRST = made("split", "test", "1", reason="first", note="why")
SECOND = made("split", "valid", "2", supersedes="1")


def undo(decision: Decision, *others: Decision) -> Decision | None:
    by_uid = {d.uid: d for d in (decision, *others)}
    return undone(decision, by_uid, by="lead", made_at="later", run="undo")


def test_an_undo_says_again_what_held_before() -> None:
    assert undo(SECOND, FIRST) == Decision(
        aspect="split",
        value="test",
        reason="first",
        note="why",
        by="lead",
        made_at="later",
        run="undo",
        supersedes="2",
        restores="1",
    )


def test_an_undo_of_the_first_word_leaves_nothing() -> None:
    assert undo(FIRST) == Decision(
        aspect="split",
        value=None,
        reason="undo",
        by="lead",
        made_at="later",
        run="undo",
        supersedes="1",
    )


def test_what_something_else_replaced_cannot_be_undone() -> None:
    assert undo(FIRST, SECOND) is None


def test_a_word_that_an_undo_brought_back_can_be_undone_itself() -> None:
    back = made("split", "test", "3", supersedes="2", restores="1")
    again = made("split", "test", "4", supersedes="3", restores="3")
    by_uid = {d.uid: d for d in (FIRST, SECOND, back, again)}
    assert origin(again, by_uid) == FIRST
    assert origin(SECOND, by_uid) == SECOND
    assert origin(back, {"3": back}) == back
    found = undo(FIRST, SECOND, back)
    assert found is not None
    assert (found.value, found.supersedes, found.restores) == (None, "3", None)
