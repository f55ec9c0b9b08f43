"""Printing: data to stdout, talk to stderr, nothing hostile to either."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import IO, Any

import typer

from labelkit.cli._app import settings_of
from labelkit.domain.safe_text import safe_text
from labelkit.errors import UsageError

Bar = Callable[[int, int | None], None]
"""Called with (done, in all or None)."""

_SECONDS_UNSEEN = 1.0


def say(ctx: typer.Context, text: str) -> None:
    """Talk: progress and results of commands that do something. Silent under -q."""
    if not settings_of(ctx).quiet and sys.stderr is not None:
        sys.stderr.write(safe_text(text) + "\n")


def out(text: str = "") -> None:
    """Data a person reads."""
    sys.stdout.write(safe_text(text) + "\n")


def out_json(value: Any) -> None:
    """Data a program reads: one object, keys as given."""
    import orjson

    binary = sys.stdout.buffer
    binary.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def stdout_bytes() -> IO[bytes]:
    """The raw stream, for data that goes out by the line."""
    return sys.stdout.buffer


def out_json_rows(schema: str, name: str, rows: Iterable[Any]) -> None:
    """Like `out_json`, for one long list: goes out row by row, so that memory stays flat."""
    import orjson

    binary = sys.stdout.buffer
    binary.write(b'{\n  "schema": ' + orjson.dumps(schema) + b",\n  " + orjson.dumps(name) + b": [")
    comma = b"\n    "
    for row in rows:
        binary.write(comma + orjson.dumps(row))
        comma = b",\n    "
    binary.write(b"\n  ]\n}\n")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table: drawn on a terminal, tab-separated and uncut anywhere else, row by row."""
    cells = (["" if cell is None else str(cell) for cell in row] for row in rows)
    if not sys.stdout.isatty():
        for row in chain([list(header)], cells):
            out("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    _draw(header, list(cells))


def _draw(header: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, name in enumerate(header):
        numeric = all(_is_number(row[i]) for row in cells)
        drawn.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(safe_text(cell)) for cell in row))
    Console().print(drawn)


def _is_number(text: str) -> bool:
    return not text or text[0].isdigit() or text[:1] == "-"


def confirm(question: str, flag: str) -> None:
    """Ask on a terminal; anywhere else only the flag counts. Raises UsageError for a no."""
    asked = sys.stdin is not None and sys.stdin.isatty()
    if not asked or not typer.confirm(safe_text(question), err=True):
        raise UsageError(f"not done: {question}", hint=f"{flag} says yes")


@contextmanager
def progress(ctx: typer.Context, what: str, unit: str = "") -> Iterator[Bar | None]:
    """A bar on stderr with rate and time left, on a terminal and not under -q; otherwise nothing.

    It shows after a second: what is done sooner needs none. `unit` is what is counted.
    """
    if settings_of(ctx).quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    bar = _LateBar(what, unit)
    try:
        yield bar.update
    finally:
        bar.stop()


class _LateBar:
    """Rich's bar; nothing of it is loaded, and no thread of it runs, before it is needed."""

    def __init__(self, what: str, unit: str) -> None:
        self._what, self._unit = what, unit
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def update(self, done: int, total: int | None) -> None:
        seconds = time.monotonic() - self._start
        if self._bar is None:
            if seconds < _SECONDS_UNSEEN:
                return
            self._show()
        rate = f"{_short(done / seconds)}{self._unit}/s"
        self._bar.update(self._task, completed=done, total=total, rate=rate)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        names = ("{task.description}", "{task.percentage:>3.0f} %", "{task.fields[rate]}")
        what, percent, rate = map(TextColumn, names)
        columns = (what, BarColumn(), percent, rate, TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self._what, total=None, rate="")
        self._bar.start()

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _short(rate: float) -> str:
    """Three digits, and a letter for how large it is."""
    power = 0
    while rate >= 1000:
        rate /= 1000
        power += 1
    return f"{rate:.3g} {' kMGT'[power].strip()}"


def percent(rate: float | None) -> str:
    """A share as people read it; what is undefined is said."""
    return "undefined" if rate is None else f"{100 * rate:.1f} %"


def count(n: int, noun: str) -> str:
    """`1 prompt`, `2 prompts`, `1,234 prompts`."""
    return f"{n:,} {noun if n == 1 else noun + 's'}"
