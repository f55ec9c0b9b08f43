"""Guidelines and their versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelkit.domain.guidelines import parse_guideline
from labelkit.domain.models import Guideline
from labelkit.errors import InputError
from labelkit.services.project import opened
from labelkit.store import rules

SCHEMA = "labelkit.guidelines/1"


def add(store: Path, path: Path) -> tuple[Guideline, bool]:
    """Add a version from a file and say whether it is new. Raises InputError or Conflict."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    guideline = parse_guideline(text.replace("\r\n", "\n"), str(path))
    with opened(store) as opened_store, opened_store.write() as tx:
        return guideline, rules.add(tx, guideline)


def everything(store: Path) -> list[Guideline]:
    """Return all versions; those that labels only quote have no text."""
    with opened(store) as opened_store, opened_store.read() as tx:
        return rules.everything(tx)


def get(store: Path, ref: str | None) -> Guideline:
    """Return `name@version`, the newest version of `name`, or the one in force. Raises NotFound."""
    with opened(store) as opened_store, opened_store.read() as tx:
        newest = None if ref else rules.newest(tx)
        return newest or rules.get(tx, ref or "")


def as_json(guidelines: list[Guideline]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "guidelines": [
            {
                "ref": g.ref,
                "uid": g.uid,
                "title": g.title,
                "scale": [g.scale.least, g.scale.most],
                "flags": [f.key for f in g.flags],
                "marks": [m.key for m in g.marks],
                "skips": [s.key for s in g.skips],
                "text_known": g.text is not None,
            }
            for g in guidelines
        ],
    }
