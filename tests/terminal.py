"""A real pseudo-terminal with a program in it, and a small screen that obeys what it prints."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.cells import cell_len

_SEQUENCE = re.compile(
    r"\x1b\[(?P<args>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07)|\x1b[()#].|\x1b[^\[\]PX^_()#]",
    re.DOTALL,
)
KEYS = {
    "enter": "\r", "tab": "\t", "escape": "\x1b", "space": " ", "backspace": "\x7f",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "shift+tab": "\x1b[Z", "pagedown": "\x1b[6~", "ctrl+p": "\x10", "ctrl+s": "\x13",
    "ctrl+c": "\x03",
}  # fmt: skip


def at_the_terminal() -> None:
    """What a shell does before it starts a program: nothing of nohup or & is left."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    at_a_terminal()


def at_a_terminal() -> None:
    """The same for a program that nobody will tell when the terminal goes."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Screen:
    """The cells of a terminal: cursor moves, erasing and text; colours are of no interest."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.x = self.y = 0
        self.modes: set[str] = set()
        self.rows = [[" "] * width for _ in range(height)]
        self._rest = ""

    @property
    def text(self) -> str:
        return "\n".join("".join(row).rstrip() for row in self.rows)

    def feed(self, text: str) -> None:
        text = self._rest + text
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self._put(text[at])
                at += 1
                continue
            found = _SEQUENCE.match(text, at)
            if found is None:
                break
            if found["final"]:
                self._obey(found["args"], found["final"])
            at = found.end()
        self._rest = text[at:]

    def _put(self, char: str) -> None:
        if char == "\r":
            self.x = 0
        elif char == "\n":
            self.y = min(self.height - 1, self.y + 1)
        elif char >= " ":
            wide = cell_len(char)
            if wide and self.x < self.width:
                self.rows[self.y][self.x : self.x + wide] = [char] + [""] * (wide - 1)
            elif not wide and self.x:
                self.rows[self.y][min(self.x, self.width) - 1] += char
            self.x += wide

    def _obey(self, args: str, final: str) -> None:
        if final in "hl" and args.startswith("?"):
            for mode in args[1:].split(";"):
                (self.modes.add if final == "h" else self.modes.discard)(mode)
            if "1049" in args:
                self.rows = [[" "] * self.width for _ in range(self.height)]
        elif final in "Hf":
            row, _, column = args.partition(";")
            self.y = min(self.height, int(row or 1)) - 1
            self.x = min(self.width, int(column or 1)) - 1
        elif final == "J":
            self.rows = [[" "] * self.width for _ in range(self.height)]
        elif final == "K":
            self.rows[self.y][self.x :] = [" "] * (self.width - self.x)


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(
        self,
        argv: list[str],
        *,
        size: tuple[int, int] = (80, 24),
        env: dict[str, str] | None = None,
        told: bool = True,
    ) -> None:
        self.screen = Screen(*size)
        self.raw = b""
        self.master, self.slave = pty.openpty()
        self._set_size(*size)
        self.before = termios.tcgetattr(self.slave)
        ours = ("LABELKIT", "NO_COLOR", "COLUMNS", "LINES")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        self.process = subprocess.Popen(
            argv,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**clean, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
            start_new_session=True,
            preexec_fn=at_the_terminal if told else at_a_terminal,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)
        os.close(self.slave)

    def hang_up(self, seconds: float = 20.0) -> int:
        """Take the terminal away; return the exit code of the program that was on it."""
        os.close(self.master)
        self.master = -1
        return self.process.wait(seconds)

    def _set_size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width: int, height: int) -> None:
        self._set_size(width, height)
        self.screen = Screen(width, height)
        os.kill(self.process.pid, signal.SIGWINCH)

    def read(self, seconds: float = 0.05) -> None:
        """Take in what was printed, until nothing more comes for a while."""
        while select.select([self.master], [], [], seconds)[0]:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                return
            self.raw += piece
            self.screen.feed(piece.decode("utf-8", "replace"))

    def wait_for(self, wanted: str | Callable[[str], Any], seconds: float = 20.0) -> str:
        """Wait until the screen shows something, and return it."""
        test = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        end = time.monotonic() + seconds
        while not test(self.screen.text):
            assert time.monotonic() < end, f"never came: {wanted}\n{self.screen.text}"
            assert self.process.poll() is None, f"it ended:\n{self.screen.text}"
            self.read()
        return self.screen.text

    def press(self, *keys: str) -> None:
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())
            self.read(0.03)

    def end(self, seconds: float = 20.0) -> int:
        """Wait for the program to end; return its exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still running:\n{self.screen.text}"
            self.read()
        self.read()
        return self.process.returncode

    @property
    def restored(self) -> bool:
        """Whether the line discipline and the modes of the screen are as they were."""
        now = termios.tcgetattr(self.slave)
        leftover = self.screen.modes & {"1049", "1000", "1002", "1003", "1006", "1015", "2004"}
        cursor_hidden = self.raw.rfind(b"\x1b[?25l") > self.raw.rfind(b"\x1b[?25h")
        return now == self.before and not leftover and not cursor_hidden


def labelkit(store: Path, *args: str) -> list[str]:
    return [sys.executable, "-m", "labelkit", "--db", str(store), *args]
