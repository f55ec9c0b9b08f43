"""Printing: data to stdout, talk to stderr, nothing hostile to either."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import IO, Any

import typer

from labelkit.cli._app import settings_of
from labelkit.domain.safe_text import safe_text
from labelkit.errors import LabelkitError, UsageError

Bar = Callable[[int, int | None], None]


def say(ctx: typer.Context, text: str) -> None:
    """Talk: progress and results of commands that do something. Silent under -q."""
    if not settings_of(ctx).quiet and sys.stderr is not None:
        sys.stderr.write(safe_text(text) + "\n")


def out(text: str = "") -> None:
    """Data a person reads."""
    _stdout().write(safe_text(text) + "\n")


def out_json(value: Any) -> None:
    """Data a program reads: one object, keys as given."""
    import orjson

    binary = _stdout().buffer
    binary.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def stdout_bytes() -> IO[bytes]:
    """The raw stream, for data that goes out by the line."""
    stream: IO[bytes] = _stdout().buffer
    return stream


def _stdout() -> Any:
    if sys.stdout is None:
        raise LabelkitError("stdout is closed, and this command has something to say")
    return sys.stdout


def out_json_rows(schema: str, name: str, rows: Iterable[Any]) -> None:
    """Like `out_json`, for one long list: goes out row by row, so that memory stays flat."""
    import orjson

    binary = _stdout().buffer
    binary.write(b'{\n  "schema": ' + orjson.dumps(schema) + b",\n  " + orjson.dumps(name) + b": [")
    comma = b"\n    "
    for row in rows:
        binary.write(comma + orjson.dumps(row))
        comma = b",\n    "
    binary.write(b"\n  ]\n}\n")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table: drawn on a terminal, tab-separated and uncut anywhere else, row by row."""
    cells = (["" if cell is None else str(cell) for cell in row] for row in rows)
    if not _stdout().isatty():
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
def progress(ctx: typer.Context, what: str) -> Iterator[Bar | None]:
    """A bar on stderr, on a terminal and not under -q; otherwise nothing."""
    if settings_of(ctx).quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def percent(rate: float | None) -> str:
    """A share as people read it; what is undefined is said."""
    return "undefined" if rate is None else f"{100 * rate:.1f} %"


def count(n: int, noun: str) -> str:
    """`1 prompt`, `2 prompts`, `1,234 prompts`."""
    return f"{n:,} {noun if n == 1 else noun + 's'}"
