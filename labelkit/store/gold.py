"""Gold: prompts whose right ranking is known, for tasks that measure the labelers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from labelkit.domain.canonical import canonical_json, uid_of
from labelkit.domain.models import Tiers
from labelkit.domain.times import now_text
from labelkit.store import schema
from labelkit.store.codec import raw
from labelkit.store.engine import Tx
from labelkit.store.sql import insert_many


def find_prompts(tx: Tx, name: str) -> dict[int, str]:
    """Map local keys to uids for the prompts that the outside world knows by `name`."""
    prompt, alias = schema.prompt, schema.prompt_alias
    by_alias = select(alias.c.prompt_id).where(alias.c.name == name)
    query = select(prompt.c.id, prompt.c.uid)
    query = query.where((prompt.c.external_id == name) | prompt.c.id.in_(by_alias))
    return {row.id: row.uid.hex() for row in tx.execute(query)} or find_uid(tx, name)


def find_uid(tx: Tx, uid: str) -> dict[int, str]:
    """Like `find_prompts`, for a uid."""
    try:
        wanted = raw(uid)
    except ValueError:
        return {}
    prompt = schema.prompt
    query = select(prompt.c.id, prompt.c.uid).where(prompt.c.uid == wanted)
    return {row.id: row.uid.hex() for row in tx.execute(query)}


def completion_names(tx: Tx, prompt_key: int) -> dict[str, str]:
    """Map every name of a prompt's completions, in files and by uid, to their uids."""
    completion, source = schema.completion, schema.completion_source
    query = (
        select(completion.c.uid, source.c.external_id)
        .join(source, source.c.completion_id == completion.c.id, isouter=True)
        .where(completion.c.prompt_id == prompt_key)
    )
    rows = tx.execute(query).all()
    names = {row.external_id: row.uid.hex() for row in rows if row.external_id}
    return names | {row.uid.hex(): row.uid.hex() for row in rows}


def add(
    tx: Tx, prompt_key: int, prompt: str, tiers: Tiers, keys: Mapping[str, int], note: str
) -> None:
    """Store a known ranking; `keys` maps completion uids to local keys. Known ones are kept."""
    said: Sequence[Sequence[str]] = [sorted(tier) for tier in tiers]
    row = (
        raw(uid_of("gold", [prompt, said])),
        prompt_key,
        canonical_json([sorted(keys[uid] for uid in tier) for tier in tiers]).decode(),
        note or None,
        now_text(),
    )
    columns = ("uid", "prompt_id", "tiers", "note", "created_at")
    insert_many(tx, schema.gold, columns, [row], known_ok=True)
