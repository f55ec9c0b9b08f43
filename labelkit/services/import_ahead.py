"""Read plain records in another process, while this one writes those before them.

The other process does nothing that this one could not do again: it is handed lines, and hands back
what the plainest of them become. The rest is left to this one, which still has the lines: bad
records, labels, and everything once the other process is gone. So what comes out never depends on
it. Both see the same memory, and tell each other only where in it to look.
"""

from __future__ import annotations

import mmap
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from labelkit.domain.records import RecordError, from_record
from labelkit.importers import records
from labelkit.importers._jsonl import LineError, read_lines
from labelkit.importers._plain import Look
from labelkit.plugins import ByteStream, Row
from labelkit.services.cores import cores, forked, forking
from labelkit.store.prepared import Prepared, prepare

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_ALONE = 2 << 20
"""Bytes that are read before another process is worth its start."""
_LINES = 128
"""Lines in a block, about as many as are written at once."""
_STDERR = 2
_SLOT = 1 << 20
_SLOTS = 4

Block = list[tuple[int, bytes | None]]
"""Lines and their numbers; None stands for one over the limit."""


def rows(stream: ByteStream) -> Iterator[Row | Prepared]:
    """Yield the rows of labelkit's own records, in order, plain ones ready for the store.

    Close it when it is not read to its end: it may hold another process.
    """
    blocks = _blocks(read_lines(stream))
    for block in _first(blocks, _ALONE):
        yield from records.rows(block)
    with _Helper() as helper:
        waiting: deque[tuple[Block, int | None]] = deque()
        for block in blocks:
            waiting.append((block, helper.give(block)))
            if len(waiting) == _SLOTS:
                yield from helper.take(*waiting.popleft())
        for given in waiting:
            yield from helper.take(*given)


def _first(blocks: Iterator[Block], most: int) -> Iterator[Block]:
    """The blocks with the first bytes; none is taken before the one that reaches so far."""
    read = 0
    while read < most and (block := next(blocks, None)):
        read += sum(len(line or b"") for _, line in block)
        yield block


def _blocks(lines: Iterable[tuple[int, bytes | None]]) -> Iterator[Block]:
    """Cut lines into blocks; what is larger than a slot is a single line."""
    block: Block = []
    size = 0
    for number, line in lines:
        more = len(line or b"") + 1
        if block and (size + more > _SLOT or len(block) == _LINES):
            yield block
            block, size = [], 0
        block.append((number, line))
        size += more
    if block:
        yield block


class _Helper:
    """The other process. It is started with the first block, and let go when it is of no use."""

    def __init__(self) -> None:
        self._here: Connection | None = None
        self._process: Any = None
        self._gone = cores() < 2
        self._given = 0

    def __enter__(self) -> _Helper:
        return self

    def __exit__(self, *_: object) -> None:
        self._gone = True
        if self._here:
            self._here.close()
        if self._process:
            self._process.terminate()
            self._process.join()

    def give(self, block: Block) -> int | None:
        """Hand lines over and return the slot they are in, or None when they stay here."""
        if self._gone or any(line is None for _, line in block):
            return None
        data = b"\n".join([line for _, line in block if line is not None])
        if len(data) > _SLOT:
            return None
        try:
            connection = self._started()
            slot = self._given % _SLOTS
            self._memory[slot * _SLOT : slot * _SLOT + len(data)] = data
            connection.send((slot, len(data)))
        except OSError:  # it was killed, or there is no room for it
            self._gone = True
            return None
        self._given += 1
        return slot

    def _started(self) -> Connection:
        if self._here is None:
            import multiprocessing  # not for small files

            if multiprocessing.current_process().daemon:
                raise OSError("a daemon may not have children")
            self._memory = mmap.mmap(-1, _SLOT * _SLOTS)
            context = multiprocessing.get_context("fork")
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, self._memory), daemon=True)
            with forking():
                process.start()
                self._here, self._process = here, process
            there.close()
        return self._here

    def take(self, block: Block, slot: int | None) -> Iterator[Row | Prepared]:
        """Yield the rows of a block that was given before, whoever read it."""
        found = None if slot is None else self._answer(slot)
        if found is None:
            yield from records.rows(block)
            return
        if not any(found):  # of labeled records it only finds out that they are not plain
            self._gone = True
        for line, fields in zip(block, found, strict=True):
            if fields is None:
                yield from records.rows([line])
            else:
                yield Prepared(*fields)

    def _answer(self, slot: int) -> list[Any] | None:
        if self._gone or self._here is None:
            return None
        try:
            size = self._here.recv()
        except (EOFError, OSError):
            self._gone = True
            return None
        said = self._memory[slot * _SLOT : slot * _SLOT + size]
        return list(map(orjson.loads, said.split(b"\n"))) if size else None


# -- in the other process ------------------------------------------------------------------------


def _serve(there: Connection, memory: mmap.mmap) -> None:
    """Answer until nobody asks any more."""
    forked()
    with suppress(Exception):  # the end of the other side; or what that will meet and name itself
        _close_all_but(there.fileno())
        look = Look()
        while True:
            slot, size = there.recv()
            start = slot * _SLOT
            lines = memory[start : start + size].split(b"\n")
            said = b"\n".join([orjson.dumps(_fields(line, look)) for line in lines])
            size = len(said) if len(said) <= _SLOT else 0
            memory[start : start + size] = said[:size]
            there.send(size)


def _close_all_but(kept: int) -> None:
    """Let go of the store and its lock, the parent's ends of pipes, and all else that is open.

    SQLite does not know this process, and the locks of the parent are not this one's to lose.
    """
    for name in [each.name for each in Path("/dev/fd").iterdir()]:
        if (number := int(name)) > _STDERR and number != kept:
            with suppress(OSError):  # such as the one that read the folder
                os.close(number)


def _fields(line: bytes, look: Look) -> Sequence[Any] | None:
    """The fields of a plain record's `Prepared`, or nothing."""
    try:
        record = look.parse(line)
        return tuple(prepare(from_record(record))) if look.plain else None
    except (LineError, RecordError):
        return None
