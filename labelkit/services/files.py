"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import IO

from labelkit.errors import LabelkitError
from labelkit.store.disk import private_file, sync_folder


class Replacing:
    """Write beside `path`, then fsync and rename over it; an error leaves the old file alone.

    Use as a context manager; the value is a binary file. With `even_refused` the file is kept when
    the block ends in one of labelkit's own errors: a list of bad rows is wanted most of all then.
    A `private` one only its owner can read.
    """

    def __init__(self, path: Path, *, even_refused: bool = False, private: bool = False) -> None:
        self.path = path
        self._private = private
        self._even_refused = even_refused
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> IO[bytes]:
        if self._private:
            self._temporary.unlink(missing_ok=True)
            private_file(self._temporary)
        self._file = self._temporary.open("wb")
        return self._file

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None
        kept = error is None or (self._even_refused and isinstance(error, LabelkitError))
        if not kept:
            self._file.close()
            self._temporary.unlink(missing_ok=True)
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self.path)
        sync_folder(self.path.parent)
