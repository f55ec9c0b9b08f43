"""Prompts that are in the store twice, but for case and spacing, must not be in two splits."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable

from labelkit.domain.leaks import leak_key, prompt_text
from labelkit.domain.models import Prompt
from labelkit.domain.splits import SplitPlan, split_of


def twins(prompts: Callable[[], Iterable[Prompt]], plan: SplitPlan) -> dict[int, str]:
    """Map the key of every prompt that would fall into several splits to the first one's split.

    Goes through the prompts twice, and holds 8 bytes for each.
    """
    shared = _repeated(leak_key(prompt_text(p.messages)) for p in prompts())
    if not shared:
        return {}
    splits: dict[int, list[str]] = {key: [] for key in shared}
    for prompt in prompts():
        key = leak_key(prompt_text(prompt.messages))
        if key in splits:
            splits[key].append(split_of(prompt, plan))
    return {key: found[0] for key, found in splits.items() if len(set(found)) > 1}


def _repeated(keys: Iterable[int]) -> set[int]:
    import numpy as np

    ordered = np.sort(np.frombuffer(array("Q", keys), dtype=np.uint64))
    return set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
