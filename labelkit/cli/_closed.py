"""What stands in for a stdout that is closed: it takes nothing, and says so."""

from __future__ import annotations

import io
import os
import sys
from typing import BinaryIO, cast

from labelkit.errors import LabelkitError


class _Refusing(io.RawIOBase):
    """Fails at the first byte, so that no command ends well with its output lost."""

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        raise LabelkitError("stdout is closed, and this command has something to say")


def stand_in() -> None:
    """Give Python a stdout where it found none.

    The descriptors of closed standard streams are taken, or the store would be opened as one.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(fd)
    # Unbuffered: it fails at once.
    refusing = cast(BinaryIO, _Refusing())
    sys.stdout = io.TextIOWrapper(refusing, encoding="utf-8", write_through=True)
