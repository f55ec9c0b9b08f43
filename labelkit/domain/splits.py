"""Splits by hash of a key: a prompt never moves and a user never straddles two splits."""

from __future__ import annotations

from dataclasses import dataclass, field

from labelkit.domain.leaks import leak_key, prompt_text
from labelkit.domain.models import Prompt
from labelkit.domain.shuffle import seed_of
from labelkit.errors import UsageError

_SPACE = 1 << 64


_HELD_OUT = frozenset(
    ["valid", "validation", "val", "dev", "test", "eval", "evaluation", "heldout", "holdout"]
)


def is_training(split: str) -> bool:
    """Whether models learn from a split: from every one that is not called held out.

    >>> [is_training(name) for name in ("train", "train_small", "valid", "test")]
    [True, True, False, False]
    """
    return split.casefold().replace("-", "").replace("_", "") not in _HELD_OUT


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Names and shares, in order; the shares sum to 1. `text` is how it was written."""

    shares: tuple[tuple[str, float], ...] = (("train", 1.0),)
    seed: str = ""
    text: str = field(default="", compare=False)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.shares]


def parse_plan(text: str, seed: str = "") -> SplitPlan:
    """Read `train=0.9,valid=0.1`. Shares are normalised, so `train=9,valid=1` is the same plan.

    >>> parse_plan("train=9,valid=1").shares
    (('train', 0.9), ('valid', 0.1))
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = part.strip().partition("=")
        if not equals or not name.isidentifier() or name in shares:
            raise UsageError(f"not a split: {part.strip()!r}", hint="--split train=0.9,valid=0.1")
        shares[name] = _share(number)
    total = sum(shares.values())
    normal = tuple((name, share / total) for name, share in shares.items())
    return SplitPlan(normal, seed, text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0.0 < share < 1e9:
        raise UsageError(f"not a share of the data: {text!r}", hint="--split train=0.9,valid=0.1")
    return share


def split_key(prompt: Prompt) -> str:
    """What must stay together: the user's prompts, or the prompt in whatever case and spacing."""
    if prompt.user:
        return f"user:{prompt.user}"
    return f"prompt:{leak_key(prompt_text(prompt.messages))}"


def split_of(prompt: Prompt, plan: SplitPlan) -> str:
    """Return the split of a prompt: the one it is pinned to, or the one its key falls into.

    >>> split_of(Prompt("ab" * 16, (), split="test"), SplitPlan())
    'test'
    """
    if prompt.split:
        return prompt.split
    if len(plan.shares) == 1:
        return plan.shares[0][0]
    point = seed_of("split", plan.seed, split_key(prompt)) / _SPACE
    edge = 0.0
    for name, share in plan.shares:
        edge += share
        if point < edge:
            return name
    return plan.shares[-1][0]
