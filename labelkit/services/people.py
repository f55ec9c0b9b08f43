"""Labelers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelkit.domain.models import Labeler, LabelerKind
from labelkit.errors import UsageError
from labelkit.services.project import opened
from labelkit.store import people

SCHEMA = "labelkit.labelers/1"


def add(
    store: Path, name: str, kind: str = LabelerKind.HUMAN, cohort: str | None = None
) -> Labeler:
    """Add a labeler. Raises Conflict when the name is taken."""
    if not name or name != name.strip() or not name.isprintable() or len(name) > 200:
        raise UsageError(f"not a name for a labeler: {name!r}", hint="letters, digits, spaces")
    labeler = Labeler(name, LabelerKind(kind), cohort)
    with opened(store) as opened_store, opened_store.write() as tx:
        people.add(tx, labeler)
    return labeler


def everyone(store: Path) -> list[Labeler]:
    """Return all labelers by name."""
    with opened(store) as opened_store, opened_store.read() as tx:
        return people.everyone(tx)


def as_json(labelers: list[Labeler]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "labelers": [
            {"name": x.name, "kind": str(x.kind), "cohort": x.cohort, "active": x.active}
            for x in labelers
        ],
    }
