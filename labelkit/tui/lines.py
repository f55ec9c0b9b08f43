"""A conversation by lines: no cursor, no colour, no boxes. Works in a pipe and with a reader."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import IO, Any

from labelkit.domain.safe_text import safe_text
from labelkit.errors import LabelkitError

_MOST_TYPED = 4095
"""Bytes of one line that Linux passes on from a terminal; it drops the rest without a word."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Standard input and output, by the line."""

    source: IO[bytes]
    target: Any

    @classmethod
    def standard(cls) -> Lines:
        """Raises LabelkitError when there is nothing to read from."""
        if sys.stdin is None:
            raise LabelkitError("line mode needs an open stdin")
        return cls(sys.stdin.buffer, sys.stdout)

    @property
    def interactive(self) -> bool:
        """Whether a person is typing."""
        return self.source.isatty()

    def say(self, text: str = "") -> None:
        """Print a line or several, made safe; at once, because somebody may wait for it."""
        self.target.write(safe_text(text) + "\n")
        self.target.flush()

    def ask(self, prompt: str) -> str | None:
        """Return the next line without its end, or None at the end of input."""
        if self.interactive and sys.stderr is not None:
            sys.stderr.write(prompt)
            sys.stderr.flush()
        while (line := self.source.readline()) != b"":
            if self.interactive and len(line) > _MOST_TYPED:
                self.say(f"CUT? Of a line a terminal passes only {_MOST_TYPED:,} bytes on.")
            try:
                return line.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                self.say("That line is not UTF-8 and was passed over.")
        return None

    def rest(self) -> bytes:
        """Everything up to the end of input."""
        return self.source.read()
