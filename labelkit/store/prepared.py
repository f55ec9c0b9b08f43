"""A record as the store keeps it, all but the local keys: plain values that are quickly handed on.

Made away from the store, in another process even; `ingest` only adds the keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from labelkit.domain.canonical import canonical_json
from labelkit.domain.models import Bundle, Prompt
from labelkit.domain.records import Incoming, source_key
from labelkit.store.codec import dump

ATTRIBUTES = ("use_case", "source", "user", "language", "split", "meta", "external_id")
"""What a later record of the same prompt may fill in."""

SAID = ("kind", "messages", *ATTRIBUTES)
"""The columns of `Prepared.said`."""


class Prepared(NamedTuple):
    """One prompt with its completions, each as (uid, text, sources as (id, model, params)).

    `labels` is the bundle where labels or decisions hang off it. Without one it is plain JSON.
    """

    uid: str
    said: Sequence[str | None]
    aliases: Sequence[str]
    completions: Sequence[tuple[str, str, Sequence[tuple[str, str, str]]]]
    collapsed_completions: int = 0
    collapsed_rankings: int = 0
    labels: Bundle | None = None

    @property
    def user(self) -> str | None:
        return self.said[_USER]

    @property
    def external_id(self) -> str | None:
        return self.said[-1]


_USER = SAID.index("user")


def prepare(incoming: Incoming) -> Prepared:
    """Return the rows that a bundle becomes."""
    bundle = incoming.bundle
    prompt = bundle.prompt
    labeled = bundle.rankings or bundle.demonstrations or bundle.skips or prompt.decisions
    return Prepared(
        prompt.uid,
        _said(prompt),
        prompt.aliases,
        tuple(
            [
                (uid, text, tuple(map(source_key, sources)))
                for uid, text, sources in bundle.completions
            ]
        ),
        incoming.collapsed_completions,
        incoming.collapsed_rankings,
        bundle if labeled else None,
    )


def _said(prompt: Prompt) -> tuple[str | None, ...]:
    messages = [[m.role, m.content] for m in prompt.messages]
    return (
        str(prompt.kind),
        canonical_json(messages).decode(),
        prompt.use_case,
        prompt.source,
        prompt.user,
        prompt.language,
        prompt.split,
        dump(dict(prompt.meta)),
        prompt.external_id,
    )
