"""The strict reader: what it takes is what it says, and what it refuses it names."""

from __future__ import annotations

import io
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.errors import InputError
from labelkit.importers import _jsonl
from labelkit.importers._jsonl import LineError, parse_object, read_lines

keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
)


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@given(st.dictionaries(st.from_regex(r"[a-z :\"]{1,6}", fullmatch=True), values), st.booleans())
def test_every_honest_object_is_taken_as_it_is(value: dict[str, object], spaced: bool) -> None:
    line = json.dumps(value, ensure_ascii=spaced, separators=(" , ", " : ") if spaced else None)
    assert parse_object(line.encode()) == value


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":1,"a":2}', "key 'a' is given twice"),
        (b'{"a" :1,"a" :2}', "key 'a' is given twice"),
        (b'{"x":{"a":1,"b":2,"a":3}}', "key 'a' is given twice"),
        (b'{"x":"\\":","a":1,"a":2}', "key 'a' is given twice"),
        (b'{"x":"\\":","a\\\\":1,"a\\\\":2}', r"key 'a\\' is given twice"),
        (b'{"x":"\\\\\\" :","a\\"":1,"a\\"":2}', "key 'a\"' is given twice"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
        (b'{"a":1e999}', "number out of range: 1e999"),
        (b'{"a":9223372036854775808}', "number out of range: 9223372036854775808"),
        (b'{"a":' + b"9" * 5000 + b"}", "number out of range"),
        (b'{"a":"\\ud800"}', "a text holds half a character"),
        (b'{"\\udc00":1}', "a text holds half a character"),
        (b'{"a":"\\u0000"}', "a text holds the character NUL"),
        (b'{"a":"\x00"}', "not JSON"),
        (b'{"a":"\xff"}', "not UTF-8 (byte 7 of the line)"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":1', "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1}{"b":2}', "not JSON"),
        (b"[]", "expected an object, found a list (write one object a line)"),
        (b'"text"', "expected an object, found a text"),
        (b"12", "expected an object, found a number"),
        (b"null", "expected an object, found null"),
        (b"true", "expected an object, found true or false"),
        (nested(65), "nested deeper than 64"),
        (nested(100_000), "nested deeper than 64"),
    ],
)
def test_doubtful_lines_are_refused_with_a_reason(line: bytes, reason: str) -> None:
    with pytest.raises(LineError) as caught:
        parse_object(line)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize("text", ['say "a": 1', '{"a" : {"a": ":"}}', 'ends in "', '"\t:'])
def test_keys_that_a_text_quotes_are_no_keys(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"a": text, "b": {"a": [text, text]}}
    monkeypatch.setattr(_jsonl, "_parse_slowly", pytest.fail)
    assert parse_object(orjson.dumps(value)) == value


def test_depth_is_counted_outside_of_texts() -> None:
    assert parse_object(nested(64))
    assert parse_object(b'{"a":"' + b"[" * 500 + b'\\"' + b"{" * 500 + b'"}')


def test_big_but_exact_numbers_are_kept() -> None:
    assert parse_object(b'{"a":9223372036854775807}') == {"a": 2**63 - 1}
    assert parse_object(b'{"a":1e20}') == {"a": 1e20}


def lines_of(data: bytes) -> list[tuple[int, bytes | None]]:
    return list(read_lines(io.BytesIO(data)))


def test_line_ends_blank_lines_and_marks() -> None:
    data = b'\xef\xbb\xbf{"a":1}\r\n\n  \t\n{"b":"\xe2\x80\xa8"}\n{"c":3}'
    assert lines_of(data) == [
        (1, b'{"a":1}'),
        (4, b'{"b":"\xe2\x80\xa8"}'),
        (5, b'{"c":3}'),
    ]


def test_a_line_over_the_limit_is_passed_over_without_being_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_jsonl, "MAX_LINE", 64)
    found = lines_of(b'{"a":1}\n' + b"x" * 10_000 + b'\n{"b":2}\n' + b"y" * 65 + b"\n" + b"z" * 64)
    assert found == [(1, b'{"a":1}'), (2, None), (3, b'{"b":2}'), (4, None), (5, b"z" * 64)]


def test_utf16_is_named() -> None:
    with pytest.raises(InputError, match="UTF-16"):
        lines_of('{"a":1}\n'.encode("utf-16"))
