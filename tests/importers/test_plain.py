"""Plain records: the short look and the long one never disagree."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import orjson
import pytest
from helpers import at_most, record, records
from hypothesis import given
from hypothesis import strategies as st

from labelkit.domain.records import RecordError
from labelkit.importers._jsonl import LineError, count_keys, parse_object
from labelkit.importers._plain import Look
from labelkit.importers._shape import RecordShape, check_shape

FIELDS = [*RecordShape.__annotations__, "id", "text", "model", "alias", "role", "content", "odd"]
ODD = [
    *(None, True, 0, 1.5, 2**53, 2.0**53, 2**63, "", " ", "a ", " a", "a b", "é", "a\nb", "a\x7fb"),
    *("\u200b", "x" * 100, "x" * 101, "x" * 200, "x" * 201, "-a", "few_shot", "Plain", [], {}),
    *([None], [[]], [{}], {"text": "t"}, [{"text": "t"}], [{"text": "t", "id": None}]),
    *([{"text": "t", "params": {"a": {"b": [1]}}}], [{"text": "t", "params": []}]),
    *([{"text": "t", "odd": {}}], [{"text": "t", "model": "m", "alias": "a"}], [{"id": "a"}]),
    *([{"role": "user", "content": "x"}], [{"role": [], "content": "x"}], [{"role": "user"}]),
    *([{"role": "tool", "content": "x"}], [{"role": "user", "content": "x", "name": "n"}]),
]
PLAIN = {
    "prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
    "prompt_id": "p 1",
    "kind": "user_based",
    "use_case": "open_qa",
    "source": "api",
    "user": "u",
    "language": "en-GB",
    "split": "train",
    "meta": {"a": {"b": [1, 2.5]}},
    "completions": [{"id": "a", "text": "", "model": "m", "params": {"t": 0.7}}, {"text": "x"}],
}


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a value."""
    if not isinstance(value, dict | list):
        return []
    here = list(value) if isinstance(value, dict) else range(len(value))
    return [(value, key) for key in here] + [p for key in here for p in places(value[key])]


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """A record in which a few things were changed, added or taken out."""
    said: dict[str, Any] = orjson.loads(orjson.dumps(draw(st.just(PLAIN) | records())))
    for _ in range(draw(st.integers(0, 3))):
        inside, key = draw(st.sampled_from(places(said) or [(said, "prompt")]))
        if isinstance(inside, dict) and draw(st.booleans()):
            key = draw(st.sampled_from(FIELDS))
        if draw(st.integers(0, 4)) or key not in inside:
            inside[key] = deepcopy(draw(st.sampled_from(ODD)))
        else:
            del inside[key]
    return said


def outcome(work: Any, *args: Any) -> Any:
    try:
        return work(*args)
    except (LineError, RecordError) as error:
        return str(error)


@at_most(1000)
@given(broken())
def test_a_plain_record_has_the_right_shape(said: dict[str, Any]) -> None:
    line = orjson.dumps(said, option=orjson.OPT_NON_STR_KEYS)
    look = Look()
    found = outcome(look.parse, line)
    assert found == outcome(parse_object, line)
    if look.plain:
        assert outcome(check_shape, found) == found


@pytest.mark.parametrize("said", [PLAIN, record(k=9), {"prompt": "x"}], ids=["all", "usual", "min"])
def test_what_is_usual_is_plain(said: dict[str, Any]) -> None:
    look = Look()
    assert look.parse(orjson.dumps(said)) == said
    assert look.plain


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("field", [*PLAIN, "rankings", "odd"])
def test_every_odd_value_in_every_field(field: str, odd: Any) -> None:
    look = Look()
    found = outcome(look.parse, orjson.dumps({**PLAIN, field: odd}))
    if look.plain:
        assert outcome(check_shape, found) == found


@given(broken())
def test_keys_are_counted_alike(said: dict[str, Any]) -> None:
    look = Look()
    assert outcome(look._count, said) == outcome(count_keys, said)


@pytest.mark.parametrize("line", [b"[]", b"not json", b'{"prompt":1e999}', None])
def test_a_bad_line_after_a_plain_one_is_not_plain(line: bytes | None) -> None:
    look = Look()
    look.parse(b'{"prompt":"x"}')
    assert look.plain
    assert outcome(look.parse, line) == outcome(parse_object, line)
    assert not look.plain


@pytest.mark.parametrize("within", ["meta", "completions"])
def test_depth_is_counted_from_the_record(within: str) -> None:
    seen = set()
    for depth in range(58, 66):
        deep: dict[str, Any] = {}
        for _ in range(depth):
            deep = {"a": deep}
        said = {**PLAIN, within: deep if within == "meta" else [{"text": "", "params": deep}]}
        found = outcome(Look().parse, orjson.dumps(said))
        assert found == outcome(parse_object, orjson.dumps(said))
        seen.add(found == said)
    assert seen == {True, False}
