"""The types of an export's columns, said once: for checks, for Parquet, for the dataset card.

A type is written as a value that has its shape: `TEXT`, `[TEXT]` for a list of texts,
`{"role": TEXT}` for an object with just that key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

TEXT, WHOLE, NUMBER, FLAG = "string", "int64", "float64", "bool"
CHAT: list[Any] = [{"role": TEXT, "content": TEXT}]

Type: TypeAlias = "str | list[Any] | Mapping[str, Any]"
Columns = Mapping[str, Any]
"""Column name to type, in the order of a row's keys. Empty when rows have no fixed shape."""

_SCALARS = {TEXT: str, WHOLE: int, NUMBER: float, FLAG: bool}


def mismatch(value: Any, type_: Type, where: str = "") -> str | None:
    """Return where and how a value is not of its type, or None.

    >>> mismatch([{"role": "user", "content": None}], CHAT, "prompt")
    'prompt.0.content: is null'
    >>> mismatch(True, WHOLE, "k")
    'k: is bool, not int64'
    """
    if value is None:
        return f"{where}: is null"
    if isinstance(type_, str):
        ok = type(value) is _SCALARS[type_]
        return None if ok else f"{where}: is {type(value).__name__}, not {type_}"
    if isinstance(type_, list):
        return _list_mismatch(value, type_[0], where)
    return row_mismatch(value, type_, where)


def _list_mismatch(value: Any, item: Type, where: str) -> str | None:
    if not isinstance(value, list):
        return f"{where}: is {type(value).__name__}, not a list"
    found = (mismatch(v, item, f"{where}.{i}") for i, v in enumerate(value))
    return next((m for m in found if m), None)


def row_mismatch(row: Any, columns: Columns, where: str = "") -> str | None:
    """Return how an object's keys, their order or its values are not as declared, or None."""
    if not isinstance(row, dict):
        return f"{where or 'row'}: is {type(row).__name__}, not an object"
    if list(row) != list(columns):
        return f"{where or 'row'}: has keys {', '.join(row)}, not {', '.join(columns)}"
    dot = f"{where}." if where else ""
    found = (mismatch(row[name], type_, f"{dot}{name}") for name, type_ in columns.items())
    return next((m for m in found if m), None)
