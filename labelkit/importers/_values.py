"""Cut a JSON list, or objects that follow each other, into the bytes of one value at a time.

Only brackets and quotes are looked at; what is between them goes to the strict parser, one value at
a time. So a list of any size needs the memory of its largest value, and a value that is not what
it should be does not hide the ones after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from labelkit.importers import _jsonl
from labelkit.plugins import ByteStream

_CHUNK = 1 << 16
_OUTSIDE = re.compile(rb'["\[\]{},]')
_NESTED = re.compile(rb'["\[\]{}]')
_IN_TEXT = re.compile(rb'["\\]')
_WHITE = b" \t\r\n"

Value = bytes | str | None
"""A value's bytes; None for one over the size limit; a text says what is wrong with the file."""


def list_values(stream: ByteStream) -> Iterator[Value]:
    """Yield each value of a list whose opening bracket has been read."""
    splitter = _Splitter(in_list=True)
    yield from splitter.run(stream)
    if not splitter.closed:
        yield "the file ends inside of its list"


def object_values(stream: ByteStream) -> Iterator[Value]:
    """Yield each of the objects that follow one another, however many lines they take."""
    yield from _Splitter(in_list=False).run(stream)


@dataclass(slots=True)
class _Splitter:
    """Where in the text we are: how deep, in a text or not, and what was kept of this value."""

    in_list: bool
    depth: int = 0
    in_text: bool = False
    skip: int = 0
    closed: bool = False
    found: int = 0
    size: int = 0
    parts: list[bytes] = field(default_factory=list)

    def run(self, stream: ByteStream) -> Iterator[Value]:
        while chunk := stream.read(_CHUNK):
            yield from self._chunk(chunk)
        if self.closed and b"".join(self.parts).strip(_WHITE):
            yield "something follows the end of the list"
        elif self.size > _jsonl.MAX_LINE or b"".join(self.parts).strip(_WHITE):
            yield self._value()

    def _chunk(self, chunk: bytes) -> Iterator[Value]:
        start, at = 0, self.skip
        self.skip = 0
        while not self.closed and (match := self._pattern().search(chunk, at)):
            at = match.end()
            if not self._ends_value(match.group()):
                at += match.group() == b"\\"
                continue
            self._keep(chunk[start : at if not self.in_list else at - 1])
            start = at
            value = self._value()
            if value != b"" or self.found or not self.closed:
                self.found += 1
                yield value
        self.skip = max(0, at - len(chunk))
        self._keep(chunk[start:])

    def _pattern(self) -> re.Pattern[bytes]:
        if self.in_text:
            return _IN_TEXT
        return _NESTED if self.depth else _OUTSIDE

    def _ends_value(self, mark: bytes) -> bool:
        """Follow one mark, and say whether a value ends with it."""
        if mark == b'"':
            self.in_text = not self.in_text
        elif mark in b"[{":
            self.depth += 1
        elif mark == b",":
            return self.in_list
        elif mark in b"]}":
            if self.depth == 0 and self.in_list:
                self.closed = True
                return True
            self.depth = max(0, self.depth - 1)
            return self.depth == 0 and not self.in_list
        return False

    def _keep(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > _jsonl.MAX_LINE:
            self.parts.clear()
        else:
            self.parts.append(piece)

    def _value(self) -> bytes | None:
        value = None if self.size > _jsonl.MAX_LINE else b"".join(self.parts).strip(_WHITE)
        self.parts.clear()
        self.size = 0
        return value
