"""labelkit's own JSONL: one prompt a line, everything hanging off it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from labelkit.importers._jsonl import LineError, read_lines
from labelkit.importers._plain import Look
from labelkit.plugins import ByteStream, Importer, Row


def read(stream: ByteStream) -> Iterator[Row]:
    """Yield one row a line; what is not a JSON object comes as a reason."""
    return rows(read_lines(stream))


def rows(lines: Iterable[tuple[int, bytes | None]]) -> Iterator[Row]:
    """Yield one row a line, of lines with their numbers."""
    look = Look()
    for number, line in lines:
        try:
            record = look.parse(line)
            yield Row(number, record, shaped=look.plain)
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
    if lists:
        return True
    from labelkit.importers._shape import RecordShape  # loads pydantic, which few files need

    return item.keys() <= RecordShape.__annotations__.keys()


PLUGIN = Importer("labelkit records (JSONL)", read, recognises, foreign=False)
