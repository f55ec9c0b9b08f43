"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN_TASK = sa.text("state = 'open' AND filled + leased < overlap")
LEASED_SLOT = sa.text("state = 'leased'")


def words(*names: str) -> list[sa.Column[Any]]:
    """Text columns; a name that ends in ! must be filled."""
    return [sa.Column(n.rstrip("!"), sa.Text(), nullable=not n.endswith("!")) for n in names]


def whole(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[Any]:
    server_default = None if default is None else sa.text(default)
    return sa.Column(name, sa.Integer(), nullable=nullable, server_default=server_default)


def to(parent: str, table: str, nullable: bool = False) -> list[Any]:
    name = f"fk_{table}_{parent}_id_{parent}"
    return [
        sa.Column(f"{parent}_id", KEY, nullable=nullable),
        sa.ForeignKeyConstraint([f"{parent}_id"], [f"{parent}.id"], name=name),
    ]


def uid(table: str) -> list[Any]:
    return [
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("uid", name=f"uq_{table}_uid"),
    ]


def entity(name: str, *parts: Any) -> None:
    op.create_table(
        name,
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )


def link(name: str, *parts: Any, key: list[str]) -> None:
    op.create_table(
        name,
        *parts,
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{columns[0]}", table, columns)


def label(name: str, *parts: Any) -> None:
    entity(
        name,
        *uid(name),
        *to("prompt", name),
        *to("labeler", name, nullable=True),
        *to("guideline", name, nullable=True),
        *to("task", name, nullable=True),
        *words("batch"),
        sa.Column("seconds", sa.REAL()),
        *words("note", "submitted_at"),
        sa.Column("supersedes", sa.LargeBinary()),
        *words("origin!"),
        whole("seq"),
        *parts,
    )
    for column in ("prompt_id", "labeler_id", "task_id"):
        index(name, column)


def upgrade() -> None:
    people_and_rules()
    prompts()
    tasks()
    labels()
    if op.get_bind().dialect.name == "sqlite":
        sqlite_only()


def people_and_rules() -> None:
    link("setting", *words("key!", "value!"), key=["key"])
    entity("journal", *words("at!", "command!", "detail!"))
    entity(
        "labeler",
        *words("name!", "kind!", "cohort"),
        whole("active", "1"),
        *words("created_at!"),
        sa.UniqueConstraint("name", name="uq_labeler_name"),
    )
    entity(
        "guideline",
        *uid("guideline"),
        *words("name!"),
        whole("version"),
        *words("text", "created_at!"),
        sa.UniqueConstraint("name", "version", name="uq_guideline_name_version"),
    )


def prompts() -> None:
    entity(
        "prompt",
        *uid("prompt"),
        *words("kind!", "messages!", "use_case", "source", "user", "language", "split", "meta"),
        *words("external_id"),
    )
    index("prompt", "external_id")
    link(
        "prompt_alias",
        *to("prompt", "prompt_alias"),
        *words("name!"),
        key=["prompt_id", "name"],
    )
    entity(
        "completion",
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        *to("prompt", "completion"),
        *words("text!"),
        sa.UniqueConstraint("prompt_id", "uid", name="uq_completion_prompt_id_uid"),
    )
    link(
        "completion_source",
        *to("completion", "completion_source"),
        *words("external_id!", "model!", "params!"),
        key=["completion_id", "external_id", "model", "params"],
    )
    entity(
        "gold",
        *uid("gold"),
        *to("prompt", "gold"),
        *words("tiers!", "note", "created_at!"),
    )
    index("gold", "prompt_id")


def tasks() -> None:
    entity(
        "batch",
        *words("name!", "kind!"),
        whole("priority"),
        *words("seed!", "settings!"),
        *to("guideline", "batch", nullable=True),
        *words("created_at!"),
        sa.UniqueConstraint("name", name="uq_batch_name"),
    )
    link(
        "batch_labeler",
        *to("batch", "batch_labeler"),
        *to("labeler", "batch_labeler"),
        key=["batch_id", "labeler_id"],
    )
    link(
        "batch_cohort",
        *to("batch", "batch_cohort"),
        *words("cohort!"),
        key=["batch_id", "cohort"],
    )
    entity(
        "task",
        *uid("task"),
        *to("batch", "task"),
        *to("prompt", "task"),
        *words("role!"),
        sa.Column("position", KEY, nullable=False),
        whole("overlap"),
        whole("filled", "0"),
        whole("leased", "0"),
        whole("unclear", "0"),
        sa.Column("state", sa.Text(), nullable=False, server_default=sa.text("'open'")),
    )
    op.create_index(
        "ix_task_open",
        "task",
        ["batch_id", "position"],
        sqlite_where=OPEN_TASK,
        postgresql_where=OPEN_TASK,
    )
    index("task", "prompt_id")
    link(
        "task_completion",
        *to("task", "task_completion"),
        whole("position"),
        *to("completion", "task_completion"),
        key=["task_id", "position"],
    )
    link(
        "task_author",
        *to("task", "task_author"),
        *to("labeler", "task_author"),
        key=["task_id", "labeler_id"],
    )
    slots()


def slots() -> None:
    entity(
        "slot",
        *to("task", "slot"),
        *to("labeler", "slot"),
        whole("round"),
        *words("state!", "token!"),
        sa.Column("expires", sa.REAL(), nullable=False),
        whole("due", nullable=True),
        sa.UniqueConstraint(
            "task_id", "labeler_id", "round", name="uq_slot_task_id_labeler_id_round"
        ),
    )
    index("slot", "labeler_id")
    op.create_index("ix_slot_state", "slot", ["labeler_id", "state"])
    op.create_index(
        "ix_slot_expires",
        "slot",
        ["expires"],
        sqlite_where=LEASED_SLOT,
        postgresql_where=LEASED_SLOT,
    )


def labels() -> None:
    label(
        "ranking",
        *words("tiers!", "unranked", "ratings", "flags", "notes", "marks", "shown", "read"),
        whole("seeded", nullable=True),
        whole("revisions"),
        whole("repeat"),
    )
    label("demonstration", *words("text!"))
    label("skip", *words("reason!", "task!"))


def sqlite_only() -> None:
    """Whose file this is, and the promise that labels are never changed or deleted."""
    op.execute("PRAGMA application_id=0x4C424B54")
    op.execute("PRAGMA user_version=1")
    for table in ("ranking", "demonstration", "skip"):
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'labels are never changed or deleted'); END"
            )
