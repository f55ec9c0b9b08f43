"""What was done to this store as a whole, and when."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from labelkit.domain.canonical import canonical_json
from labelkit.domain.times import now_text
from labelkit.store.engine import Tx
from labelkit.store.schema import journal as table


def note(tx: Tx, command: str, **detail: Any) -> None:
    """Add an entry; `detail` is plain JSON and holds no text of prompts or completions."""
    said = canonical_json(detail).decode()
    tx.execute(insert(table).values(at=now_text(), command=command, detail=said))
