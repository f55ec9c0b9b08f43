"""What a bundle holds for each stage: answers, judged completions, rankings, examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from labelkit.domain.canonical import uid_of
from labelkit.domain.models import (
    Bundle,
    Completion,
    Demonstration,
    Message,
    Prompt,
    PromptKind,
    Ranking,
)
from labelkit.domain.pairs import Judged, Pair, PairOptions
from labelkit.domain.units import (
    Answer,
    answers,
    examples,
    judged,
    pair_id,
    rankings,
    unfit_prompt,
)

MAJORITY, EACH = PairOptions(), PairOptions(labels="each")


def ranking(uid: str, tiers: str, **more: Any) -> Ranking:
    places = tuple(tuple(part.strip().split(" = ")) for part in tiers.split(">"))
    return Ranking(uid=uid, labeler=uid, tiers=places, **more)


def bundle(*said: Ranking, wrote: tuple[Demonstration, ...] = (), **texts: str) -> Bundle:
    every = {uid: f"text of {uid}" for uid in "abcd"} | texts
    completions = tuple(Completion(uid, text) for uid, text in every.items())
    prompt = Prompt("p", (Message("user", "?"),))
    return Bundle(prompt, completions, demonstrations=wrote, rankings=said)


def wrote(uid: str, text: str, **more: Any) -> Demonstration:
    return Demonstration(uid=uid, labeler="ana", text=text, **more)


# -- answers ---------------------------------------------------------------------------------------


def test_demonstrations_come_once_each_without_those_no_trainer_may_see() -> None:
    said = bundle(
        wrote=(
            wrote("1", "One."),
            wrote("2", " One.\n", seq=1),
            wrote("3", "  ", seq=2),
            wrote("4", "Two.<|im_end|>", seq=3),
            wrote("5", "Three.", seq=4),
            wrote("6", "A robot's.", seq=5, labeler_kind="model"),
        )
    )
    counts: Counter[str] = Counter()
    found = answers(said, MAJORITY, "demonstrations", counts)
    assert found == [
        Answer("One.", "demonstration", ("1",)),
        Answer("Three.", "demonstration", ("5",)),
    ]
    assert counts == {"demonstrations": 5, "duplicates": 1, "empty": 1, "template_tokens": 1}
    robots = answers(said, replace(MAJORITY, labelers="model"), "demonstrations", Counter())
    assert [answer.labels for answer in robots] == [("6",)]


def test_the_best_is_at_the_top_of_all_rankings_together() -> None:
    said = bundle(
        ranking("r2", "b > a > c"), ranking("r1", "a > b > c"), ranking("r3", "b > c > a")
    )
    counts: Counter[str] = Counter()
    assert answers(said, EACH, "best", counts) == [
        Answer("text of b", "best", ("r1", "r2", "r3"), "b")
    ]
    assert counts == {"best": 1}


@pytest.mark.parametrize(
    ("ratings", "best"),
    [
        ([{}, {}], "a"),  # by name
        ([{"a": 5, "b": 6}, {}], "b"),
        ([{"a": 5, "b": 6}, {"a": 7, "b": 5}], "a"),  # 6 against 5.5
        ([{"b": 1}, {}], "b"),
        ([{"a": 4, "b": 4}, {"b": 4}], "a"),
    ],
)
def test_of_a_tie_the_better_rated_is_the_best(ratings: list[dict[str, int]], best: str) -> None:
    one, two = (ranking(f"r{i}", "b = a > c", ratings=r) for i, r in enumerate(ratings))
    (found,) = answers(bundle(one, two), MAJORITY, "best", Counter())
    assert found.completion == best


def test_where_all_tied_or_nobody_ranked_nothing_is_best() -> None:
    counts: Counter[str] = Counter()
    assert answers(bundle(ranking("r", "a = b")), MAJORITY, "best", counts) == []
    assert answers(bundle(), MAJORITY, "best", counts) == []
    assert not counts


def test_both_takes_the_best_only_where_nobody_wrote() -> None:
    said = bundle(ranking("r", "a > b"), wrote=(wrote("1", "One."),))
    assert [x.origin for x in answers(said, MAJORITY, "both", Counter())] == ["demonstration"]
    unwritten = replace(said, demonstrations=())
    assert [x.origin for x in answers(unwritten, MAJORITY, "both", Counter())] == ["best"]
    assert answers(unwritten, MAJORITY, "demonstrations", Counter()) == []
    assert [x.origin for x in answers(said, MAJORITY, "best", Counter())] == ["best"]


# -- examples of a few-shot prompt -----------------------------------------------------------------

CHAT = (
    Message("system", "Translate."),
    Message("user", "one"),
    Message("assistant", "eins"),
    Message("user", "two"),
    Message("assistant", "zwei"),
)


def few_shot(messages: tuple[Message, ...], kind: PromptKind = PromptKind.FEW_SHOT) -> Bundle:
    return Bundle(Prompt("p", messages, kind=kind))


def test_each_example_has_the_others_for_its_context() -> None:
    counts: Counter[str] = Counter()
    system, one, eins, two, zwei = CHAT
    assert examples(few_shot(CHAT), counts) == [
        ([system, two, zwei, one], Answer("eins", "example")),
        ([system, one, eins, two], Answer("zwei", "example")),
    ]
    assert counts == {"examples": 2}


@pytest.mark.parametrize(
    "said",
    [
        few_shot(CHAT, PromptKind.PLAIN),
        few_shot(CHAT[:-1]),  # it asks something
        few_shot(CHAT[2:]),  # begins with an answer
        few_shot((*CHAT[:3], *CHAT[4:])),  # two answers in a row
    ],
)
def test_other_prompts_have_no_examples(said: Bundle) -> None:
    counts: Counter[str] = Counter()
    assert examples(said, counts) == []
    assert not counts["examples"]


# -- judged completions ----------------------------------------------------------------------------


def labels(found: list[Judged]) -> dict[str, bool]:
    return {j.completion: j.label for j in found}


@pytest.mark.parametrize(
    ("tiers", "best_worst", "halves"),
    [
        ("a > b", {"a": True, "b": False}, {"a": True, "b": False}),
        ("b > a > c", {"b": True, "c": False}, {"b": True, "c": False}),
        (
            "a > b = d > c",
            {"a": True, "c": False},
            {"a": True, "c": False},
        ),
        (
            "a > b > c > d",
            {"a": True, "d": False},
            {"a": True, "b": True, "c": False, "d": False},
        ),
        ("a = b > c", {"a": True, "b": True, "c": False}, {"a": True, "b": True, "c": False}),
    ],
)
def test_wanted_or_unwanted_by_tier(tiers: str, best_worst: Any, halves: Any) -> None:
    said = bundle(ranking("r", tiers))
    assert labels(judged(said, MAJORITY, "best-worst", Counter())) == best_worst
    assert labels(judged(said, MAJORITY, "halves", Counter())) == halves


def test_judged_completions_name_who_said_so() -> None:
    said = bundle(ranking("r2", "b > a"), ranking("r1", "b > a"), ranking("r3", "b = a"))
    counts: Counter[str] = Counter()
    group = uid_of("group", ["r1", "r2", "r3"])
    assert judged(said, MAJORITY, "best-worst", counts) == [
        Judged("a", False, ("r1", "r2", "r3"), group),
        Judged("b", True, ("r1", "r2", "r3"), group),
    ]
    assert (counts["desirable"], counts["undesirable"], counts["undecided"]) == (1, 1, 0)


def test_what_one_wants_and_another_does_not_is_left_out() -> None:
    said = bundle(ranking("r1", "a > b"), ranking("r2", "b > c"), ranking("r3", "a = b"))
    counts: Counter[str] = Counter()
    found = judged(said, EACH, "best-worst", counts)
    assert found == [Judged("a", True, ("r1",), "r1"), Judged("c", False, ("r2",), "r2")]
    assert (counts["contradictory"], counts["undecided"]) == (2, 1)
    assert (counts["desirable"], counts["undesirable"]) == (1, 1)
    kept = judged(said, replace(EACH, keep_contradictions=True), "best-worst", counts)
    assert [(j.completion, j.label) for j in kept] == [
        ("a", True),
        ("b", False),
        ("b", True),
        ("c", False),
    ]


# -- rankings --------------------------------------------------------------------------------------


def orders(said: Bundle, counts: Counter[str], *, ties: bool, flatten: bool = False) -> list[str]:
    found = rankings(said, MAJORITY, counts, ties=ties, flatten=flatten)
    return [" > ".join("=".join(tier) for tier in r.tiers) for r in found]


def test_rankings_that_a_row_can_say() -> None:
    said = bundle(
        ranking("1", "a > b"),
        ranking("2", "c = b > a", seq=1),
        ranking("3", "b > a", seq=2, repeat=True),
        ranking("4", "b = a", seq=3),
        ranking("5", "b > a", seq=4, repeat=True),
    )
    counts: Counter[str] = Counter()
    assert orders(said, counts, ties=True) == ["a > b", "c=b > a", "b=a"]
    assert (counts["repeated"], counts["too_few"], counts["ties_refused"]) == (2, 0, 0)
    counts = Counter()
    assert orders(said, counts, ties=False) == ["a > b"]
    assert (counts["repeated"], counts["ties_refused"], counts["ties_flattened"]) == (2, 2, 0)
    counts = Counter()
    assert orders(said, counts, ties=False, flatten=True) == ["a > b", "b > a"]
    assert (counts["ties_flattened"], counts["ties_refused"], counts["too_few"]) == (2, 0, 1)


def test_a_ranking_of_copies_is_none() -> None:
    said = bundle(ranking("1", "a > b"), b=" text of a")
    counts: Counter[str] = Counter()
    assert orders(said, counts, ties=True) == []
    assert (counts["too_few"], counts["identical"]) == (1, 1)


# -- names and refusals ----------------------------------------------------------------------------


def test_prompts_with_a_templates_own_tokens_are_left_out_unless_asked_for() -> None:
    clean, tainted = Message("user", "Hi"), Message("system", "<|im_start|>")
    assert unfit_prompt([clean], MAJORITY) is None
    assert unfit_prompt([clean, tainted], MAJORITY) == "prompts_with_template_tokens"
    assert unfit_prompt([tainted], replace(MAJORITY, keep_template_tokens=True)) is None


def test_a_pair_is_named_by_what_beat_what() -> None:
    pair = Pair("a", "b", None, ("r",), "g", 2, 1)
    name = pair_id("p", pair)
    assert name == uid_of("pair", ["p", "a", "b"])
    assert pair_id("p", pair._replace(margin=0.5, rankings=(), group="h", k=9)) == name
    assert pair.weight == 1
    assert pair._replace(k=4).weight == pytest.approx(1 / 6)
