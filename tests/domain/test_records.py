"""Records become bundles and come back, and every refusal names its field."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import ranking, record, records
from hypothesis import given

from labelkit.domain.guidelines import parse_guideline
from labelkit.domain.record_out import to_record
from labelkit.domain.records import Known, RecordError, from_record
from labelkit.importers._shape import check_shape


def read(value: dict[str, Any], known: Known | None = None) -> Any:
    return from_record(check_shape(value), known)


@given(records())
def test_a_bundle_survives_the_round_trip(value: dict[str, Any]) -> None:
    bundle = read(value).bundle
    written = to_record(bundle)
    again = read(written).bundle
    assert to_record(again) == written
    assert {r.uid for r in again.rankings} == {r.uid for r in bundle.rankings}
    assert {d.uid for d in again.demonstrations} == {d.uid for d in bundle.demonstrations}
    assert again.completions == bundle.completions


@given(records())
def test_uids_depend_on_content_alone(value: dict[str, Any]) -> None:
    one, two = read(value).bundle, read({**value, "prompt_id": "other", "source": "x"}).bundle
    assert one.prompt.uid == two.prompt.uid
    assert [r.uid for r in one.rankings] == [r.uid for r in two.rankings]


def test_identical_texts_are_one_completion_that_remembers_both_models() -> None:
    value = record(k=3, rankings=[ranking("x", "c > a > b", ratings={"a": 5, "b": 3})])
    value["completions"][1]["text"] = value["completions"][0]["text"]
    incoming = read(value)
    assert (incoming.collapsed_completions, incoming.collapsed_rankings) == (1, 1)
    twin = next(c for c in incoming.bundle.completions if len(c.sources) == 2)
    assert {s.model for s in twin.sources} == {"m-a", "m-b"}
    written = to_record(incoming.bundle)
    assert [c["id"] for c in written["completions"]] == ["a", "b", "c"]
    assert written["rankings"][0]["tiers"] == [["c"], ["a"]]
    assert written["rankings"][0]["ratings"] == {"a": 5}


def test_a_copy_keeps_the_better_place_even_inside_a_tie() -> None:
    value = record(k=4, rankings=[ranking("x", "d = a > c > b")])
    value["completions"][1]["text"] = value["completions"][0]["text"]
    written = to_record(read(value).bundle)
    assert written["rankings"][0]["tiers"] == [["a", "d"], ["c"]]


def test_two_texts_under_one_name_both_keep_it() -> None:
    """Two runs that both called their first completion `a` meet in one store."""
    one = read(record(k=2)).bundle
    two = read({**record(k=2), "completions": [{"id": "a", "text": "new"}]}).bundle
    both = type(one)(one.prompt, (*one.completions, *two.completions))
    written = to_record(both)
    assert sorted(c.get("alias", c["id"]) for c in written["completions"]) == ["a", "a", "b"]
    again = read(written).bundle
    assert to_record(again) == written
    assert {s.external_id for c in again.completions for s in c.sources} == {"a", "b"}


def test_labels_may_come_without_their_completions() -> None:
    stored = {c.external_id: u.uid for u in read(record(k=2)).bundle.completions for c in u.sources}
    known = Known(completions=lambda _: stored)
    value = {"prompt": "Why is the sky blue?", "rankings": [ranking("x", "b > a")]}
    assert read(value, known).bundle.rankings[0].tiers == ((stored["b"],), (stored["a"],))


RULES = """---
name: house-rules
version: 2
scale: {min: 1, max: 5}
flags: [{key: rude, label: Rude}]
marks: [{key: unclear, label: Unclear}]
---
Be kind.
"""


@pytest.mark.parametrize(
    ("change", "where", "reason"),
    [
        ({"prompt": ""}, "prompt", "is blank"),
        ({"prompt": " \n"}, "prompt", "is blank"),
        ({"prompt": []}, "prompt", "has no messages"),
        ({"prompt": [{"role": "assistant", "content": "x"}]}, "prompt", "must end with a user"),
        ({"prompt": [{"role": "user"}]}, "prompt.0.content", "is missing"),
        ({"prompt": [{"role": "human", "content": "x"}]}, "prompt.0.role", "input should be"),
        (
            {"prompt": [{"role": "user", "content": "x"}, {"role": "system", "content": "y"}]},
            "prompt.1.role",
            "a system message can only come first",
        ),
        ({"kind": "odd"}, "kind", "input should be"),
        ({"prompt_id": 7}, "prompt_id", "must be text"),
        ({"completion": []}, "completion", "is not a field labelkit knows"),
        ({"completions": [{"id": "a"}]}, "completions.0.text", "is missing"),
        (
            {"completions": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]},
            "completions.1.id",
            "'a' already names another completion",
        ),
        ({"demonstrations": [{"text": " "}]}, "demonstrations.0.text", "is blank"),
        ({"rankings": [{"tiers": [["a"]]}]}, "rankings.0.labeler", "is missing"),
        ({"rankings": [ranking("x", "a")]}, "rankings.0.tiers", "ranks 1 completions"),
        ({"rankings": [ranking("x", "a > b > c")]}, "rankings.0.tiers", "forgets completion 'd'"),
        (
            {"rankings": [ranking("x", "a > b > c > d > z")]},
            "rankings.0.tiers",
            "unknown completion 'z'",
        ),
        (
            {"rankings": [ranking("x", "a > b > c > d > a")]},
            "rankings.0.tiers",
            "completion 'a' is named twice",
        ),
        (
            {"rankings": [ranking("x", "a > b > c", unranked=["c", "d"])]},
            "rankings.0.tiers",
            "completion 'c' is named twice",
        ),
        (
            {"rankings": [{"labeler": "x", "tiers": [["a", "b"], [], ["c", "d"]]}]},
            "rankings.0.tiers",
            "a tier is empty",
        ),
        (
            {"rankings": [ranking("x", "a > b > c > d", ratings={"a": 8})]},
            "rankings.0.ratings.a",
            "8 is not on the scale 1 to 7",
        ),
        (
            {"rankings": [ranking("x", "a > b > c > d", ratings={"a": 6.5})]},
            "rankings.0.ratings.a",
            "must be a whole number",
        ),
        (
            {
                "rankings": [
                    ranking("x", "a > b > c > d", ratings={"a": 6}, guideline="house-rules@2")
                ]
            },
            "rankings.0.ratings.a",
            "6 is not on the scale 1 to 5",
        ),
        (
            {
                "rankings": [
                    ranking("x", "a>b>c>d", flags={"a": ["odd"]}, guideline="house-rules@2")
                ]
            },
            "rankings.0.flags.a",
            "unknown flag odd",
        ),
        (
            {"rankings": [ranking("x", "a>b>c>d", marks=["odd"], guideline="house-rules@2")]},
            "rankings.0.marks",
            "unknown mark odd",
        ),
        (
            {"rankings": [ranking("x", "a > b > c > d", seconds=-1)]},
            "rankings.0.seconds",
            "must be zero or more",
        ),
        (
            {"rankings": [ranking("x", "a > b > c > d", submitted_at="yesterday")]},
            "rankings.0.submitted_at",
            "'yesterday' is not a moment in time",
        ),
        (
            {"rankings": [ranking("x", "a > b > c > d", shown=["a", "b", "c"])]},
            "rankings.0.shown",
            "does not hold 'd'",
        ),
        (
            {"rankings": [ranking("x", "a > b", shown=["a", "b", "c"])]},
            "rankings.0.tiers",
            "forgets completion 'c'",
        ),
        (
            {"rankings": [ranking("x", "a > b > c > d", guideline="house rules")]},
            "rankings.0.guideline",
            "has characters that are not allowed here",
        ),
    ],
)
def test_refusals_name_the_field(change: dict[str, Any], where: str, reason: str) -> None:
    rules = parse_guideline(RULES, "rules.md")
    known = Known(guideline=lambda ref: rules if ref == rules.ref else None)
    with pytest.raises(RecordError) as caught:
        read({**record(), **change}, known)
    assert caught.value.where == where
    assert caught.value.reason.startswith(reason)


def test_ten_completions_are_too_many_for_one_ranking_but_not_for_a_prompt() -> None:
    ten = record(k=10)
    assert len(read(ten).bundle.completions) == 10
    with pytest.raises(RecordError, match="ranks 10 completions; a ranking judges 2 to 9"):
        read({**ten, "rankings": [ranking("x", " > ".join("abcdefghij"))]})


def test_a_ranking_of_some_completions_says_which() -> None:
    value = record(k=5, rankings=[ranking("x", "a > b > c", among=["a", "b", "c"])])
    written = to_record(read(value).bundle)
    assert written["rankings"][0]["among"] == ["a", "b", "c"]


def test_an_unknown_guideline_is_quoted_and_its_scale_not_guessed() -> None:
    said = ranking("x", "a > b > c > d", ratings={"a": 10}, guideline="ten-stars@1")
    assert read(record(rankings=[said])).bundle.rankings[0].ratings != {}


def test_a_few_shot_prompt_may_end_with_an_example() -> None:
    shots = [
        {"role": "user", "content": "2+2"},
        {"role": "assistant", "content": "4"},
    ]
    assert read({"prompt": shots, "kind": "few_shot"}).bundle.prompt.kind == "few_shot"
