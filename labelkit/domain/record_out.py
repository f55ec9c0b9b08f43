"""labelkit's own JSONL record, the way out. `from_record` in `records` reads it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labelkit.domain.decisions import to_entry
from labelkit.domain.models import (
    Bundle,
    Completion,
    Demonstration,
    Label,
    LabelerKind,
    Prompt,
    Ranking,
    Skip,
    Source,
)
from labelkit.domain.records import Names, source_key


def to_record(bundle: Bundle) -> dict[str, Any]:
    """Return the record of a bundle: superseded labels too, so that nothing is lost."""
    prompt = bundle.prompt
    contested = _contested(bundle.completions)
    names = _names(bundle.completions, contested)
    everyone = {c.uid for c in bundle.completions}
    return {
        "prompt_id": prompt.name,
        "prompt": prompt_value(prompt),
        "kind": str(prompt.kind),
        "use_case": prompt.use_case,
        "source": prompt.source,
        "user": prompt.user,
        "language": prompt.language,
        "split": prompt.split,
        "meta": _sorted_json(prompt.meta),
        **({"aliases": list(prompt.aliases)} if prompt.aliases else {}),
        **({"decisions": _decisions(prompt)} if prompt.decisions else {}),
        "completions": [
            entry
            for completion in sorted(bundle.completions, key=lambda c: (names[c.uid], c.uid))
            for entry in _completion_entries(completion, names[completion.uid], contested)
        ],
        "demonstrations": [_demonstration_entry(d) for d in _ordered(bundle.demonstrations)],
        "rankings": [_ranking_entry(r, names, everyone) for r in _ordered(bundle.rankings)],
        **({"skips": [_skip_entry(s) for s in _ordered(bundle.skips)]} if bundle.skips else {}),
    }


def _decisions(prompt: Prompt) -> list[dict[str, str | None]]:
    made = sorted(prompt.decisions, key=lambda d: (d.made_at, d.uid))
    return [to_entry(decision) for decision in made]


def prompt_value(prompt: Prompt) -> str | list[dict[str, str]]:
    """A lone user message as text, anything else as a list of messages."""
    if len(prompt.messages) == 1:
        return prompt.messages[0].content
    return [{"role": m.role, "content": m.content} for m in prompt.messages]


def _ordered(labels: Sequence[Any]) -> list[Any]:
    return sorted(labels, key=lambda label: label.order)


def _contested(completions: Iterable[Completion]) -> set[str]:
    """External ids that more than one completion of the prompt claims."""
    seen: set[str] = set()
    contested: set[str] = set()
    for completion in completions:
        claims = {s.external_id for s in completion.sources if s.external_id}
        contested |= claims & seen
        seen |= claims
    return contested


def _names(completions: Iterable[Completion], contested: set[str]) -> Names:
    """Map uid to the first external id that is its own, or to the uid itself."""
    return {
        c.uid: next(
            (s.external_id for s in c.sources if s.external_id and s.external_id not in contested),
            c.uid,
        )
        for c in completions
    }


def _completion_entries(
    completion: Completion, name: str, contested: set[str]
) -> list[dict[str, Any]]:
    """One entry for each source; only the first must have an id."""
    sources = completion.sources or (Source(),)
    ordered = sorted(sources, key=lambda s: (s.external_id != name, source_key(s)))
    return [
        {
            "id": name if i == 0 else None if s.external_id in contested else s.external_id,
            "text": completion.text,
            "model": s.model,
            "params": _sorted_json(s.params),
            **({"alias": s.external_id} if s.external_id in contested else {}),
        }
        for i, s in enumerate(ordered)
    ]


def _sorted_json(value: Any) -> Any:
    """Fix the key order of free-form JSON, so that equal values are equal bytes."""
    if isinstance(value, list | tuple):
        return [_sorted_json(v) for v in value]
    if isinstance(value, Mapping):
        return {key: _sorted_json(value[key]) for key in sorted(value)}
    return value


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value


def _extras(label: Label) -> dict[str, Any]:
    """The fields most labels do not have, left out where they are at rest."""
    fields = {
        "labeler_kind": None if label.labeler_kind == LabelerKind.HUMAN else label.labeler_kind,
        "batch": label.batch,
        "supersedes": label.supersedes,
        "origin": None if label.origin == "import" else label.origin,
    }
    return {key: str(value) for key, value in fields.items() if value}


def _timing(label: Label) -> dict[str, Any]:
    return {
        "seconds": _number(label.seconds),
        "guideline": label.guideline,
        "note": label.note,
        "submitted_at": label.submitted_at,
    }


def _demonstration_entry(label: Demonstration) -> dict[str, Any]:
    return {"text": label.text, "labeler": label.labeler, **_timing(label), **_extras(label)}


def _skip_entry(label: Skip) -> dict[str, Any]:
    return {
        "labeler": label.labeler,
        "reason": label.reason,
        "task": label.task,
        **_timing(label),
        **_extras(label),
    }


def _ranking_entry(label: Ranking, names: Names, everyone: set[str]) -> dict[str, Any]:
    extras: dict[str, Any] = {
        "unranked": sorted(names[uid] for uid in label.unranked),
        "among": _among(label, names, everyone),
        "notes": _renamed(label.notes, names),
        "marks": list(label.marks),
        "read": _renamed(label.read, names),
        "seeded": label.seeded,
        "revisions": label.revisions or None,
        "repeat": label.repeat or None,
    }
    return {
        "labeler": label.labeler,
        "tiers": [sorted(names[uid] for uid in tier) for tier in label.tiers],
        "ratings": _renamed(label.ratings, names),
        "flags": {k: list(v) for k, v in _renamed(label.flags, names).items()},
        "shown": [names[uid] for uid in label.shown],
        **_timing(label),
        **{key: value for key, value in extras.items() if value not in (None, [], {})},
        **_extras(label),
    }


def _among(label: Ranking, names: Names, everyone: set[str]) -> list[str]:
    """Say what was judged where neither the order shown nor the record as a whole does."""
    judged = set(label.judged)
    if label.shown or judged == everyone:
        return []
    return sorted(names[uid] for uid in judged)


def _renamed(values: Mapping[str, Any], names: Names) -> dict[str, Any]:
    return dict(sorted((names[uid], value) for uid, value in values.items()))
