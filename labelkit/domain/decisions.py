"""What was decided about a prompt, and what follows from it.

A decision is never changed: a later one about the same aspect supersedes it, and an undo is a
decision that says again what held before. What holds is what nobody superseded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from labelkit.domain.canonical import uid_of
from labelkit.domain.models import Decision, Prompt
from labelkit.domain.times import normalise


class Aspect(StrEnum):
    """What a decision can be about."""

    USE = "use"
    PII = "pii"
    SPLIT = "split"
    USE_CASE = "use_case"


class Use(StrEnum):
    """Values of `Aspect.USE`. A kept prompt is not excluded by a rule that comes later."""

    EXCLUDE = "exclude"
    KEEP = "keep"


CLEARED = "cleared"
"""The value of `Aspect.PII` that says: what looked like personal data is none."""

UNDO = "undo"
"""The reason of a decision that takes another one back where nothing held before."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a prompt now, by aspect; None where nothing was decided."""

    use: Decision | None = None
    pii: Decision | None = None
    split: Decision | None = None
    use_case: Decision | None = None

    @property
    def excluded(self) -> bool:
        return self.use is not None and self.use.value == Use.EXCLUDE

    @property
    def kept(self) -> bool:
        return self.use is not None and self.use.value == Use.KEEP

    @property
    def cleared(self) -> bool:
        """Whether somebody looked at the PII hints, or at the whole prompt, and let it pass."""
        return self.kept or (self.pii is not None and self.pii.value == CLEARED)


def named(prompt: str, decision: Decision) -> Decision:
    """Return `decision` with the uid that its prompt and everything it says give it."""
    said = [getattr(decision, f.name) for f in fields(decision) if f.name != "uid"]
    return replace(decision, uid=uid_of("decision", [prompt, said]))


def to_entry(decision: Decision) -> dict[str, str | None]:
    """Return a decision as it stands in a record; what it does not say is left out."""
    said = {f.name: getattr(decision, f.name) for f in fields(decision) if f.name != "uid"}
    return {name: value for name, value in said.items() if value or name == "value"}


def from_entry(prompt: str, entry: Mapping[str, str | None]) -> Decision:
    """Return the decision that `to_entry` wrote, about the prompt of a uid.

    Raises ValueError when it makes no sense.
    """
    said: dict[str, Any] = {name: value for name, value in entry.items() if value is not None}
    found = Decision(**{"value": None, **said, "made_at": normalise(str(entry["made_at"]))})
    values = _VALUES.get(found.aspect)
    if values and found.value not in (*values, None):
        raise ValueError(f"{found.aspect} is one of: {', '.join(values)}")
    return named(prompt, found)


_VALUES = {str(Aspect.USE): tuple(map(str, Use)), str(Aspect.PII): (CLEARED,)}


def heads(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Map each aspect to the decision that holds, retractions among them.

    Two that were made independently of one another (in two copies of a store) both stand at the
    end; the later one holds then.
    """
    made = list(decisions)
    old = {d.supersedes for d in made}
    last = sorted((d for d in made if d.uid not in old), key=lambda d: (d.made_at, d.uid))
    return {d.aspect: d for d in last}


def standing(prompt: Prompt) -> Standing:
    """Return what holds for a prompt.

    >>> why = Decision(uid="1", aspect="use", value="exclude", reason="by hand", made_at="", run="")
    >>> standing(Prompt("ab" * 16, (), decisions=(why,))).excluded
    True
    """
    if not prompt.decisions:
        return _NOTHING
    held = {a: d for a, d in heads(prompt.decisions).items() if d.value is not None}
    return Standing(**{f.name: held.get(f.name) for f in fields(Standing)})


_NOTHING = Standing()


def settled(prompt: Prompt) -> Prompt:
    """Return the prompt in the split and with the use case that were decided, if any were."""
    if not prompt.decisions:
        return prompt
    held = standing(prompt)
    return replace(
        prompt,
        split=held.split.value if held.split else prompt.split,
        use_case=held.use_case.value if held.use_case else prompt.use_case,
    )


def in_words(prompt: Prompt) -> list[str]:
    """Return what holds for a prompt as `aspect=value`: the same after a decision and its undo."""
    if not prompt.decisions:
        return []
    held = heads(prompt.decisions)
    return [f"{aspect}={held[aspect].value}" for aspect in sorted(held) if held[aspect].value]


def origin(decision: Decision, made: Mapping[str, Decision]) -> Decision:
    """Return the decision that one stands for: itself, or what it restored. `made` is by uid."""
    while decision.restores and decision.restores in made:
        decision = made[decision.restores]
    return decision


def undone(
    decision: Decision, made: Mapping[str, Decision], *, by: str | None, made_at: str, run: str
) -> Decision | None:
    """Return the decision that makes one as if it had never been made.

    `made` maps uids to all decisions about the prompt. None when something else holds by now.
    """
    head = heads(made.values())[decision.aspect]
    if decision not in (head, origin(head, made)):
        return None
    old = made.get(decision.supersedes or "")
    return Decision(
        aspect=decision.aspect,
        value=old.value if old else None,
        reason=old.reason if old else UNDO,
        note=old.note if old else "",
        by=by,
        made_at=made_at,
        run=run,
        supersedes=head.uid,
        restores=old.uid if old else None,
    )
