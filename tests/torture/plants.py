"""Faults planted on purpose: a harness that cannot see them proves nothing.

Each one changes the process it is called in, and is called only in children that will be killed.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson


def late_commit() -> None:
    """Answers are acknowledged at once and committed five at a time."""
    from labelkit.store import core

    held: list[Any] = []
    turns = 0

    @contextmanager
    def write(self: core.Store) -> Iterator[Any]:
        nonlocal turns
        if not held:
            connection = self.engine.connect().execution_options(labelkit_write=True)
            held.extend([connection, connection.begin()])
        yield held[0]
        turns += 1
        if turns % 5 == 0:
            held[1].commit()
            held[0].close()
            held.clear()

    core.Store.write = write  # type: ignore[method-assign]


def no_transaction() -> None:
    """Every statement commits by itself."""
    from labelkit.store import engine

    engine._begin = lambda _connection: None


def careless_draft() -> None:
    """Drafts are written where they lie."""
    from labelkit.store.drafts import Drafts

    def save(self: Drafts, key: str, body: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{key}.json").open("wb", buffering=0) as file:
            for byte in orjson.dumps(body):
                file.write(bytes([byte]))
                time.sleep(0.0002)

    Drafts.save = save  # type: ignore[method-assign]


def copying_rename() -> None:
    """Files get their names by being copied there."""

    def slowly(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
        with Path(target).open("wb", buffering=0) as file:
            for line in Path(source).read_bytes().splitlines(keepends=True):
                file.write(line)
                time.sleep(0.0001)

    def replace(self: Path, target: str | os.PathLike[str]) -> None:
        slowly(self, target)
        self.unlink()

    Path.replace = replace  # type: ignore[method-assign,assignment]
    os.link = slowly  # type: ignore[assignment]


def hushed_errors() -> None:
    """What the store refuses is called done."""
    from labelkit.errors import ExitCode, StoreError

    StoreError.exit_code = ExitCode.OK


def lost_output() -> None:
    """A closed stdout is taken for one that nobody reads."""
    from importlib import import_module

    def stand_in() -> None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # lives as long as the process

    import_module("labelkit.cli.app").stand_in = stand_in  # type: ignore[attr-defined]


def blind_keys() -> None:
    """Every key is taken for meant, however early it came."""
    from labelkit.tui.bench import Bench

    Bench.meant = lambda _self: True  # type: ignore[method-assign]


def no_fsync() -> None:
    """Files get their names before they are on the disk."""
    _sync_only(stat.S_ISDIR)


def no_folder_sync() -> None:
    """Names may not be on the disk when they are spoken of."""
    _sync_only(stat.S_ISREG)


def _sync_only(kind: Callable[[int], bool]) -> None:
    real = os.fsync

    def fsync(fd: int) -> None:
        if kind(os.fstat(fd).st_mode):
            real(fd)

    os.fsync = fsync  # type: ignore[assignment]


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (
        *(late_commit, no_transaction, careless_draft, copying_rename),
        *(hushed_errors, lost_output, blind_keys, no_fsync, no_folder_sync),
    )
}
