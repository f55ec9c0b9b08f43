"""At most so many prompts of one user, so that nobody's habits become the model's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from labelkit.domain.shuffle import seed_of


@dataclass(frozen=True, slots=True)
class Capped:
    """A prompt that could be one too many. Those kept by hand stay first, then labelled ones."""

    key: int
    uid: str
    group: str
    kept: bool = False
    labelled: bool = False


def over(prompts: Iterable[Capped], most: int, seed: str = "") -> list[Capped]:
    """Return the prompts beyond `most` of each group, by group and uid.

    Which ones stay is drawn by a hash of their uids: it does not depend on the order, and a new
    prompt moves at most one other out. InstructGPT took 200 a user (arXiv 2203.02155, 3.2).

    >>> some = [Capped(i, str(i), "u1", kept=i == 2) for i in range(3)]
    >>> sorted(p.uid for p in over(some, 1))
    ['0', '1']
    """
    groups: dict[str, list[Capped]] = defaultdict(list)
    for prompt in prompts:
        groups[prompt.group].append(prompt)
    beyond = [
        prompt
        for members in groups.values()
        for prompt in sorted(members, key=lambda p: _order(p, seed))[most:]
        if not prompt.kept
    ]
    return sorted(beyond, key=lambda p: (p.group, p.uid))


def _order(prompt: Capped, seed: str) -> tuple[bool, bool, int, str]:
    return (not prompt.kept, not prompt.labelled, seed_of("cap", seed, prompt.uid), prompt.uid)
