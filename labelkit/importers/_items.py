"""The items of a foreign file, whatever holds them: lines, a JSON list, a table.

Tools publish the same rows as JSON lines, as one JSON list or as Parquet, so every importer takes
all of them and says in its own module only what one item means.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from labelkit.domain.records import RecordError
from labelkit.errors import InputError
from labelkit.importers._jsonl import LineError, parse_object, read_lines
from labelkit.importers._stream import buffered
from labelkit.importers._tables import Line, parquet_rows, text_rows
from labelkit.importers._values import Value, list_values, object_values
from labelkit.plugins import ByteStream, Row

Fields = Mapping[str, Any]
Lost = list[str]
"""What an item says and labelkit has no place for, a phrase each."""


class DoubtError(RecordError):
    """A record that makes the other rows of its file doubtful too, and what to ask the user for."""

    def __init__(self, where: str, reason: str, ask: str) -> None:
        super().__init__(where, reason)
        self.ask = ask


_WHITE = b" \t\r\n"
_MARK = b"\xef\xbb\xbf"
_MOST_IN_GROUP = 1000


class Item(NamedTuple):
    """One object of a file, or why there is none. `unit` and `number` say where."""

    number: int
    fields: dict[str, Any] | None
    reason: str = ""
    unit: str = "line"


def read_items(stream: ByteStream) -> Iterator[Item]:
    """Yield the objects of a file. What holds them is seen from its first bytes."""
    source = buffered(stream)
    head = source.peek()
    if head.startswith(b"PAR1"):
        return _from_lines(parquet_rows(source), "row")
    _refuse_binary(head)
    start = head.removeprefix(_MARK).lstrip(_WHITE)
    if start.startswith(b"["):
        source.read(head.index(b"[") + 1)
        return _from_values(list_values(source), "item")
    if _spreads(start):
        source.read(len(head) - len(start))
        return _from_values(object_values(source), "item")
    if is_json_lines(head):
        return _from_json_lines(source)
    return _from_lines(text_rows(source), "line")


def is_json_lines(head: bytes) -> bool:
    """Whether a file that begins so has an object a line; the first lines may be broken ones."""
    start = head.removeprefix(_MARK).lstrip(_WHITE)
    if not start or start.startswith((b"[", b"{")):
        return not start.startswith(b"[") and not _spreads(start)
    return any(_is_object(line) for line in start.split(b"\n", 3)[1:3])


def _is_object(line: bytes) -> bool:
    try:
        return bool(parse_object(line.strip(_WHITE)))
    except LineError:
        return False


_PACKED = {
    b"\x1f\x8b": ("gzip", "gzip -dc"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"),
    b"\xfd7zXZ": ("xz", "xz -dc"),
    b"BZh": ("bzip2", "bzip2 -dc"),
    b"PK\x03\x04": ("zip (or a spreadsheet: save that as CSV)", "unzip -p"),
}


def _refuse_binary(head: bytes) -> None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the file is UTF-16, not UTF-8", hint="save it as UTF-8 and try again")
    if b"\x00" not in head[:4096] and not head.startswith(b"\x1f\x8b"):
        return
    for mark, (name, unpack) in _PACKED.items():
        if head.startswith(mark):
            raise InputError(
                f"the input is packed: {name}", hint=f"{unpack} FILE | labelkit import -"
            )
    raise InputError("the file is neither text nor Parquet")


def _spreads(start: bytes) -> bool:
    """Whether the first object goes on over the end of its line, as in a file made for reading."""
    first, end, rest = start.partition(b"\n")
    whole = first.rstrip(_WHITE).endswith(b"}")
    return start.startswith(b"{") and bool(end and rest.strip(_WHITE)) and not whole


def _from_json_lines(source: io.BufferedReader) -> Iterator[Item]:
    for number, line in read_lines(source):
        yield _item(number, line, "line")


def _from_values(values: Iterable[Value], unit: str) -> Iterator[Item]:
    for number, value in enumerate(values, 1):
        if isinstance(value, str):
            yield Item(number, None, value, unit)
        else:
            yield _item(number, value, unit)


def _item(number: int, value: bytes | None, unit: str) -> Item:
    try:
        return Item(number, parse_object(value), unit=unit)
    except LineError as error:
        return Item(number, None, str(error), unit)


def _from_lines(lines: Iterable[Line], unit: str) -> Iterator[Item]:
    for line in lines:
        yield Item(line.number, line.cells, line.reason, unit)


# -- from items to rows --------------------------------------------------------------------------

Convert = Callable[[Fields, Lost], Iterable[dict[str, Any]]]
ConvertMany = Callable[[list[Fields], Lost], Iterable[dict[str, Any]]]


def one_by_one(convert: Convert) -> Callable[[ByteStream], Iterator[Row]]:
    """Return the reader of a format whose items stand on their own.

    `convert` takes an item and yields labelkit's records; it raises RecordError for a bad item.
    """

    def read(stream: ByteStream) -> Iterator[Row]:
        for item in read_items(stream):
            yield from _rows([item], lambda fields, lost: convert(fields[0], lost))

    return read


def grouped(
    key: Callable[[Fields], Hashable], convert: ConvertMany
) -> Callable[[ByteStream], Iterator[Row]]:
    """Return the reader of a format that spreads a ranking over neighbouring items.

    Items with the same key belong together; None stands alone. No more than a thousand are held.
    """

    def keyed(numbered: tuple[int, Item]) -> Hashable:
        count, item = numbered
        found = None if item.fields is None else key(item.fields)
        return (found, 0) if found is not None else (None, count)

    def read(stream: ByteStream) -> Iterator[Row]:
        for _, members in groupby(enumerate(read_items(stream)), keyed):
            group: list[Item] = []
            for _, item in members:
                group.append(item)
                if len(group) == _MOST_IN_GROUP:
                    yield from _rows(group, convert)
                    group = []
            if group:
                yield from _rows(group, convert)

    return read


def _rows(items: list[Item], convert: ConvertMany) -> Iterator[Row]:
    first = items[0]
    place, unit = first.number, first.unit
    if first.fields is None:
        yield Row(place, reason=first.reason, where=unit, unit=unit)
        return
    fields: list[Fields] = [item.fields for item in items if item.fields is not None]
    given = fields[0] if len(fields) == 1 else {"items": fields}
    lost: Lost = []
    try:
        records = list(convert(fields, lost))
    except RecordError as error:
        ask = error.ask if isinstance(error, DoubtError) else ""
        yield Row(place, None, error.where, error.reason, unit, given, ask=ask)
        return
    for record in records:
        yield Row(place, record, unit=unit, given=given)
    yield Row(place, unit=unit, lost=tuple(lost))
