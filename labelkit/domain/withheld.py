"""Which prompts make no rows, whatever was said to them."""

from __future__ import annotations

from labelkit.domain.decisions import standing
from labelkit.domain.models import Prompt
from labelkit.domain.pii import hints_of
from labelkit.domain.splits import is_training

EXCLUDED = "excluded"
UNDECIDED = "undecided_pii"


def withheld(prompt: Prompt, split: str, *, allow_pii: bool = False) -> str | None:
    """Return why a prompt is left out of a split, or None.

    A prompt with PII hints stays out of training data until somebody has decided about them
    (InstructGPT, arXiv 2203.02155, 3.2: "we filter all prompts in the training split for PII").
    """
    held = standing(prompt)
    if held.excluded:
        return EXCLUDED
    if allow_pii or held.cleared or not is_training(split):
        return None
    return UNDECIDED if hints_of(prompt) else None
