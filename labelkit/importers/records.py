"""labelkit's own JSONL: one prompt a line, everything hanging off it."""

from __future__ import annotations

from collections.abc import Iterator

from labelkit.importers._jsonl import LineError, parse_object, read_lines
from labelkit.plugins import ByteStream, Importer, Row


def read(stream: ByteStream) -> Iterator[Row]:
    """Yield one row a line; what is not a JSON object comes as a reason."""
    for number, line in read_lines(stream):
        try:
            yield Row(number, parse_object(line))
        except LineError as error:
            yield Row(number, reason=str(error))


PLUGIN = Importer(title="labelkit records (JSONL)", read=read)
