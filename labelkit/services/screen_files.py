"""Read the tables of a screening: CSV, TSV or JSONL with a row for each answer."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labelkit.errors import InputError

YES = frozenset({"1", "yes", "true", "y", "t"})
NO = frozenset({"0", "no", "false", "n", "f", ""})


def rows_of(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (file:line, row). Raises InputError for a row that lacks a column."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            read = _table if path.suffix in (".csv", ".tsv") else _jsonl
            for where, row in read(file, path):
                for name in needed:
                    if row.get(name) in (None, ""):
                        raise InputError(f"{where}: {name}: is missing")
                yield where, row
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _table(file: Any, path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
    try:
        for row in reader:
            yield f"{path}:{reader.line_num}", row
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not CSV: {error}") from None


def _jsonl(file: Any, path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(f"{path}:{number}: not JSON") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}:{number}: not an object")
        yield f"{path}:{number}", row


def yes_or_no(row: Mapping[str, Any], name: str, where: str) -> bool:
    """Read a yes or a no. Raises InputError."""
    word = str(row.get(name, "")).strip().lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise InputError(f"{where}: {name}: {row[name]!r} is neither yes nor no")


def number_from(row: Mapping[str, Any], name: str, where: str, least: int, most: int) -> float:
    """Read a number between two bounds. Raises InputError."""
    try:
        value = float(row[name])
    except (TypeError, ValueError):
        raise InputError(f"{where}: {name}: {row[name]!r} is not a number") from None
    if not least <= value <= most:
        raise InputError(f"{where}: {name}: {value:g} is not between {least} and {most}")
    return value
