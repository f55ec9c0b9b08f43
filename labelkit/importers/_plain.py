"""Records of the plainest shape, told by a look at them: most are, and pydantic takes longer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from labelkit.domain.models import PromptKind
from labelkit.importers._jsonl import count_keys, parse_object

# The ASCII of `_shape.Name` and `_shape.Word`.
_NAME = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
_ROLES = frozenset({"system", "user", "assistant"})
_DEEP = 4  # where a completion's params stand


@lru_cache(maxsize=4096)  # models, sources and the ids of completions come again and again
def _is_name(value: str) -> bool:
    return _NAME.fullmatch(value) is not None


def _is_word(value: str) -> bool:
    return _WORD.fullmatch(value) is not None


_FITS: Mapping[str, Callable[[str], object]] = {
    "prompt": lambda value: True,
    "kind": frozenset(PromptKind).__contains__,
    **dict.fromkeys(("prompt_id", "use_case", "source", "user"), _is_name),
    **dict.fromkeys(("language", "split"), _is_word),
}


class Look:
    """Parses lines, and sees as it counts their keys which records are plain.

    Of a plain one `_shape.check_shape` would say that its shape is right. Of any other nothing is
    known.
    """

    plain = False
    """Whether the record that was parsed last is plain."""

    def parse(self, line: bytes | None) -> dict[str, Any]:
        """Return what `_jsonl.parse_object` returns, or raise what it raises."""
        self.plain = False
        return parse_object(line, self._count)

    def _count(self, record: Any) -> int:
        keys = _plain_keys(record) if type(record) is dict and "prompt" in record else 0
        self.plain = keys > 0
        return keys or count_keys(record)


def _plain_keys(record: Mapping[str, Any]) -> int:
    """Count keys as `count_keys` does; 0 when the record is not plain."""
    keys = len(record)
    for key, value in record.items():
        if type(value) is str:
            if key not in _FITS or not _FITS[key](value):
                return 0
        else:
            count = _WITHIN.get((key, type(value)))
            if count is None or (found := count(value)) < 0:
                return 0
            keys += found
    return keys


def _in_completions(items: list[Any]) -> int:
    """Count the keys of plain completions; less than 0 when one is not."""
    keys = 0
    for item in items:
        if type(item) is not dict or type(item.get("text")) is not str:
            return -1
        name, model = item.get("id"), item.get("model")
        plain = 1
        if type(name) is str and _is_name(name):
            plain += 1
        if type(model) is str and _is_name(model):
            plain += 1
        if plain != len(item):
            if plain + 1 != len(item) or type(item.get("params")) is not dict:
                return -1
            keys += count_keys(item["params"], _DEEP)
        keys += len(item)
    return keys


def _in_messages(items: list[Any]) -> int:
    """Count the keys of messages; less than 0 when one is none."""
    for item in items:
        if type(item) is not dict or item.keys() != {"role", "content"}:
            return -1
        role = item["role"]
        if type(role) is not str or role not in _ROLES or type(item["content"]) is not str:
            return -1
    return 2 * len(items)


_WITHIN: Mapping[tuple[str, type], Callable[[Any], int]] = {
    ("completions", list): _in_completions,
    ("prompt", list): _in_messages,
    ("meta", dict): lambda value: count_keys(value, 2),
}
