"""Parquet, with a schema that is said and not guessed. Needs the extra `parquet`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from labelkit.domain.columns import Columns, Type
from labelkit.errors import UsageError

_ROWS = 4096
"""Rows in a row group: what is held in memory, and what a reader takes at once."""


def pyarrow() -> Any:
    """Return the library, or say how to get it. Raises UsageError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow", hint="pip install 'labelkit-rlhf[parquet]'"
        ) from None
    return pyarrow


def arrow_schema(columns: Columns) -> Any:
    """Return the columns as an Arrow schema in which nothing may be null."""
    pa = pyarrow()
    return pa.schema([pa.field(name, _arrow(pa, t), nullable=False) for name, t in columns.items()])


def _arrow(pa: Any, type_: Type) -> Any:
    if isinstance(type_, str):
        return {"bool": pa.bool_()}.get(type_) or getattr(pa, type_)()
    if isinstance(type_, list):
        return pa.list_(_arrow(pa, type_[0]))
    return pa.struct([pa.field(name, _arrow(pa, t)) for name, t in type_.items()])


class Parquet:
    """Rows in groups, packed with zstd. Equal rows are equal bytes with the same pyarrow."""

    def __init__(self, file: Any, columns: Columns) -> None:
        self._pa = pyarrow()
        self._schema = arrow_schema(columns)
        self._sink = self._pa.PythonFile(file, mode="w")
        self._writer = self._pa.parquet.ParquetWriter(
            self._sink, self._schema, compression="zstd", write_statistics=False
        )
        self._rows: list[Mapping[str, Any]] = []

    def add(self, lines: bytes | memoryview) -> None:
        for line in bytes(lines).splitlines():
            self._rows.append(orjson.loads(line))
            if len(self._rows) >= _ROWS:
                self._spill()

    def finish(self) -> None:
        self._spill()
        self._writer.close()

    def _spill(self) -> None:
        if self._rows:
            batch = self._pa.RecordBatch.from_pylist(self._rows, schema=self._schema)
            self._writer.write_batch(batch)
            self._rows = []
