"""What may stand in the front matter of a guideline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelkit.domain.guidelines import DEFAULT_SKIPS, parse_guideline
from labelkit.domain.models import FlagRule, Scale
from labelkit.errors import InputError


def parsed(matter: str) -> Any:
    return parse_guideline(f"---\n{matter}\n---\nBe kind.", "x.md")


def test_everything_that_may_be_said() -> None:
    found = parsed(
        "name: a.b-c_9\nversion: 3\ntitle: Long\n"
        "scale: {min: 0, max: 5, labels: {0: none, '5': all}}\n"
        "flags: [{key: f_1, label: one, positive: yes}, {key: g, label: two}]\n"
        "marks: [{key: m, label: M}]\n"
        "skips: [{key: s, label: S}]"
    )
    assert (found.ref, found.title) == ("a.b-c_9@3", "Long")
    assert found.scale == Scale(0, 5, {0: "none", 5: "all"})
    assert found.flags == (FlagRule("f_1", "one", True), FlagRule("g", "two"))
    assert (found.marks, found.skips) == ((FlagRule("m", "M"),), (FlagRule("s", "S"),))


def test_what_is_not_said_has_a_usual_value() -> None:
    found = parsed("name: a")
    assert (found.ref, found.title, found.scale) == ("a@1", "a", Scale(1, 7, {}))
    assert (found.flags, found.marks, found.skips) == ((), (), DEFAULT_SKIPS)


def test_numbers_and_words_may_stand_in_quotes() -> None:
    found = parsed("name: a\nversion: '2'\nflags: [{key: f, label: x, positive: 'no'}]")
    assert found.version == 2
    assert found.flags == (FlagRule("f", "x", False),)


@pytest.mark.parametrize(
    ("matter", "complaint"),
    [
        ("- 1", "front matter: input should be a valid dictionary"),
        ("version: 1", "name: field required"),
        ("name: Upper", "name: string should match pattern"),
        ("name: 7", "name: input should be a valid string"),
        ("name: a\nversion: 0", "version: input should be greater than or equal to 1"),
        ("name: a\nversion: 1.5", "version: input should be a valid integer"),
        ("name: a\nversion: .inf", "version: input should be a valid integer"),
        ("name: a\nversion: [1]", "version: input should be a valid integer"),
        ("name: a\nversion: 2026-13-45", "front matter: a date or a number that is none"),
        (f"name: a\nversion: {'9' * 5000}", "front matter: a date or a number that is none"),
        ("name: a\ntitle: 7", "title: input should be a valid string"),
        ("name: a\ncolour: red", "colour: extra inputs are not permitted"),
        ("name: a\nscale: 7", "scale: input should be a valid dictionary"),
        ("name: a\nscale: {max: 12}", "scale.max: input should be less than or equal to 9"),
        ("name: a\nscale: {min: -1}", "scale.min: input should be greater than or equal to 0"),
        ("name: a\nscale: {min: 5, max: 5}", "scale: min must be under max"),
        ("name: a\nscale: {labels: {x: y}}", "scale.labels.x: input should be a valid integer"),
        ("name: a\nscale: {labels: {1: 2}}", "scale.labels.1: input should be a valid string"),
        ("name: a\nscale: {most: 5}", "scale.most: extra inputs are not permitted"),
        ("name: a\nflags:", "flags: input should be a valid list"),
        ("name: a\nflags: [x]", "flags.0: input should be a valid dictionary"),
        ("name: a\nflags: [{key: b, label: c}, {key: d}]", "flags.1.label: field required"),
        ("name: a\nmarks: [{key: B, label: c}]", "marks.0.key: string should match pattern"),
        (
            "name: a\nflags: [{key: b, label: c, positive: maybe}]",
            "positive: input should be a valid boolean",
        ),
        ("name: a\nskips: [{key: b, label: c}, {key: b, label: d}]", "'b' is defined twice"),
        ("name: [", "front matter is not YAML"),
        ("name: &a [*a]", "nested too deep, or with anchors"),
    ],
)
def test_what_may_not_be_said_is_named(matter: str, complaint: str) -> None:
    with pytest.raises(InputError, match=r"^x\.md") as caught:
        parsed(matter)
    assert complaint in str(caught.value)


def test_the_guidelines_that_come_with_labelkit() -> None:
    folder = Path(__file__).parent.parent.parent / "guidelines"
    found = [p for p in folder.glob("*.md") if p.name != "README.md"]
    assert found
    for path in found:
        assert parse_guideline(path.read_text(encoding="utf-8"), str(path)).flags
