"""Parquet, with a schema that is said and not guessed. Needs the extra `parquet`."""

from __future__ import annotations

from array import array
from typing import Any

from labelkit.domain.columns import Columns, Type
from labelkit.errors import UsageError
from labelkit.services.export_piles import Lines, Pile

_ROWS = 4096
"""Rows in a row group: what is held in memory, and what a reader takes at once."""
_BLOCK = 1 << 20
"""Bytes of JSON lines that are read at once."""
_TAKEN = 1 << 26
"""Bytes of rows that are made out of lines at once."""


def pyarrow() -> Any:
    """Return the library, or say how to get it. Raises UsageError."""
    try:
        import pyarrow
        import pyarrow.json
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
    """Rows in groups, packed with zstd. Equal rows are equal bytes with the same pyarrow.

    `rejected` are the columns that rows made of two lines take from the second one.
    """

    def __init__(self, file: Any, columns: Columns, rejected: frozenset[str]) -> None:
        self._pa = pyarrow()
        self._schema = arrow_schema(columns)
        self._rejected = rejected
        self._sink = self._pa.PythonFile(file, mode="w")
        self._writer = self._pa.parquet.ParquetWriter(
            self._sink, self._schema, compression="zstd", write_statistics=False
        )
        self._waiting = Pile()
        self._rows = self._schema.empty_table()

    def add(self, found: Lines) -> None:
        self._waiting.add(found)
        if self._waiting.size >= _BLOCK:
            self._parse()

    def finish(self) -> None:
        self._parse()
        self._spill(0)
        self._writer.close()

    def _parse(self) -> None:
        """Turn lines into columns: Arrow reads JSON many times as fast as it takes in objects."""
        pile, self._waiting = self._waiting, Pile()
        if not pile.pieces:
            return
        data = b"".join(pile.pieces)
        lines = self._pa.json.read_json(
            self._pa.BufferReader(data),
            # One block, so that a line of any length fits in it.
            self._pa.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            self._pa.json.ParseOptions(
                explicit_schema=self._schema, unexpected_field_behavior="error"
            ),
        ).cast(self._schema)
        if not pile.lines:
            self._add(lines)
            return
        longest = max(map(len, data.split(b"\n")))
        step = max(1, min(_ROWS, _TAKEN // longest))
        for start in range(0, pile.rows, step):
            self._add(self._picked(lines, pile.picks[2 * start : 2 * (start + step)]))

    def _picked(self, lines: Any, picks: array[int]) -> Any:
        """Make rows out of two lines each."""
        sides = [self._pa.array(side, self._pa.uint32()) for side in (picks[::2], picks[1::2])]
        columns = [
            lines.column(name).take(sides[name in self._rejected]) for name in self._schema.names
        ]
        return self._pa.table(columns, schema=self._schema)

    def _add(self, rows: Any) -> None:
        self._rows = self._pa.concat_tables([self._rows, rows])
        self._spill(_ROWS)

    def _spill(self, least: int) -> None:
        """Write groups of rows while there are at least so many, each in one piece."""
        while self._rows.num_rows and self._rows.num_rows >= least:
            group, self._rows = self._rows.slice(0, _ROWS), self._rows.slice(_ROWS)
            self._writer.write_table(group.combine_chunks(), row_group_size=_ROWS)
