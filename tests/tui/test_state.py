"""The state machine: rating, ranking, ties, undo, drafts. No terminal anywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.tui import places as p
from labelkit.tui.clock import ActiveClock
from labelkit.tui.state import RankState, Rules, Tied
from labelkit.tui.work import RANK, RATE


def rated(ratings: str, **rules: Any) -> RankState:
    """A state in which A, B, C ... are rated and the ranking was begun."""
    state = RankState(Rules(len(ratings), **rules))
    for letter, rating in zip(state.rules.letters, ratings, strict=True):
        state.rate(letter, int(rating))
    state.begin_ranking()
    return state


def order(state: RankState) -> str:
    return " > ".join("=".join(place) for place in state.tiers)


def test_the_ratings_give_the_first_order_and_ties_are_to_be_checked() -> None:
    state = rated("6251")
    assert (order(state), state.work.step, state.work.seeded) == ("A > C > B > D", RANK, True)
    assert state.obstacles() == []
    state = rated("6265")
    assert order(state) == "A=C > D > B"
    assert state.obstacles() == ["to be checked: A = C, a tie of equal ratings"]


def test_nothing_is_ever_ranked_by_itself() -> None:
    untouched = RankState(Rules(4))
    assert untouched.tiers == ()
    assert untouched.obstacles() == ["to be placed: A, B, C, D"]
    same = rated("5555")
    assert same.obstacles() == ["to be checked: A = B = C = D, a tie of equal ratings"]
    unseeded = rated("6251", seed_ratings=False)
    assert (unseeded.tiers, unseeded.work.seeded) == ((), False)


def test_a_tie_is_confirmed_left_or_made() -> None:
    state = rated("6265")
    assert state.tie("C") is Tied.CONFIRMED
    assert state.obstacles() == []
    assert state.tie("C") is Tied.UNTIED
    assert order(state) == "A > C > D > B"
    assert state.tie("C") is Tied.TIED
    assert order(state) == "A=C > D > B"
    assert state.tie("A") is Tied.UNTIED
    assert state.tie("C") is Tied.TOP
    state.take_out("B")
    assert state.tie("B") is Tied.UNPLACED


def test_breaking_a_tie_of_three_leaves_the_other_two_to_be_checked() -> None:
    state = rated("5552")
    state.move("C", up=False)
    assert order(state) == "A=B > C > D"
    assert state.obstacles() == ["to be checked: A = B, a tie of equal ratings"]
    state.move("A", up=True)
    assert (order(state), state.obstacles()) == ("A > B > C > D", [])


def test_placing_by_digits() -> None:
    state = rated("1111", seed_ratings=False)
    for letter, place in (("A", 2), ("B", 0), ("C", 2)):
        state.place(letter, place)
    assert state.unplaced == ["D"]
    assert state.work.places == (("B",), (), ("A", "C"), ())
    state.place("D", 3)
    assert state.work.places == (("B",), ("A", "C"), ("D",), ()), "gaps close at the end"


def test_partial_rankings_need_leave_and_two() -> None:
    state = rated("6251")
    state.take_out("B")
    assert state.obstacles() == ["to be placed: B"]
    state = rated("6251", partial=True)
    state.take_out("B")
    assert state.obstacles() == []
    state.take_out("C")
    state.take_out("D")
    assert state.obstacles() == ["2 completions or more must be placed"]


def test_comparing_settles_the_order() -> None:
    state = rated("6251")
    state.prefer("B", "A")
    assert order(state) == "B > A > C > D"
    state.prefer("B", "A")
    assert order(state) == "B > A > C > D"
    state.equal("D", "B")
    assert order(state) == "B=D > A > C"
    fresh = rated("1111", seed_ratings=False)
    fresh.prefer("C", "A")
    fresh.equal("B", "C")
    fresh.equal("D", "A")
    assert order(fresh) == "B=C > A=D"


def test_contradictions_are_told_and_block_nothing() -> None:
    state = rated("6251")
    state.move("B", up=True)
    assert state.contradictions() == [("B", "C")]
    assert state.obstacles() == []


def test_undo_goes_back_to_where_it_was_done() -> None:
    state = rated("6251")
    state.move("D", up=True)
    state.show("A")
    assert state.undo()
    assert order(state) == "A > C > B > D"
    assert state.undo()
    assert (state.work.step, state.tiers) == (RATE, ())
    assert state.undo()
    assert state.work.ratings == {"A": 6, "B": 2, "C": 5}
    for _ in range(3):
        assert state.redo()
    assert not state.redo()
    assert order(state) == "A > C > D > B"


def test_a_note_is_one_change_however_many_keys() -> None:
    state = RankState(Rules(4))
    state.rate("A", 5)
    for text in ("g", "go", "goo", "good"):
        state.write_note("A", text)
    state.show("A")
    state.write_note("A", "better")
    assert state.undo()
    assert state.work.notes == {"A": "good"}
    assert state.undo()
    assert state.work.notes == {}
    assert state.work.ratings == {"A": 5}


def test_changes_of_mind_are_counted() -> None:
    state = rated("6251")
    assert state.revisions == 0
    state.move("D", up=True)
    assert state.revisions == 0, "the first placing by hand is no change of mind"
    state.move("D", up=True)
    state.rate("A", 5)
    assert state.revisions == 2
    state.undo()
    assert state.revisions == 3


def test_the_furthest_point_read_only_grows() -> None:
    state = RankState(Rules(2))
    for share in (0.5, 0.2, 0.75, 1.7):
        state.saw("A", share)
    assert state.read == {"A": 1.0}


def test_the_clock_stops_after_a_minute_of_nothing() -> None:
    moments = iter([0.0, 30.0, 1000.0, 1010.0, 1010.0])
    clock = ActiveClock(now=lambda: next(moments))
    clock.touch()
    clock.touch()
    clock.touch()
    assert clock.seconds == 100.0


letters = st.sampled_from("ABCDE")
actions = st.one_of(
    st.tuples(st.just("rate"), letters, st.one_of(st.none(), st.integers(1, 7))),
    st.tuples(st.just("place"), letters, st.integers(0, 4)),
    st.tuples(st.just("take_out"), letters),
    st.tuples(st.just("up"), letters),
    st.tuples(st.just("down"), letters),
    st.tuples(st.just("tie"), letters),
    st.tuples(st.just("prefer"), letters, letters),
    st.tuples(st.just("equal"), letters, letters),
    st.tuples(st.just("flag"), letters, st.sampled_from(["x", "y"])),
    st.tuples(st.just("mark"), st.sampled_from(["m", "n"])),
    st.tuples(st.just("write_note"), letters, st.sampled_from(["", "a", "b"])),
    st.tuples(st.just("begin_ranking")),
    st.tuples(st.just("seed")),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
)


def act(state: RankState, action: tuple[Any, ...]) -> None:
    name, *args = action
    if name in ("up", "down"):
        state.move(args[0], up=name == "up")
    elif name in ("prefer", "equal") and args[0] == args[1]:
        pass
    else:
        getattr(state, name)(*args)


@given(st.lists(actions, max_size=40), st.booleans())
def test_whatever_is_pressed_the_state_stays_sound(
    steps: list[tuple[Any, ...]], partial: bool
) -> None:
    state = RankState(Rules(5, partial=partial))
    for step in steps:
        act(state, step)
        placed = [x for place in state.work.places for x in place]
        assert len(state.work.places) == 5
        assert len(set(placed)) == len(placed)
        assert sorted(placed + state.unplaced) == list("ABCDE")
        for group in state.work.unconfirmed:
            (place,) = {p.where(state.work.places, x) for x in group}
            assert place is not None
            assert len(group) > 1
        if not state.unplaced:
            full = [bool(place) for place in state.work.places]
            assert full == sorted(full, reverse=True), "no gaps in a finished ranking"


@given(st.lists(actions, max_size=30))
def test_a_draft_brings_everything_back(steps: list[tuple[Any, ...]]) -> None:
    state = RankState(Rules(5))
    for step in steps:
        act(state, step)
    again = RankState.from_draft(state.rules, json.loads(json.dumps(state.to_draft())))
    assert again.work == state.work
    assert (again.read, again.revisions) == (state.read, state.revisions)
    while state.undo():
        assert again.undo()
        assert again.work == state.work
    while state.redo():
        assert again.redo()
        assert again.work == state.work


@given(st.lists(actions, max_size=30))
def test_undo_all_the_way_gives_a_blank_sheet(steps: list[tuple[Any, ...]]) -> None:
    state = RankState(Rules(5))
    for step in steps:
        act(state, step)
    while state.undo():
        pass
    work = state.work
    assert (work.ratings, work.flags, work.notes, work.marks, state.tiers) == ({}, {}, {}, (), ())


@pytest.mark.parametrize(
    "damage",
    [{"work": {}}, {"past": [{"nonsense": 1}]}, {"work": {"focus": "A", "places": [["A"]]}}],
)
def test_a_damaged_draft_is_refused(damage: dict[str, Any]) -> None:
    body = {**RankState(Rules(3)).to_draft(), **damage}
    with pytest.raises((KeyError, TypeError, ValueError)):
        RankState.from_draft(Rules(3), body).undo()
