"""Statements for many rows: they do what a statement for each would."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import at_most
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from labelkit.store import schema
from labelkit.store.core import Store
from labelkit.store.prepared import ATTRIBUTES, SAID
from labelkit.store.sql import _row_crcs, insert_many, row_crc, rows_with

COLUMNS = ("id", "uid", *SAID)
values = st.none() | st.text(max_size=3) | st.integers() | st.binary(max_size=3)


def prompts(n: int, **said: Any) -> list[tuple[Any, ...]]:
    """Rows of prompts; `said` maps a column to what every third row says."""
    return [
        (
            i,
            bytearray(i.to_bytes(16, "big")),
            "plain",
            f"[{i}]",
            *(said.get(name) if i % 3 == 0 else None for name in ATTRIBUTES),
        )
        for i in range(1, n + 1)
    ]


@pytest.mark.parametrize("said", [{}, {"user": "u"}, {"source": "s", "external_id": "x"}])
@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 700])
def test_rows_are_what_was_inserted(store: Store, n: int, said: dict[str, str]) -> None:
    rows = prompts(n, **said)
    table = schema.prompt
    with store.write() as tx:
        insert_many(tx, table, COLUMNS, rows)
    with store.read() as tx:
        found = tx.execute(select(*[table.c[name] for name in COLUMNS]).order_by(table.c.id))
        assert [tuple(row) for row in found] == rows
        sealed = [table.c[name] for name in schema.SEALED["prompt"]]
        crcs = tx.execute(select(table.c.crc, *sealed)).all()
    assert [row_crc(parts) for _, *parts in crcs] == [crc for crc, *_ in crcs]


def test_nothing_is_inserted_of_nothing(store: Store) -> None:
    with store.write() as tx:
        insert_many(tx, schema.prompt, COLUMNS, [])
        assert tx.execute(select(schema.prompt)).all() == []


@pytest.mark.parametrize("n", [1, 2, 3, 499, 500, 501, 700])
def test_each_row_is_found_once(store: Store, n: int) -> None:
    wanted = [bytearray(i.to_bytes(16, "big")) for i in range(2, n + 2)]
    with store.write() as tx:
        insert_many(tx, schema.prompt, COLUMNS, prompts(n))
        found = list(rows_with(tx, schema.prompt, ("id", "uid"), "uid", wanted))
        assert list(rows_with(tx, schema.prompt, ("id",), "uid", [])) == []
    assert sorted(found) == [(i, i.to_bytes(16, "big")) for i in range(2, n + 1)]


@at_most(200)
@given(st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[values] * n), min_size=1)))
def test_checksums_by_column_are_those_by_row(rows: list[tuple[Any, ...]]) -> None:
    assert _row_crcs(list(zip(*rows, strict=True))) == [row_crc(row) for row in rows]


def test_a_checksum_takes_both_kinds_of_bytes_for_the_same() -> None:
    assert row_crc([b"\x01"]) == row_crc([bytearray(b"\x01")])
