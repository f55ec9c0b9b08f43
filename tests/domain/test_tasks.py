"""What a task takes for an answer, and which tasks go to everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labelkit.domain.models import FlagRule, Guideline, Scale
from labelkit.domain.tasks import (
    Answer,
    BatchSettings,
    Candidate,
    TaskView,
    check_answer,
    check_ranking,
    check_text,
    is_calibration,
)
from labelkit.errors import InputError

RULES = Guideline(
    "g",
    "kind",
    1,
    scale=Scale(2, 5),
    flags=(FlagRule("opinion", "Opinion"),),
    marks=(FlagRule("sensitive", "Sensitive"),),
)
GOOD = Answer(
    tiers=(("c",), ("a", "b")),
    ratings={"a": 2, "b": 5},
    flags={"c": ("opinion",)},
    notes={"a": "hm"},
    marks=("sensitive",),
    note="fine",
    read={"b": 0.5},
)


def checked(answer: Answer, *, partial: bool = False, rules: Guideline | None = RULES) -> None:
    check_ranking(["a", "b", "c"], BatchSettings(partial=partial), rules, answer)


def test_a_good_answer_passes() -> None:
    checked(GOOD)
    checked(replace(GOOD, tiers=(("c",), ("b",)), unranked=("a",)), partial=True)
    checked(Answer(tiers=(("a", "b", "c"),), ratings={"a": 1, "b": 7}), rules=None)


PLACED = "every completion must be placed once, or set aside as unranked"
WHOLE = "this task wants every completion placed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tiers": (("c",), ("a",))}, PLACED),
        ({"tiers": (("c",), ("a", "b", "b"))}, PLACED),
        ({"tiers": (("c",), ("a", "b", "d"))}, PLACED),
        ({"tiers": (("c",), (), ("a", "b"))}, PLACED),
        ({"unranked": ("a",)}, PLACED),
        ({"tiers": (("c",), ("b",)), "unranked": ("a",)}, WHOLE),
        ({"ratings": {"a": 1}}, "1 is not on the scale 2 to 5"),
        ({"ratings": {"a": 6}}, "6 is not on the scale 2 to 5"),
        ({"flags": {"a": ("opinion", "zany", "bad")}}, "the guideline has no 'bad'"),
        ({"flags": {"a": ("sensitive",)}}, "the guideline has no 'sensitive'"),
        ({"marks": ("opinion",)}, "the guideline has no 'opinion'"),
        ({"note": "a\x00"}, "a note holds the character NUL"),
        ({"notes": {"b": "\ud800"}}, "a note holds half a character (a lone surrogate)"),
        *[
            ({field: {"d": value}}, "it speaks of a completion that was not shown")
            for field, value in {"ratings": 3, "flags": (), "notes": "", "read": 1.0}.items()
        ],
    ],
)
def test_a_bad_answer_is_refused_with_its_reason(change: Any, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(replace(GOOD, **change))
    assert str(caught.value) == reason


def test_one_place_is_no_ranking() -> None:
    answer = Answer(tiers=(("c",),), unranked=("a", "b"))
    with pytest.raises(InputError) as caught:
        checked(answer, partial=True)
    assert str(caught.value) == "place at least two completions, or skip the task"
    checked(replace(answer, tiers=(("c", "b"),), unranked=("a",)), partial=True)


@pytest.mark.parametrize("change", [{"flags": {"a": ("opinion",)}}, {"marks": ("sensitive",)}])
def test_without_a_guideline_there_is_nothing_to_mark(change: Any) -> None:
    with pytest.raises(InputError, match="the guideline has no"):
        checked(replace(Answer(tiers=GOOD.tiers), **change), rules=None)


def test_an_answer_is_held_against_what_its_view_shows() -> None:
    view = TaskView(
        token="",
        handle="",
        task="",
        kind="rank",
        batch="",
        prompt_uid="",
        messages=(),
        prompt_kind="plain",
        application="",
        candidates=tuple(Candidate(uid, uid) for uid in "cab"),
        guideline=RULES,
        settings=BatchSettings(),
        round=0,
        done=0,
        total=1,
    )
    assert view.k == 3
    check_answer(view, GOOD)
    for other in (
        replace(view, candidates=view.candidates[:2]),
        replace(view, guideline=replace(RULES, scale=Scale(1, 4))),
    ):
        with pytest.raises(InputError):
            check_answer(other, GOOD)
    partial = replace(GOOD, tiers=(("c",), ("a",)), unranked=("b",))
    check_answer(replace(view, settings=BatchSettings(partial=True)), partial)


def test_text_is_named_in_its_refusal() -> None:
    check_text("any text, 日本語, \x1b[0m", "it")
    with pytest.raises(InputError, match=r"^the demonstration holds the character NUL$"):
        check_text("\x00", "the demonstration")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.25, 1 / 3, 0.5, 1.0])
def test_calibration_tasks_are_spread_evenly_from_the_first_on(share: float) -> None:
    chosen = [i for i in range(400) if is_calibration(i, share)]
    for n in range(1, 401):
        assert 0 <= sum(i < n for i in chosen) - share * n < 1 + 1e-9
    assert (chosen[:1] == [0]) is (share > 0)
