"""A strict, streaming reader of JSON lines: anything doubtful is refused and named.

Python's own parser takes duplicate keys, NaN, lone surrogates and bottomless nesting; so do most
others, each in its own way. What is refused here would break a later reader or change meaning.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from labelkit.errors import InputError
from labelkit.plugins import ByteStream

MAX_LINE = 8 * 1024 * 1024
MAX_DEPTH = 64
_INT_LIMIT = 1 << 63
_KEY = re.compile(rb'"\s*:')
_QUOTED_KEY = re.compile(rb'\\"\s*:')
_LOST = 1 << 40
_EXACT_FLOAT = 2.0**53


class LineError(ValueError):
    """One line cannot be taken; the message is the reason."""


def read_lines(stream: ByteStream) -> Iterator[tuple[int, bytes | None]]:
    """Yield (line number, line) for lines that are not blank; None stands for one over the limit.

    Never holds more than one line, however long the file's lines are.
    """
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            line = _without_mark(line)
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            _skip_rest(stream)
            yield number, None
        elif stripped := line.strip(b" \t\r\n"):
            yield number, stripped


def _without_mark(line: bytes) -> bytes:
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the file is UTF-16, not UTF-8", hint="save it as UTF-8 and try again")
    return line.removeprefix(b"\xef\xbb\xbf")


def _skip_rest(stream: ByteStream) -> None:
    while (piece := stream.readline(MAX_LINE)) and not piece.endswith(b"\n"):
        pass


def count_keys(value: Any, depth: int = 1) -> int:
    """Count keys at every depth; less than 0 when a number may have lost digits."""
    if depth > MAX_DEPTH and type(value) in (dict, list):
        raise LineError(f"nested deeper than {MAX_DEPTH}")
    count = 0
    if type(value) is dict:
        count, value = len(value), value.values()
    elif type(value) is not list:
        value = (value,)
    for item in value:
        kind = type(item)
        if kind is str:
            continue
        if kind is dict or kind is list:
            count += count_keys(item, depth + 1)
        elif (kind is float and abs(item) >= _EXACT_FLOAT) or (kind is int and item >= _INT_LIMIT):
            count -= _LOST
    return count


def parse_object(line: bytes | None, count: Callable[[Any], int] = count_keys) -> dict[str, Any]:
    """Return the object on one line. Raises LineError with a reason a person can act on.

    `count` is given the value that was read and does what `count_keys` does.
    """
    if line is None:
        raise LineError(f"line is longer than {MAX_LINE // 1024 // 1024} MiB")
    value = _parse(line, count)
    if not isinstance(value, dict):
        raise LineError(f"expected an object, found {_kind(value)}")
    return value


def _parse(line: bytes, count: Callable[[Any], int]) -> Any:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _parse_slowly(line)
    if b"\\u0000" in line or _may_repeat(line, count(value)):
        return _parse_slowly(line)
    return value


def _may_repeat(line: bytes, keys: int) -> bool:
    """Whether a key may be given twice: not if there are as many in the text as in the value."""
    said = len(_KEY.findall(line))
    if said != keys and b'\\\\"' not in line:  # without those that a text only quotes
        said -= len(_QUOTED_KEY.findall(line))
    return said != keys


def _parse_slowly(line: bytes) -> Any:
    """The careful parser: slower, and it knows what is wrong."""
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH:
        _check_depth(line)
    try:
        value = json.loads(
            line.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_int,
        )
        _check_strings(value)
    except UnicodeDecodeError as error:
        raise LineError(f"not UTF-8 (byte {error.start + 1} of the line)") from None
    except json.JSONDecodeError as error:
        raise LineError(f"not JSON: {error.msg.lower()} (column {error.colno})") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise LineError(f"key {key[:40]!r} is given twice")
        result[key] = value
    return result


def _refuse_constant(name: str) -> Any:
    raise LineError(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise LineError(f"number out of range: {text[:40]}")
    return value


def _int(text: str) -> int:
    if len(text) > 20 or not -_INT_LIMIT <= int(text) < _INT_LIMIT:
        raise LineError(f"number out of range: {text[:40]}")
    return int(text)


def _check_strings(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            _check_string(item)
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _check_string(text: str) -> None:
    if "\x00" in text:
        raise LineError("a text holds the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise LineError("a text holds half a character (a lone surrogate)") from None


def _check_depth(line: bytes) -> None:
    """Measure nesting on the bytes, before any parser recurses into them."""
    depth = 0
    inside = escaped = False
    for byte in line:
        if inside:
            inside = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise LineError(f"nested deeper than {MAX_DEPTH}")
        elif byte in b"]}":
            depth -= 1


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list (write one object a line)"
    return {str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
