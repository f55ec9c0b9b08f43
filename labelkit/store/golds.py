"""Gold: prompts whose right ranking is known."""

from __future__ import annotations

from collections import defaultdict

import orjson
from sqlalchemy import select

from labelkit.domain.models import Tiers
from labelkit.store import schema
from labelkit.store.engine import Tx


def by_prompt(tx: Tx) -> dict[str, list[Tiers]]:
    """Map each prompt's uid to its gold rankings, the oldest first."""
    gold, prompt, completion = schema.gold, schema.prompt, schema.completion
    query = (
        select(gold.c.prompt_id, prompt.c.uid, gold.c.tiers)
        .join(prompt, prompt.c.id == gold.c.prompt_id)
        .order_by(gold.c.id)
    )
    rows = tx.execute(query).all()
    keyed = select(completion.c.id, completion.c.uid).where(
        completion.c.prompt_id.in_(select(gold.c.prompt_id))
    )
    uids = {row.id: row.uid.hex() for row in tx.execute(keyed)} if rows else {}
    found: dict[str, list[Tiers]] = defaultdict(list)
    for row in rows:
        tiers = tuple(tuple(sorted(uids[i] for i in tier)) for tier in orjson.loads(row.tiers))
        found[row.uid.hex()].append(tiers)
    return dict(found)
