"""Names and orders that are written into stores and files: once made, they never change."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.domain.canonical import canonical_json, uid_of
from labelkit.domain.identity import completion_uid, label_uid, named, prompt_uid
from labelkit.domain.leaks import leak_key, prompt_text
from labelkit.domain.models import Demonstration, Message, Ranking, Skip
from labelkit.domain.shuffle import seed_of, shuffled
from labelkit.domain.spread import spread
from labelkit.domain.tasks import cut_into_tasks, handle_of

SKY = (Message("system", "Be brief."), Message("user", "Why is the sky blue?"))
PROMPT = "e463428d640ae72c71f5b6b4d5b519f0"
RANKED = Ranking(
    uid="",
    labeler="ana",
    tiers=(("a",), ("b", "c")),
    ratings={"b": 3, "a": 6},
    flags={"a": ("opinion",)},
    seconds=12.5,
)


def test_names_that_stores_hold_already() -> None:
    assert prompt_uid(SKY) == PROMPT
    found = completion_uid(PROMPT, "Rayleigh scattering, café.")
    assert found == "01dcf8ea7aea1daeb0c91521987b138f"
    assert label_uid(PROMPT, RANKED) == "c6288b84a878debdde22ec4091f68c6f"
    demonstration = Demonstration(uid="", text="Hi", labeler="ana")
    assert label_uid(PROMPT, demonstration) == "d3e16d61590f781f687300d9d97a45e0"
    skip = Skip(uid="", reason="unclear")
    assert label_uid(PROMPT, skip) == "49d3749caf0b76dfeaca50c41d53743c"
    assert handle_of("t", "ana", 0) == "cf22f9a2b4af169b"
    assert handle_of("t", "ana", 1) == "776e4ef79ea40902"


def test_orders_that_exports_have_already() -> None:
    assert seed_of("salt", "task", 1) == 7659241356849319726
    assert shuffled("abcdef", "salt", "task", "alice") == list("dcefab")
    assert leak_key("user\0What is a leak?") == 10843688334918936044
    assert spread([0, 0, 1, 1, 2, 2], "key") == [3, 4, 2, 0, 5, 1]
    cut = cut_into_tasks(list("abcdefghij"), 4, 9, "seed")
    assert ["".join(task) for task in cut] == ["cjaige", "ebfhdc"]


@given(st.text())
def test_a_completion_is_named_as_everything_else_is(text: str) -> None:
    text = text.encode(errors="ignore").decode()
    assert completion_uid(PROMPT, text) == uid_of("completion", [PROMPT, text])


def test_a_label_is_named_by_all_that_it_says_and_nothing_else() -> None:
    name = label_uid(PROMPT, RANKED)
    same = replace(RANKED, uid="other", seq=9, labeler_kind="model", ratings={"a": 6, "b": 3})
    assert label_uid(PROMPT, same) == name
    others = [
        replace(RANKED, tiers=(("a",), ("c", "b"))),
        replace(RANKED, labeler="ben"),
        replace(RANKED, ratings={"b": 3, "a": 5}),
        replace(RANKED, flags={"a": ()}),
        replace(RANKED, seconds=13.0),
        replace(RANKED, note="!"),
        replace(RANKED, shown=("a", "b", "c")),
        replace(RANKED, repeat=True),
        replace(RANKED, supersedes=name),
    ]
    names = [label_uid(PROMPT, other) for other in others]
    assert len({name, label_uid("another prompt", RANKED), *names}) == len(others) + 2


def test_a_named_label_is_the_label_with_its_name() -> None:
    assert named(PROMPT, RANKED) == replace(RANKED, uid=label_uid(PROMPT, RANKED))


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": {"d": 1, "c": "é"}, "a": [True, None]}) == (
        '{"a":[true,null],"b":{"c":"é","d":1}}'.encode()
    )
    assert uid_of("a", {"x": 1, "y": 2}) == uid_of("a", {"y": 2, "x": 1})
    assert uid_of("a", 1) != uid_of("b", 1)


def test_prompts_leak_whatever_their_case_spacing_and_composition() -> None:
    assert prompt_text(SKY) == "system\0Be brief.\0user\0Why is the sky blue?"
    assert leak_key("Cafe\u0301  au\tlait") == leak_key(" caf\u00e9 AU lait\n")
    assert leak_key("user\0 Hi \0assistant\0Yo") == leak_key("user\0Hi\0assistant\0 yo")
    assert leak_key("ab") != leak_key("a b")


@given(st.lists(st.integers(0, 4), max_size=40), st.text(max_size=3))
def test_neighbours_are_of_one_group_only_where_nothing_else_is_possible(
    groups: list[int], key: str
) -> None:
    order = spread(groups, key)
    assert sorted(order) == list(range(len(groups)))
    most = max((groups.count(g) for g in groups), default=0)
    neighbours = sum(groups[a] == groups[b] for a, b in pairwise(order))
    assert neighbours == max(0, most - (len(groups) - most) - 1)


def test_a_spread_is_shuffled_by_its_key() -> None:
    groups = list(range(20))
    assert spread(groups, "one") == shuffled(groups, "one")
    assert spread(groups, "one") != spread(groups, "two")


@pytest.mark.parametrize("n", range(1, 30))
@pytest.mark.parametrize(("k_min", "k_max"), [(4, 9), (2, 2), (3, 5)])
def test_tasks_cover_all_completions_within_their_bounds(n: int, k_min: int, k_max: int) -> None:
    names = [f"c{i:02d}" for i in range(n)]
    tasks = cut_into_tasks(names[::-1], k_min, k_max, "seed")
    assert tasks == cut_into_tasks(names, k_min, k_max, "seed")
    if n < k_min:
        assert tasks == []
        return
    assert {c for task in tasks for c in task} == set(names)
    assert all(k_min <= len(task) <= k_max for task in tasks)
    assert all(len(set(task)) == len(task) for task in tasks)
    assert len({len(task) for task in tasks}) == 1
    assert len(tasks) == -(-n // k_max)
    if len(tasks) > 1 and n <= len(tasks) * (k_max - 1):  # room for one of the next
        assert all(set(a) & set(b) for a, b in pairwise([*tasks, tasks[0]]))
