"""What is drawn by a hash stays drawn: another version must not move prompts, and says no less."""

from __future__ import annotations

import pytest

from labelkit.domain.caps import Capped, over
from labelkit.domain.models import Prompt, Source
from labelkit.domain.pii import Hint, masked
from labelkit.domain.records import source_key
from labelkit.domain.splits import SplitPlan, parse_plan, split_of
from labelkit.errors import UsageError


def test_users_stay_in_the_split_they_fell_into() -> None:
    plan = parse_plan("train=0.5,valid=0.5", "s")
    found = [split_of(Prompt("p", (), user=f"u{n}"), plan) for n in range(16)]
    assert "".join(name[0] for name in found) == "vttvvvvttvttvtvv"
    assert found != [
        split_of(Prompt("p", (), user=f"u{n}"), SplitPlan(plan.shares)) for n in range(16)
    ]


def test_shares_that_leave_a_rest_give_it_to_the_last_split() -> None:
    one = Prompt("p", (), user="u")
    assert split_of(one, SplitPlan((("only", 1.0),))) == "only"
    assert split_of(one, SplitPlan((("a", 0.0), ("b", 0.0), ("c", 0.0)))) == "c"


@pytest.mark.parametrize("share", ["nan", "1e9", "0", "-1", "half"])
def test_a_share_is_a_share(share: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_plan(f"train={share}")
    assert str(caught.value) == f"not a share of the data: {share!r}"
    assert caught.value.hint == "--split train=0.9,valid=0.1"


@pytest.mark.parametrize(("seed", "beyond"), [("x", "12356"), ("y", "01457")])
def test_a_cap_keeps_whom_it_kept(seed: str, beyond: str) -> None:
    many = [Capped(i, f"p{i}", "u") for i in range(8)]
    assert [p.uid for p in over(many, 3, seed)] == [f"p{n}" for n in beyond]


@pytest.mark.parametrize(
    ("kind", "found", "shown"),
    [
        ("email", "jo.x@mail.web.de", "j***@m***.de"),
        ("key", "sk-abcdef", "sk-a***"),
        ("card", "4111 1111 1111 1234", "***34"),
        ("phone", "+49 30 12345", "***45"),
    ],
)
def test_what_a_mask_shows(kind: str, found: str, shown: str) -> None:
    assert masked(Hint(kind, 0, len(found), found)) == shown


def test_sources_are_told_apart_by_all_they_say() -> None:
    assert source_key(Source()) == ("", "", "{}")
    assert source_key(Source("m", {"t": 1}, "e")) == ("e", "m", '{"t":1}')
