"""What may stand in the front matter of a guideline, and as what.

Every hand-out reads a guideline, so it is checked by hand: loading a library for it would make up
a tenth of the time from `labelkit rank` to the first task. It complains in the words of pydantic,
which reads records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Reader = Callable[[Any, str], Any]
"""Returns what a value means; the text is its place, `flags.0.key`, for errors."""

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")
_KEY = re.compile(r"^[a-z][a-z0-9_]*$")
_YES = frozenset(["true", "yes", "on", "y", "t", "1"])
_NO = frozenset(["false", "no", "off", "n", "f", "0"])
_MISSING = object()
_WHOLE = "front matter"


class FieldError(Exception):
    """A field that cannot be taken: `flags.0.key: field required`."""


def read(found: Any) -> dict[str, Any]:
    """Return the fields under the names that the domain has for them, gaps filled.

    >>> read({"name": "short", "scale": {"max": 5}})["scale"]
    {'least': 1, 'most': 5, 'labels': {}}
    """
    fields: dict[str, Any] = _FRONT_MATTER(found, _WHOLE)
    return fields


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise FieldError(f"{place}: input should be a valid string")
    return value


def _matching(pattern: re.Pattern[str]) -> Reader:
    def check(value: Any, place: str) -> str:
        if not pattern.fullmatch(_text(value, place)):
            raise FieldError(f"{place}: string should match pattern '{pattern.pattern}'")
        return str(value)

    return check


def _whole(value: Any, place: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or (isinstance(value, float) and not _is_whole(value)):
        raise FieldError(f"{place}: input should be a valid integer")
    return number


def _is_whole(value: float) -> bool:
    return value.is_integer() and abs(value) < 1 << 53


def _at_least(least: int) -> Reader:
    def check(value: Any, place: str) -> int:
        if (number := _whole(value, place)) < least:
            raise FieldError(f"{place}: input should be greater than or equal to {least}")
        return number

    return check


def _at_most(most: int) -> Reader:
    def check(value: Any, place: str) -> int:
        if (number := _whole(value, place)) > most:
            raise FieldError(f"{place}: input should be less than or equal to {most}")
        return number

    return check


def _yes_or_no(value: Any, place: str) -> bool:
    word = str(value).lower()
    if word not in _YES | _NO:
        raise FieldError(f"{place}: input should be a valid boolean")
    return word in _YES


def _labels(value: Any, place: str) -> dict[int, str]:
    found = _mapping(value, place)
    return {_whole(k, f"{place}.{k}"): _text(v, f"{place}.{k}") for k, v in found.items()}


def _mapping(value: Any, place: str) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise FieldError(f"{place}: input should be a valid dictionary")
    return value


def _list_of(reader: Reader) -> Reader:
    def check(value: Any, place: str) -> list[Any]:
        if not isinstance(value, list):
            raise FieldError(f"{place}: input should be a valid list")
        return [reader(item, f"{place}.{i}") for i, item in enumerate(value)]

    return check


def _fields(**known: tuple[str, Reader, Any]) -> Reader:
    """A mapping with these fields and no others: what each is called here, its reader, default."""

    def check(value: Any, place: str) -> dict[str, Any]:
        found = _mapping(value, place)
        inside = "" if place == _WHOLE else f"{place}."
        for name in found:
            if name not in known:
                raise FieldError(f"{inside}{name}: extra inputs are not permitted")
        fields = {}
        for name, (ours, reader, default) in known.items():
            if name not in found and default is _MISSING:
                raise FieldError(f"{inside}{name}: field required")
            fields[ours] = reader(found[name], f"{inside}{name}") if name in found else default
        return fields

    return check


_SCALE = _fields(
    min=("least", _at_least(0), 1), max=("most", _at_most(9), 7), labels=("labels", _labels, {})
)
_RULES = _list_of(
    _fields(
        key=("key", _matching(_KEY), _MISSING),
        label=("label", _text, _MISSING),
        positive=("positive", _yes_or_no, False),
    )
)
_FRONT_MATTER = _fields(
    name=("name", _matching(_NAME), _MISSING),
    version=("version", _at_least(1), 1),
    title=("title", _text, ""),
    scale=("scale", _SCALE, {}),
    flags=("flags", _RULES, []),
    marks=("marks", _RULES, []),
    skips=("skips", _RULES, []),
)
