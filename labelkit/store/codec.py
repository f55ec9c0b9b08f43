"""Between domain values and rows. Completions are uids outside and local keys inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Table

from labelkit.domain.canonical import canonical_json
from labelkit.domain.models import Demonstration, Label, LabelerKind, Ranking, Skip
from labelkit.errors import ForeignStore
from labelkit.store import schema

Ids = Mapping[str, int]
Uids = Mapping[int, str]

COMMON = (
    "uid",
    "prompt_id",
    "labeler_id",
    "guideline_id",
    "task_id",
    "batch",
    "seconds",
    "note",
    "submitted_at",
    "supersedes",
    "origin",
    "seq",
)
_RANKING = (
    "tiers",
    "unranked",
    "ratings",
    "flags",
    "notes",
    "marks",
    "shown",
    "read",
    "seeded",
    "revisions",
    "repeat",
)
BRIEF: dict[type[Label], tuple[str, ...]] = {
    Ranking: (*COMMON, "tiers", "unranked", "repeat"),
}
"""The columns that `ranking_from` reads without details."""
OWN: dict[type[Label], tuple[str, ...]] = {
    Ranking: _RANKING,
    Demonstration: ("text",),
    Skip: ("reason", "task"),
}
TABLES: dict[type[Label], Table] = {
    Ranking: schema.ranking,
    Demonstration: schema.demonstration,
    Skip: schema.skip,
}


def common_values(
    label: Label, prompt: int, labeler: int | None, guideline: int | None, task: int | None
) -> tuple[Any, ...]:
    """Return the columns of `COMMON`; the four keys are this store's own."""
    return (
        blob(label.uid),
        prompt,
        labeler,
        guideline,
        task,
        label.batch,
        label.seconds,
        label.note or None,
        label.submitted_at,
        raw(label.supersedes) if label.supersedes else None,
        label.origin,
        label.seq,
    )


@contextmanager
def sound_rows() -> Iterator[None]:
    """Rows that make no sense were changed behind labelkit's back. Raises ForeignStore."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError):
        what = "the store is damaged: a row makes no sense"
        raise ForeignStore(what, hint="labelkit doctor") from None


def raw(uid: str) -> bytes:
    """A uid as the store keeps it."""
    return bytes.fromhex(uid)


def blob(uid: str) -> bytearray:
    """A uid for a row that is written: the driver takes a bytearray as it is, but no bytes."""
    return bytearray.fromhex(uid)


def dump(value: Any) -> str | None:
    """Canonical JSON, or nothing for nothing."""
    return canonical_json(value).decode() if value else None


def load(text: str | None, default: Any) -> Any:
    return orjson.loads(text) if text else default


def own_values(label: Label, ids: Ids) -> tuple[Any, ...]:
    """The columns that only this kind of label has, in the order of `OWN`."""
    if isinstance(label, Ranking):
        return _ranking_values(label, ids)
    if isinstance(label, Demonstration):
        return (label.text,)
    assert isinstance(label, Skip)
    return (label.reason, label.task)


def _ranking_values(label: Ranking, ids: Ids) -> tuple[Any, ...]:
    return (
        canonical_json([sorted(ids[uid] for uid in tier) for tier in label.tiers]).decode(),
        dump(sorted(ids[uid] for uid in label.unranked)),
        dump(_keyed(label.ratings, ids)),
        dump(_keyed(label.flags, ids)),
        dump(_keyed(label.notes, ids)),
        dump(list(label.marks)),
        dump([ids[uid] for uid in label.shown]),
        dump(_keyed(label.read, ids)),
        None if label.seeded is None else int(label.seeded),
        label.revisions,
        int(label.repeat),
    )


def _keyed(values: Mapping[str, Any], ids: Ids) -> dict[str, Any]:
    return {str(ids[uid]): value for uid, value in values.items()}


def label_from(row: Any, kind: type[Label], uids: Uids, common: Mapping[str, Any]) -> Any:
    """Read a label of `kind`; `row` has the columns of `OWN[kind]` as attributes."""
    if kind is Ranking:
        return ranking_from(row, uids, common)
    return kind(**common, **{name: getattr(row, name) for name in OWN[kind]})


def ranking_from(
    row: Any, uids: Uids, common: Mapping[str, Any], *, details: bool = True
) -> Ranking:
    """Read a ranking; `row` has the columns of `OWN[Ranking]` as attributes.

    Without `details` it says who placed what where, and no more.
    """
    tiers = tuple([_tier(tier, uids) for tier in orjson.loads(row.tiers)])
    unranked = tuple(sorted([uids[i] for i in orjson.loads(row.unranked)])) if row.unranked else ()
    if not details:
        return Ranking(**common, tiers=tiers, unranked=unranked, repeat=bool(row.repeat))
    return Ranking(
        **common,
        tiers=tiers,
        unranked=unranked,
        ratings=_named(row.ratings, uids),
        flags={uid: tuple(flags) for uid, flags in _named(row.flags, uids).items()},
        notes=_named(row.notes, uids),
        marks=tuple(load(row.marks, ())),
        shown=tuple(uids[i] for i in load(row.shown, ())),
        read=_named(row.read, uids),
        seeded=None if row.seeded is None else bool(row.seeded),
        revisions=row.revisions,
        repeat=bool(row.repeat),
    )


def _tier(keys: list[int], uids: Uids) -> tuple[str, ...]:
    return (uids[keys[0]],) if len(keys) == 1 else tuple(sorted([uids[key] for key in keys]))


def _named(text: str | None, uids: Uids) -> dict[str, Any]:
    return dict(sorted((uids[int(i)], v) for i, v in orjson.loads(text).items())) if text else {}


def common_from(
    row: Any, labelers: Mapping[int, tuple[str, str]], guidelines: Mapping[int, str]
) -> dict[str, Any]:
    """Read what every label has; the maps turn local keys into names."""
    name, kind = labelers.get(row.labeler_id, (None, LabelerKind.HUMAN))
    return {
        "uid": row.uid.hex(),
        "labeler": name,
        "labeler_kind": kind,
        "guideline": guidelines.get(row.guideline_id),
        "batch": row.batch,
        "seconds": row.seconds,
        "note": row.note or "",
        "submitted_at": row.submitted_at,
        "supersedes": row.supersedes.hex() if row.supersedes else None,
        "origin": row.origin,
        "seq": row.seq,
    }
