"""Batches for cohorts, and a checksum on rows that no uid covers, for `labelkit doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROMPT = ("kind", "use_case", "source", "user", "language", "split", "meta", "external_id")
SOURCE = ("completion_id", "external_id", "model", "params")
ALIAS = ("prompt_id", "name")
# Labels that are there already stay as they are: labels are never changed.
LABELS = ("ranking", "demonstration", "skip")
BLOCK = 5000


def upgrade() -> None:
    batch_cohort()
    for table in ("prompt", "prompt_alias", "completion_source", *LABELS):
        op.add_column(table, sa.Column("crc", sa.Integer()))
    fill("prompt", keys=("id",), sealed=PROMPT)
    fill("prompt_alias", keys=ALIAS, sealed=ALIAS)
    fill("completion_source", keys=SOURCE, sealed=SOURCE)
    if op.get_bind().dialect.name == "sqlite":
        sqlite_only()


def batch_cohort() -> None:
    """Batches may be for cohorts, beside named labelers."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "batch_cohort",
        sa.Column("batch_id", key, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_batch_cohort_batch_id_batch"),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "cohort", name="pk_batch_cohort"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def fill(name: str, keys: tuple[str, ...], sealed: tuple[str, ...]) -> None:
    """Work the checksums out block by block, in the order of the key: memory stays flat."""
    bind = op.get_bind()
    table = sa.table(name, *(sa.column(c) for c in {*keys, *sealed, "crc"}))
    place = [table.c[k] for k in keys]
    change = sa.update(table).values(crc=sa.bindparam("b_crc"))
    change = change.where(*(table.c[k] == sa.bindparam(f"b_{k}") for k in keys))
    todo = sa.select(*(table.c[c] for c in dict.fromkeys((*keys, *sealed)))).order_by(*place)
    rows = bind.execute(todo.limit(BLOCK)).all()
    while rows:
        bind.execute(change, [values(row, keys, sealed) for row in rows])
        last = [getattr(rows[-1], k) for k in keys]
        rows = bind.execute(todo.where(sa.tuple_(*place) > sa.tuple_(*last)).limit(BLOCK)).all()


def values(row: Any, keys: tuple[str, ...], sealed: tuple[str, ...]) -> dict[str, Any]:
    found = {f"b_{k}": getattr(row, k) for k in keys}
    return found | {"b_crc": row_crc(getattr(row, c) for c in sealed)}


def row_crc(values: Iterable[Any]) -> int:
    said = ("\x00" if value is None else str(value) for value in values)
    return crc32("\x1f".join(said).encode("utf-8", "surrogateescape"))


def sqlite_only() -> None:
    """An update that forgets the checksum takes it away, rather than leave a wrong one."""
    columns = ", ".join(f'"{name}"' for name in PROMPT)
    op.execute(
        f"CREATE TRIGGER prompt_unsealed AFTER UPDATE OF {columns} "  # noqa: S608  # our own names
        "ON prompt WHEN new.crc IS old.crc "
        "BEGIN UPDATE prompt SET crc = NULL WHERE id = new.id; END"
    )
    op.execute("PRAGMA user_version=2")
