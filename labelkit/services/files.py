"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from labelkit.errors import LabelkitError
from labelkit.store.disk import drop, private_file, sweep_parts, sync_folder


class Replacing:
    """Write beside `path`, then fsync and rename over it; an error leaves the old file alone.

    Use as a context manager; the value is a binary file. When the block ends in an error of the
    kind `even_after`, the file is kept all the same. A `private` one only its owner can read.
    Raises LabelkitError when the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        even_after: type[LabelkitError] | None = None,
        private: bool = False,
    ) -> None:
        self.path = path
        self._private = private
        self._even_after = even_after
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> IO[bytes]:
        try:
            sweep_parts(self.path.parent, self.path.name)
            if self._private:
                self._temporary.unlink(missing_ok=True)
                private_file(self._temporary)
            self._file = self._temporary.open("wb")
        except OSError as error:
            self._drop()
            raise self.refused(error) from error
        return self._file

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None
        kept = error is None or (self._even_after and isinstance(error, self._even_after))
        if not kept:
            self._drop()
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as failure:
            self._drop()
            raise self.refused(failure) from failure

    def _drop(self) -> None:
        """Leave nothing behind; what cannot be removed is swept next time."""
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        drop(self._temporary)

    def refused(self, error: OSError) -> LabelkitError:
        """What to raise when the file cannot be written to."""
        return LabelkitError(
            f"{self.path}: cannot be written: {error.strerror}",
            hint="free some space, or choose another place",
        )
