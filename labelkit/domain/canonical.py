"""Canonical JSON and the uids made from it."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """Return `value` as UTF-8 JSON with sorted keys and no white space.

    >>> canonical_json({"b": [1, 2.5, None], "a": "é"}).decode()
    '{"a":"é","b":[1,2.5,null]}'
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def uid_of(kind: str, value: Any) -> str:
    """Return the global name of a thing: 128 bits of SHA-256 over its canonical JSON, as hex.

    `kind` keeps a prompt and a completion with the same text apart.

    >>> uid_of("prompt", "hello")
    'c594d81e5f613dd43996446ba33f6ed4'
    """
    return hashlib.sha256(canonical_json([kind, value])).hexdigest()[:32]
