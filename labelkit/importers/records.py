"""labelkit's own JSONL: one prompt a line, everything hanging off it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.importers._jsonl import LineError, parse_object, read_lines
from labelkit.plugins import ByteStream, Importer, Row


def read(stream: ByteStream) -> Iterator[Row]:
    """Yield one row a line; what is not a JSON object comes as a reason."""
    for number, line in read_lines(stream):
        try:
            yield Row(number, parse_object(line))
        except LineError as error:
            yield Row(number, reason=str(error))


_OWN = {"completions", "demonstrations", "rankings", "skips", "prompt_id", "kind", "meta"}


def recognises(item: Mapping[str, Any]) -> bool:
    """Whether there is a prompt and, if anything else, a field that only records have."""
    keys = item.keys()
    foreign = {"chosen", "rejected", "answers", "responses"} & keys
    return "prompt" in keys and not foreign and (len(keys) == 1 or not _OWN.isdisjoint(keys))


PLUGIN = Importer("labelkit records (JSONL)", read, recognises, foreign=False)
