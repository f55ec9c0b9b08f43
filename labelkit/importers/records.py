"""labelkit's own JSONL: one prompt a line, everything hanging off it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.importers._jsonl import LineError, parse_object, read_lines
from labelkit.importers._shape import RecordShape
from labelkit.plugins import ByteStream, Importer, Row


def read(stream: ByteStream) -> Iterator[Row]:
    """Yield one row a line; what is not a JSON object comes as a reason."""
    for number, line in read_lines(stream):
        try:
            yield Row(number, parse_object(line))
        except LineError as error:
            yield Row(number, reason=str(error))


_LISTS = ("completions", "demonstrations", "rankings", "skips")


def recognises(item: Mapping[str, Any]) -> bool:
    """Whether there is a prompt, and nothing but a record's fields or a list of what it has."""
    if "prompt" not in item:
        return False
    lists = [item[key] for key in _LISTS if isinstance(item.get(key), list)]
    if any(each and not isinstance(each[0], dict) for each in lists):
        return False  # texts in a list are a table's
    return bool(lists) or item.keys() <= RecordShape.__annotations__.keys()


PLUGIN = Importer("labelkit records (JSONL)", read, recognises, foreign=False)
