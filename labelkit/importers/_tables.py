"""Rows of CSV, TSV and Parquet files, one dict each, read as they come."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from labelkit.errors import InputError, UsageError
from labelkit.importers import _jsonl
from labelkit.importers._jsonl import LineError
from labelkit.importers._stream import on_disk

_BATCH = 256
_EXCEL = re.compile(r'"?sep=([,;\t|])"?')
"""A first line that tells Excel what parts the cells."""


class Line(NamedTuple):
    """One row of a table: where it begins, and its cells or what is wrong with it."""

    number: int
    cells: dict[str, Any] | None = None
    reason: str = ""


class _Lines:
    """Lines of a text file for the csv module, which asks for more while a quote is open."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(_jsonl.MAX_LINE + 1):
            self.number += 1
            if len(line) > _jsonl.MAX_LINE:
                while line and not line.endswith(b"\n"):
                    line = self._stream.readline(_jsonl.MAX_LINE)
                yield "\x00\n"  # no text may hold it, so the row is refused
            else:
                text = line.removeprefix(b"\xef\xbb\xbf") if self.number == 1 else line
                yield text.decode("utf-8", "surrogateescape")


def text_rows(stream: io.BufferedReader) -> Iterator[Line]:
    """Yield the rows of a file with a header; tab, comma or semicolon, whichever it has most of.

    A line `sep=;` before it says another.
    """
    lines = _Lines(stream)
    feed = iter(lines)
    header = next(feed, "")
    delimiter = max("\t,;", key=header.count)
    if said := _EXCEL.fullmatch(header.strip(" \r\n")):
        delimiter, header = said[1], next(feed, "")
    csv.field_size_limit(_jsonl.MAX_LINE)
    # A header may hold line breaks too, so it goes through the same reader as the rows.
    rows = csv.reader(_chain(header, feed), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    while True:
        number = lines.number + 1 if names is not None else 1
        try:
            cells = next(rows)
            if names is None:
                names = _header(cells)
            elif cells:
                yield Line(number, _row(names, cells))
        except StopIteration:
            return
        except (csv.Error, LineError) as error:
            yield Line(number, None, f"not a row of a table: {error}")
            if names is None:
                return


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() or f"column {i}" for i, cell in enumerate(cells, 1)]
    if len(set(names)) < len(names):
        raise LineError("two columns have the same name")
    for name in names:
        _check(name)
    return names


def _row(names: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(names):
        raise LineError(f"{len(cells)} cells under {len(names)} columns")
    for cell in cells:
        _check(cell)
    return dict(zip(names, cells, strict=True))


def _check(text: str) -> None:
    if "\x00" in text:
        raise LineError("a cell holds the character NUL, or a line is too long")
    if any("\udc80" <= c <= "\udcff" for c in text):
        raise LineError("not UTF-8 (a spreadsheet saves it as `CSV UTF-8`)")


def parquet_rows(stream: io.BufferedReader) -> Iterator[Line]:
    """Yield the rows of a Parquet file.

    Raises UsageError without pyarrow and InputError for a damaged file.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UsageError(
            "Parquet files need pyarrow", hint="pip install 'labelkit-rlhf[parquet]'"
        ) from None
    with on_disk(stream) as file:
        number = 0
        try:
            for batch in parquet.ParquetFile(file).iter_batches(_BATCH):
                for cells in batch.to_pylist():
                    number += 1
                    yield _plain_row(number, cells)
        except (pyarrow.ArrowException, OSError) as error:
            said = str(error).splitlines()[0]
            raise InputError(f"the Parquet file cannot be read: {said}") from None


def _plain_row(number: int, cells: dict[str, Any]) -> Line:
    try:
        return Line(number, {name: _plain(value) for name, value in cells.items()})
    except LineError as error:
        return Line(number, None, str(error))


def _plain(value: Any) -> Any:
    """A value as JSON has it: moments, decimals and the like become text, NaN becomes nothing."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    text = value if isinstance(value, str) else str(value)
    _check(text)
    return text
