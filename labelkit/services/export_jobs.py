"""Make an export's lines in several processes: ranges of prompts, put together in order.

What comes out does not depend on how many there are. Workers are forked, so they share what is
loaded; each opens the store for itself and hands its lines over in memory that both can see.
"""

from __future__ import annotations

import gc
import mmap
import multiprocessing
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from labelkit.errors import LabelkitError
from labelkit.services.cores import forked, forking
from labelkit.services.export_lines import Writer
from labelkit.services.export_piles import Lines, Pile
from labelkit.services.export_rows import Books
from labelkit.store.bundles import Parts, Range, Snapshot, read_bundles, small_cache
from labelkit.store.core import Store, open_store

Progress = Callable[[int, int | None], None]

_PROMPTS = 360
"""Prompts in a range, about as many as are read at once."""
_WORTH_IT = 2_048
"""Smaller jobs are done in this process: starting others takes longer."""
_OBJECTS = 100_000
"""New objects after which cycles are looked for: more than the bundles that are read at once."""
_SLOT = 1 << 20
_SLOTS = 8


@dataclass(frozen=True, slots=True)
class Job:
    """What to read, which parts of it, and how to encode it."""

    path: Path
    view: Snapshot
    within: Range
    parts: Parts
    writer: Writer
    prompts: int

    def ranges(self) -> list[Range]:
        """Cut the job into ranges of about equally many prompts: uids are spread evenly."""
        return self.within.cut(max(1, -(-self.prompts // _PROMPTS)))


def lines(
    store: Store, job: Job, books: Books, jobs: int, progress: Progress | None = None
) -> Iterator[Lines]:
    """Yield a job's lines in order. Take each before asking for the next: its memory is reused."""
    if jobs > 1 and job.prompts >= _WORTH_IT:
        yield from _forked(job, books, jobs, progress)
        return
    small_cache(store)
    with _few_collections():
        for n, bundle in enumerate(read_bundles(store, job.view, job.within, job.parts), 1):
            yield from job.writer.lines(bundle, books)
            if progress and n % _PROMPTS == 0:
                progress(n, job.prompts)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for cycles rarely: bundles hold none, and looking takes a fifth of all the time."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _forked(job: Job, books: Books, jobs: int, progress: Progress | None) -> Iterator[Lines]:
    ranges = job.ranges()
    with ExitStack() as stack:
        crew = [stack.enter_context(_Worker(job, ranges[i::jobs])) for i in range(jobs)]
        for n, (worker, _) in enumerate(zip(cycle(crew), ranges, strict=False), 1):
            yield from worker.lines(books)
            if progress:
                progress(job.prompts * n // len(ranges), job.prompts)


@dataclass(slots=True)
class _Worker:
    """Another process and the memory it hands its lines over in."""

    job: Job
    ranges: Sequence[Range]
    _memory: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, _SLOT * _SLOTS))
    _here: Connection = field(init=False)
    _process: Any = field(init=False)

    def __enter__(self) -> _Worker:
        self._here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        args = (self._here, there, self._memory, self.job, self.ranges)
        self._process = context.Process(target=_serve, args=args, daemon=True)
        with forking():
            self._process.start()
        there.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._here.close()
        self._process.terminate()
        self._process.join()

    def lines(self, books: Books) -> Iterator[Lines]:
        """Yield the lines of the worker's next range."""
        try:
            while True:
                kind, *told = self._here.recv()
                if kind == "done":
                    books.add(told[0])
                    return
                if kind == "failed":
                    raise told[0]
                yield self._lines(*told)
                with suppress(ConnectionError):  # one that is through with its work is gone
                    self._here.send(told[-1])
        except (EOFError, ConnectionError) as error:
            raise LabelkitError(
                "a process of this export was killed", hint="try again with --jobs 1"
            ) from error

    def _lines(
        self,
        split: str,
        rows: int,
        picks: array[int] | None,
        lines: int,
        size: int,
        big: bytes,
        slot: int,
    ) -> Lines:
        data = memoryview(self._memory)[slot * _SLOT :][:size]
        return Lines(split, "", rows, (big or data,), picks, lines)


# -- in the other process ------------------------------------------------------------------------


def _serve(
    parent: Connection, there: Connection, memory: mmap.mmap, job: Job, ranges: Sequence[Range]
) -> None:
    """Do one range after the other until all are done or nobody listens."""
    forked()
    parent.close()
    gc.freeze()  # looking through what was there before would turn shared pages into own ones
    try:
        store = open_store(job.path)
        small_cache(store)
        out = _Out(there, memory)
        with _few_collections():
            for within in ranges:
                books = Books()
                for bundle in read_bundles(store, job.view, within, job.parts):
                    for found in job.writer.lines(bundle, books):
                        out.add(found)
                out.end(books)
    except (EOFError, ConnectionError):
        pass
    except Exception as error:  # it is raised again where somebody can see it
        there.send(("failed", error))


class _Out:
    """Collects lines by split and hands over what fills a slot."""

    def __init__(self, there: Connection, memory: mmap.mmap) -> None:
        self._there = there
        self._memory = memory
        self._free = list(range(_SLOTS))
        self._waiting: dict[str, Pile] = {}

    def add(self, found: Lines) -> None:
        pile = self._waiting.get(found.split)
        if pile is None or pile.size + found.size > _SLOT:
            if pile and pile.size:
                self._hand_over(found.split, pile)
            pile = self._waiting[found.split] = Pile()
        pile.add(found)

    def end(self, books: Books) -> None:
        for split, pile in self._waiting.items():
            self._hand_over(split, pile)
        self._waiting.clear()
        self._there.send(("done", books))

    def _hand_over(self, split: str, pile: Pile) -> None:
        slot, big = self._slot(), b""
        if pile.size <= _SLOT:
            self._memory.seek(slot * _SLOT)
            for piece in pile.pieces:
                self._memory.write(piece)
        else:
            big = b"".join(pile.pieces)
        about = (pile.rows, pile.picks if pile.lines else None, pile.lines)
        self._there.send(("lines", split, *about, pile.size, big, slot))

    def _slot(self) -> int:
        """A slot that nobody reads any more; waits for one if need be."""
        while not self._free or self._there.poll():
            self._free.append(self._there.recv())
        return self._free.pop()
