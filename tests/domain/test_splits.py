"""Splits: nobody straddles, nothing moves, shares come out about right."""

from __future__ import annotations

from collections import Counter

import pytest

from labelkit.domain.models import Message, Prompt
from labelkit.domain.splits import SplitPlan, parse_plan, split_of
from labelkit.errors import UsageError


def prompt(n: int, user: str | None = None, split: str | None = None) -> Prompt:
    return Prompt(f"{n:032x}", (Message("user", str(n)),), user=user, split=split)


def test_shares_come_out() -> None:
    plan = parse_plan("train=0.8,valid=0.1,test=0.1")
    found = Counter(split_of(prompt(n), plan) for n in range(5000))
    assert {name: round(n / 5000, 1) for name, n in found.items()} == {
        "train": 0.8,
        "valid": 0.1,
        "test": 0.1,
    }


def test_a_user_is_in_one_split() -> None:
    plan = parse_plan("train=1,valid=1")
    for user in ("u1", "u2", "u3"):
        assert len({split_of(prompt(n, user), plan) for n in range(50)}) == 1
    assert len({split_of(prompt(n, f"u{n}"), plan) for n in range(50)}) == 2


def test_a_growing_train_share_only_takes_in() -> None:
    small, large = parse_plan("train=0.5,valid=0.5"), parse_plan("train=0.7,valid=0.3")
    for n in range(300):
        if split_of(prompt(n), small) == "train":
            assert split_of(prompt(n), large) == "train"


def test_the_seed_moves_prompts() -> None:
    one, two = (parse_plan("a=1,b=1", seed) for seed in ("x", "y"))
    assert any(split_of(prompt(n), one) != split_of(prompt(n), two) for n in range(50))


def test_a_pinned_prompt_stays_pinned() -> None:
    assert split_of(prompt(1, split="test"), SplitPlan()) == "test"


@pytest.mark.parametrize(
    "text",
    ["", "train", "train=", "train=x", "train=0", "train=-1", "=1", "a=1,a=1", "a=inf", "../x=1"],
)
def test_plans_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_plan(text)
