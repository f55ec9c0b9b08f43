"""Decisions about prompts, a log of what was deleted for good, and an index that gets used."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def words(*names: str) -> list[sa.Column[Any]]:
    """Text columns; a name that ends in ! must be filled."""
    return [sa.Column(n.rstrip("!"), sa.Text(), nullable=not n.endswith("!")) for n in names]


def upgrade() -> None:
    decision()
    purge()
    open_tasks()
    if op.get_bind().dialect.name == "sqlite":
        sqlite_only()


def open_tasks() -> None:
    """The old one was worded in a way in which SQLite's planner does not recognise it."""
    where = sa.text("state = 'open' AND overlap > filled + leased")
    op.drop_index("ix_task_open", "task")
    op.create_index(
        "ix_task_open",
        "task",
        ["batch_id", "position"],
        sqlite_where=where,
        postgresql_where=where,
    )


def decision() -> None:
    op.create_table(
        "decision",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("uid", name="uq_decision_uid"),
        sa.Column("prompt_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompt.id"], name="fk_decision_prompt_id_prompt"),
        *words("aspect!", "value", "reason!", "note", "by", "made_at!", "run!"),
        sa.Column("supersedes", sa.LargeBinary()),
        sa.Column("restores", sa.LargeBinary()),
        sa.Column("crc", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    for column in ("prompt_id", "run", "supersedes"):
        op.create_index(f"ix_decision_{column}", "decision", [column])


def purge() -> None:
    op.create_table(
        "purge",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        *words("at!", "by", "kind!"),
        sa.Column("who", sa.LargeBinary(), nullable=False),
        *words("counts!"),
        sa.Column("crc", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_purge"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "purged",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("purge_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["purge_id"], ["purge.id"], name="fk_purged_purge_id_purge"),
        sa.Column("crc", sa.Integer()),
        sa.PrimaryKeyConstraint("digest", name="pk_purged"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def sqlite_only() -> None:
    """Decisions are kept like labels."""
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER decision_no_{verb.lower()} BEFORE {verb} ON decision "
            "BEGIN SELECT RAISE(ABORT, 'decisions are never changed or deleted'); END"
        )
    op.execute("PRAGMA user_version=3")
