"""One record that says everything there is to say, field by field, in and out."""

from __future__ import annotations

from typing import Any

import pytest

from labelkit.domain.guidelines import (
    DEFAULT_SKIPS,
    body,
    parse_guideline,
    parse_ref,
    stub,
)
from labelkit.domain.identity import completion_uid, label_uid, prompt_uid
from labelkit.domain.models import (
    Completion,
    Demonstration,
    FlagRule,
    Message,
    Prompt,
    Ranking,
    Scale,
    Skip,
    Source,
)
from labelkit.domain.record_out import to_record
from labelkit.domain.records import Known, RecordError, from_record
from labelkit.errors import InputError

MESSAGES = (Message("system", "Be brief."), Message("user", "Why?"))
UID = prompt_uid(MESSAGES)
A, B, C = (completion_uid(UID, text) for text in ("text a", "text b", "text c"))

WHOLE: dict[str, Any] = {
    "prompt_id": "p1",
    "prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
    "kind": "user_based",
    "use_case": "open_qa",
    "source": "api",
    "user": "u7",
    "language": "en",
    "split": "valid",
    "meta": {"a": [1, {"x": 1, "y": 2}], "b": None},
    "aliases": ["q1", "q2"],
    "decisions": [
        {
            "aspect": "use_case",
            "value": "open_qa",
            "reason": "by hand",
            "note": "sure",
            "by": "lead",
            "made_at": "2026-11-19T10:00:00Z",
            "run": "prompts tag",
        },
        {
            "aspect": "use",
            "value": "keep",
            "reason": "by hand",
            "made_at": "2026-11-20T10:00:00Z",
            "run": "prompts keep",
        },
    ],
    "completions": [
        {"id": "a", "text": "text a", "model": "m1", "params": {"n": 2, "t": 0.5}},
        {"id": "b", "text": "text b", "model": None, "params": {}},
        {"id": None, "text": "text b", "model": "m2", "params": {}},
        {"id": "c", "text": "text c", "model": "m1", "params": {}},
    ],
    "demonstrations": [
        {
            "text": "Because.",
            "labeler": "ana",
            "seconds": 90,
            "guideline": "kind@2",
            "note": "hm",
            "submitted_at": "2026-11-20T10:00:00Z",
            "batch": "b1",
        }
    ],
    "rankings": [
        {
            "labeler": "ana",
            "tiers": [["b"], ["a"]],
            "ratings": {"a": 3, "b": 6},
            "flags": {"a": ["opinion", "rude"]},
            "shown": ["c", "a", "b"],
            "seconds": 12.5,
            "guideline": "kind@2",
            "note": "close",
            "submitted_at": "2026-11-20T10:00:00Z",
            "unranked": ["c"],
            "notes": {"b": "nice"},
            "marks": ["sensitive", "unclear"],
            "read": {"a": 1.0, "c": 0.5},
            "seeded": False,
            "revisions": 2,
            "repeat": True,
            "labeler_kind": "model",
            "batch": "b1",
            "supersedes": "ab" * 16,
            "origin": "screen",
        },
        {
            "labeler": "ben",
            "tiers": [["a", "b"]],
            "ratings": {},
            "flags": {},
            "shown": [],
            "seconds": None,
            "guideline": None,
            "note": "",
            "submitted_at": "2026-11-20T11:00:00Z",
            "among": ["a", "b"],
        },
    ],
    "skips": [
        {
            "labeler": "cy",
            "reason": "unclear",
            "task": "write",
            "seconds": None,
            "guideline": None,
            "note": "?",
            "submitted_at": None,
        }
    ],
}


def test_it_is_read_field_by_field() -> None:
    incoming = from_record(WHOLE)
    found = incoming.bundle
    assert (incoming.collapsed_completions, incoming.collapsed_rankings) == (1, 0)
    prompt = found.prompt
    assert [(d.aspect, d.value, d.note, d.by) for d in prompt.decisions] == [
        ("use_case", "open_qa", "sure", "lead"),
        ("use", "keep", "", None),
    ]
    assert prompt == Prompt(
        uid=UID,
        messages=MESSAGES,
        kind="user_based",
        use_case="open_qa",
        source="api",
        user="u7",
        language="en",
        split="valid",
        meta=WHOLE["meta"],
        external_id="p1",
        aliases=("q1", "q2"),
        decisions=prompt.decisions,
    )
    assert {c.uid: c for c in found.completions} == {
        A: Completion(A, "text a", (Source("m1", {"n": 2, "t": 0.5}, "a"),)),
        B: Completion(B, "text b", (Source("m2", {}, None), Source(None, {}, "b"))),
        C: Completion(C, "text c", (Source("m1", {}, "c"),)),
    }
    (demonstration,) = found.demonstrations
    assert demonstration == Demonstration(
        uid=label_uid(UID, demonstration),
        text="Because.",
        labeler="ana",
        seconds=90.0,
        guideline="kind@2",
        note="hm",
        submitted_at="2026-11-20T10:00:00Z",
        batch="b1",
    )
    one, two = found.rankings
    assert one == Ranking(
        uid=label_uid(UID, one),
        labeler="ana",
        labeler_kind="model",
        tiers=((B,), (A,)),
        unranked=(C,),
        ratings={A: 3, B: 6},
        flags={A: ("opinion", "rude")},
        notes={B: "nice"},
        marks=("sensitive", "unclear"),
        shown=(C, A, B),
        read={A: 1.0, C: 0.5},
        seeded=False,
        revisions=2,
        repeat=True,
        guideline="kind@2",
        batch="b1",
        seconds=12.5,
        note="close",
        submitted_at="2026-11-20T10:00:00Z",
        supersedes="ab" * 16,
        origin="screen",
    )
    assert two == Ranking(
        uid=label_uid(UID, two),
        seq=1,
        labeler="ben",
        tiers=(tuple(sorted((A, B))),),
        submitted_at="2026-11-20T11:00:00Z",
    )
    (skip,) = found.skips
    assert skip == Skip(
        uid=label_uid(UID, skip), labeler="cy", reason="unclear", task="write", note="?"
    )


def test_it_is_written_as_it_was_read() -> None:
    written = to_record(from_record(WHOLE).bundle)
    assert written == WHOLE
    assert [list(written), list(written["rankings"][0])] == [
        list(WHOLE),
        list(WHOLE["rankings"][0]),
    ]
    assert list(written["meta"]) == ["a", "b"]


def test_a_prompt_alone_says_little() -> None:
    found = from_record({"prompt": "Why?"}).bundle
    uid = prompt_uid([Message("user", "Why?")])
    assert found.prompt == Prompt(uid, (Message("user", "Why?"),))
    assert (found.completions, found.demonstrations, found.rankings, found.skips) == (
        (),
        (),
        (),
        (),
    )
    assert to_record(found) == {
        "prompt_id": uid,
        "prompt": "Why?",
        "kind": "plain",
        "use_case": None,
        "source": None,
        "user": None,
        "language": None,
        "split": None,
        "meta": {},
        "completions": [],
        "demonstrations": [],
        "rankings": [],
    }
    assert from_record(to_record(found)).bundle == found


def test_free_form_json_has_one_order() -> None:
    said = {"prompt": "Why?", "meta": {"b": 1, "a": [{"d": 1, "c": 2}]}}
    written = to_record(from_record(said).bundle)
    assert list(written["meta"]) == ["a", "b"]
    assert list(written["meta"]["a"][0]) == ["c", "d"]


def test_labels_and_decisions_are_written_in_the_order_they_were_made() -> None:
    def skip(at: str | None, who: str) -> dict[str, Any]:
        return {"labeler": who, "reason": "unclear", "submitted_at": at}

    said = {
        "prompt": "Why?",
        "skips": [
            skip("2026-11-20T10:00:00Z", "late"),
            skip(None, "first"),
            skip("2026-11-19T10:00:00Z", "early"),
            skip(None, "second"),
        ],
        "decisions": WHOLE["decisions"][::-1],
    }
    written = to_record(from_record(said).bundle)
    assert [s["labeler"] for s in written["skips"]] == ["first", "second", "early", "late"]
    assert written["decisions"] == WHOLE["decisions"]


def test_names_that_two_claim_are_nobodys() -> None:
    """The alias keeps what the file called it; the uid takes the place of the name."""
    twins = (Completion("u1", "x", (Source(external_id="a"),)),
             Completion("u2", "y", (Source(external_id="a"), Source(external_id="b"))))  # fmt: skip
    bundle = from_record({"prompt": "Why?"}).bundle
    written = to_record(type(bundle)(bundle.prompt, twins))["completions"]
    plain = {"model": None, "params": {}}
    assert written == [
        {"id": "b", "text": "y", **plain},
        {"id": None, "text": "y", **plain, "alias": "a"},
        {"id": "u1", "text": "x", **plain, "alias": "a"},
    ]


def test_copies_of_one_text_are_folded_and_counted_once_a_ranking() -> None:
    said = {
        "prompt": "Why?",
        "completions": [
            {"id": name, "text": text} for name, text in zip("abcd", "xxyz", strict=True)
        ],
        "rankings": [
            {"labeler": "1", "tiers": [["c"], ["b"], ["a"], ["d"]]},
            {"labeler": "2", "tiers": [["a", "b"]], "among": ["a", "b"]},
            {"labeler": "3", "tiers": [["c", "d"]], "among": ["c", "d"]},
            {"labeler": "4", "tiers": [["c", "a"]], "unranked": ["b", "d"]},
        ],
    }
    incoming = from_record(said)
    written = to_record(incoming.bundle)["rankings"]
    assert [(r["labeler"], r["tiers"], r.get("unranked")) for r in written] == [
        ("1", [["c"], ["a"], ["d"]], None),
        ("3", [["c", "d"]], None),
        ("4", [["a", "c"]], ["d"]),
    ]
    assert (incoming.collapsed_completions, incoming.collapsed_rankings) == (1, 3)


def test_a_decision_that_makes_no_sense_is_named() -> None:
    bad = {**WHOLE["decisions"][0], "aspect": "use"}
    with pytest.raises(RecordError) as caught:
        from_record({"prompt": "Why?", "decisions": [WHOLE["decisions"][1], bad]})
    assert (caught.value.where, caught.value.reason) == (
        "decisions.1",
        "use is one of: exclude, keep",
    )
    assert str(caught.value) == "decisions.1: use is one of: exclude, keep"


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -0.1])
def test_seconds_are_a_length_of_time(seconds: float) -> None:
    with pytest.raises(RecordError, match=r"skips\.0\.seconds: must be zero or more"):
        from_record(
            {"prompt": "?", "skips": [{"labeler": "a", "reason": "unclear", "seconds": seconds}]}
        )


def test_what_the_store_knows_is_looked_up_once_and_only_when_needed() -> None:
    asked: list[str] = []

    def stored(prompt: str) -> dict[str, str]:
        asked.append(prompt)
        return {"a": A, "b": B}

    known = Known(completions=stored)
    from_record(WHOLE, known)
    assert asked == []
    said = {k: v for k, v in WHOLE.items() if k != "completions"}
    said["rankings"] = [{"labeler": "x", "tiers": [["a"], ["b"]]}] * 2
    found = from_record(said, known).bundle.rankings
    assert [r.tiers for r in found] == [((A,), (B,))] * 2
    assert asked == [UID]


# -- guidelines ------------------------------------------------------------------------------------

GUIDE = """---
name: kind
version: 2
title: Be kind
scale: {min: 0, max: 5, labels: {0: Bad, 5: Good}}
flags: [{key: rude, label: Rude}, {key: fits, label: Fits, positive: true}]
marks: [{key: sensitive, label: Sensitive}]
skips: [{key: tired, label: Tired}]
---

# Be kind
"""


def test_a_guideline_says_what_its_front_matter_says() -> None:
    found = parse_guideline(GUIDE, "g.md")
    assert (found.name, found.version, found.ref, found.title) == ("kind", 2, "kind@2", "Be kind")
    assert found.scale == Scale(0, 5, {0: "Bad", 5: "Good"})
    assert found.flags == (FlagRule("rude", "Rude"), FlagRule("fits", "Fits", True))
    assert found.marks == (FlagRule("sensitive", "Sensitive"),)
    assert found.skips == (FlagRule("tired", "Tired"),)
    assert found.text == GUIDE
    assert body(GUIDE) == "# Be kind\n"
    assert body("no matter") == "no matter"
    assert parse_guideline(GUIDE + " ", "g.md").uid != found.uid


def test_a_short_guideline_has_defaults() -> None:
    found = parse_guideline("---\nname: short\n---\n", "g.md")
    assert (found.version, found.title, found.scale) == (1, "short", Scale(1, 7))
    assert (found.flags, found.marks, found.skips) == ((), (), DEFAULT_SKIPS)


def test_a_stub_knows_its_name_alone() -> None:
    found = stub("kind@2")
    assert (found.name, found.version, found.text, found.skips) == ("kind", 2, None, DEFAULT_SKIPS)
    assert found.uid != stub("kind@3").uid
    assert parse_ref("a.b-c_d@10") == ("a.b-c_d", 10)


@pytest.mark.parametrize("ref", ["kind", "kind@0", "Kind@1", "kind@1 ", "@1", "kind@1234567890"])
def test_references_that_are_none(ref: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_ref(ref)
    assert str(caught.value) == f"{ref!r} is not a guideline version"
    assert caught.value.hint == "write name@version"


@pytest.mark.parametrize(
    ("matter", "reason"),
    [
        ("name: a\n  version: 1", "g.md:3: front matter is not YAML"),
        ("version: 1", "g.md: name: field required"),
        ("name: a\nversion: 0", "g.md: version: input should be greater than or equal to 1"),
        ("name: a\nflags: [{key: x}]", "g.md: flags.0.label: field required"),
        ("- a", "g.md: front matter: input should be a valid dictionary"),
        ("name: a\nscale: {min: 5, max: 5}", "g.md: scale: min must be under max"),
        (
            "name: a\nmarks: [{key: x, label: X}, {key: x, label: Y}]",
            "g.md: marks: 'x' is defined twice",
        ),
        ("name: &a b\ntitle: *a", "g.md: front matter: nested too deep, or with anchors"),
        (f"name: {'[' * 9}{']' * 9}", "g.md: front matter: nested too deep, or with anchors"),
        ("name: a\ntitle: 2026-13-45", "g.md: front matter: a date or a number that is none"),
    ],
)
def test_front_matter_that_is_none(matter: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_guideline(f"---\n{matter}\n---\nBe kind.", "g.md")
    assert str(caught.value).startswith(reason)


def test_a_guideline_begins_with_front_matter() -> None:
    with pytest.raises(InputError) as caught:
        parse_guideline("Be kind.", "g.md")
    assert str(caught.value) == "g.md: no front matter"
    assert caught.value.hint.startswith("begin the file with: ---")
