"""Canonical JSON and the uids made from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """Return `value` as UTF-8 JSON with sorted keys and no white space. Tuples are lists.

    >>> canonical_json({"b": [1, 2.5, None], "a": "é"}).decode()
    '{"a":"é","b":[1,2.5,null]}'
    """
    return orjson.dumps(value, default=_as_dict, option=orjson.OPT_SORT_KEYS)


def _as_dict(value: Any) -> dict[str, Any]:
    """What orjson does not know: a mapping that is no dict. Raises TypeError for anything else."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


def uid_of(kind: str, value: Any) -> str:
    """Return the global name of a thing: 128 bits of SHA-256 over its canonical JSON, as hex.

    `kind` keeps a prompt and a completion with the same text apart.

    >>> uid_of("prompt", "hello")
    'c594d81e5f613dd43996446ba33f6ed4'
    """
    return hashlib.sha256(canonical_json([kind, value])).hexdigest()[:32]
