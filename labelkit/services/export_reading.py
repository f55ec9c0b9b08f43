"""Read an export back: its manifest, and its rows whatever they are packed in."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelkit.errors import InputError
from labelkit.importers._jsonl import LineError, parse_object, read_lines
from labelkit.services.export_files import MANIFEST, read_manifest
from labelkit.services.export_parquet import pyarrow


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row of an exported file, counted from 1; without a value where it cannot be read."""

    file: str
    number: int
    value: dict[str, Any] | None = None
    reason: str = ""

    @property
    def where(self) -> str:
        return f"{self.file}#{self.number}"


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of an export. Raises InputError where there is none."""
    found = read_manifest(folder / MANIFEST)
    if found is None:
        raise InputError(
            f"{folder} has no {MANIFEST}: no export, or one that was interrupted",
            hint="labelkit export --out DIR",
        )
    return found


def files_in_order(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The data files, train first: the order in which rows of a folder are counted."""
    return sorted(manifest["files"], key=lambda f: (f["split"] != "train", f["split"], f["name"]))


def rows_of(folder: Path, name: str) -> Iterator[ReadRow]:
    """Yield the rows of one file. A row that cannot be read comes with the reason."""
    path = folder / name
    try:
        if name.endswith(".parquet"):
            yield from _parquet_rows(path, name)
        else:
            yield from _json_rows(path, name)
    except FileNotFoundError:
        return
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield ReadRow(name, 1, reason=f"cannot be read: {reason}")


def _json_rows(path: Path, name: str) -> Iterator[ReadRow]:
    with gzip.open(path, "rb") if name.endswith(".gz") else path.open("rb") as file:
        for number, line in read_lines(file):
            try:
                yield ReadRow(name, number, parse_object(line))
            except LineError as error:
                yield ReadRow(name, number, reason=str(error))


def _parquet_rows(path: Path, name: str) -> Iterator[ReadRow]:
    pa = pyarrow()
    number = 0
    try:
        with pa.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for value in batch.to_pylist():
                    number += 1
                    yield ReadRow(name, number, value)
    except pa.ArrowException as error:
        yield ReadRow(name, number + 1, reason=f"cannot be read: {error}")
