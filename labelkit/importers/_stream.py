"""What an importer is given, as one buffered stream that can be looked at before it is read."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from labelkit.plugins import ByteStream

_HEAD = 1 << 20


class _Raw(io.RawIOBase):
    """Any byte stream as the raw kind that Python's own buffer wants."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill the whole buffer where there is enough: a peek must see more than one pipe write."""
        size = 0
        while size < len(buffer) and (piece := self._stream.read(len(buffer) - size)):
            buffer[size : size + len(piece)] = piece
            size += len(piece)
        return size


def buffered(stream: ByteStream) -> io.BufferedReader:
    """Return a stream whose `peek` shows up to the first MiB. What is buffered stays as it is.

    >>> buffered(io.BytesIO(b"abc")).peek()
    b'abc'
    """
    if isinstance(stream, io.BufferedRandom):  # the copy that `on_disk` made
        return cast(io.BufferedReader, stream)
    if isinstance(stream, io.BufferedReader) and isinstance(stream.raw, _Raw):
        return stream
    return io.BufferedReader(_Raw(stream), _HEAD)


def is_parquet(stream: ByteStream) -> bool:
    return buffered(stream).peek().startswith(b"PAR1")


@contextmanager
def on_disk(stream: ByteStream) -> Iterator[io.BufferedReader]:
    """Give a stream that can be read from its end, as Parquet must be: a copy, where it cannot."""
    source = buffered(stream)
    if source.seekable():
        yield source
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(source, copy)
        copy.seek(0)
        yield cast(io.BufferedReader, copy)


def head_of(stream: io.BufferedReader) -> tuple[io.BytesIO, bool]:
    """Return what `peek` shows as a file of its own, and whether that is all there is."""
    head = stream.peek()
    return io.BytesIO(head), len(head) < _HEAD
