"""The tables as they are declared. Migrations build them; a test holds the two together.

Content and labels carry a global `uid` (16 bytes); joins use local integer keys that are never
used again. Lists and maps are canonical JSON text in which completions appear by local key.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import REAL as Real
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

APPLICATION_ID = 0x4C424B54  # "LBKT"
SCHEMA_VERSION = 3

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", Key, primary_key=True, autoincrement=True)


def _uid() -> Column[bytes]:
    return Column("uid", LargeBinary, nullable=False, unique=True)


def _to(table: str, **options: Any) -> Column[int]:
    return Column(f"{table}_id", Key, ForeignKey(f"{table}.id"), **{"nullable": False, **options})


def _crc() -> Column[int]:
    """Set by `sql.insert_many` over the columns in `SEALED`; NULL where nobody did."""
    return Column("crc", Integer)


def _entity(name: str, *parts: Any) -> Table:
    """A table with a local key that is never reused."""
    return Table(name, metadata, _id(), *parts, sqlite_strict=True, sqlite_autoincrement=True)


def _link(name: str, *parts: Any) -> Table:
    """A table that is all primary key, stored as one tree."""
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=False)


setting = _link(
    "setting",
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

labeler = _entity(
    "labeler",
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("cohort", Text),
    Column("active", Integer, nullable=False, server_default=text("1")),
    Column("created_at", Text, nullable=False),
)

guideline = _entity(
    "guideline",
    _uid(),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("text", Text),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("name", "version"),
)

prompt = _entity(
    "prompt",
    _uid(),
    Column("kind", Text, nullable=False),
    Column("messages", Text, nullable=False),
    Column("use_case", Text),
    Column("source", Text),
    Column("user", Text),
    Column("language", Text),
    Column("split", Text),
    Column("meta", Text),
    Column("external_id", Text),
    _crc(),
    Index(None, "external_id"),
)

prompt_alias = _link(
    "prompt_alias",
    _to("prompt", primary_key=True),
    Column("name", Text, primary_key=True),
    _crc(),
)

completion = _entity(
    "completion",
    Column("uid", LargeBinary, nullable=False),
    _to("prompt"),
    Column("text", Text, nullable=False),
    # Also finds a prompt's completions, and keeps inserts of one prompt next to each other.
    UniqueConstraint("prompt_id", "uid"),
)

# The only place that knows who wrote a completion: the labeling desk never reads it.
completion_source = _link(
    "completion_source",
    _to("completion", primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("params", Text, primary_key=True),
    _crc(),
)


def _label(name: str, *parts: Any) -> Table:
    return _entity(
        name,
        _uid(),
        _to("prompt", index=True),
        _to("labeler", nullable=True, index=True),
        _to("guideline", nullable=True),
        _to("task", nullable=True, index=True),
        Column("batch", Text),
        Column("seconds", Real),
        Column("note", Text),
        Column("submitted_at", Text),
        Column("supersedes", LargeBinary),
        Column("origin", Text, nullable=False),
        Column("seq", Integer, nullable=False),
        *parts,
        _crc(),
    )


ranking = _label(
    "ranking",
    Column("tiers", Text, nullable=False),
    Column("unranked", Text),
    Column("ratings", Text),
    Column("flags", Text),
    Column("notes", Text),
    Column("marks", Text),
    Column("shown", Text),
    Column("read", Text),
    Column("seeded", Integer),
    Column("revisions", Integer, nullable=False),
    Column("repeat", Integer, nullable=False),
)

demonstration = _label("demonstration", Column("text", Text, nullable=False))

skip = _label(
    "skip",
    Column("reason", Text, nullable=False),
    Column("task", Text, nullable=False),
)

LABELS = (ranking, demonstration, skip)

# What a lead decided about prompts. Like labels, never changed: see domain.decisions.
decision = _entity(
    "decision",
    _uid(),
    _to("prompt", index=True),
    Column("aspect", Text, nullable=False),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    Column("note", Text),
    Column("by", Text),
    Column("made_at", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("supersedes", LargeBinary),
    Column("restores", LargeBinary),
    _crc(),
    Index(None, "run"),
    Index(None, "supersedes"),
)

# That somebody's data were deleted: how much, when, and no word of what or whose.
purge = _entity(
    "purge",
    Column("at", Text, nullable=False),
    Column("by", Text),
    Column("kind", Text, nullable=False),
    Column("who", LargeBinary, nullable=False),
    Column("counts", Text, nullable=False),
    _crc(),
)

# Salted hashes of what was deleted, to notice when it comes back.
purged = _link(
    "purged",
    Column("digest", LargeBinary, primary_key=True),
    _to("purge"),
    _crc(),
)

# What no uid covers, and a row's checksum therefore does.
SEALED: dict[str, tuple[str, ...]] = {
    "prompt": (
        "kind",
        "use_case",
        "source",
        "user",
        "language",
        "split",
        "meta",
        "external_id",
    ),
    "prompt_alias": ("prompt_id", "name"),
    "completion_source": ("completion_id", "external_id", "model", "params"),
    **{table.name: ("uid", "task_id", "seq") for table in LABELS},
    "decision": ("uid",),
    "purge": ("at", "by", "kind", "who", "counts"),
    "purged": ("digest", "purge_id"),
}

batch = _entity(
    "batch",
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("seed", Text, nullable=False),
    Column("settings", Text, nullable=False),
    _to("guideline", nullable=True),
    Column("created_at", Text, nullable=False),
)

batch_labeler = _link(
    "batch_labeler",
    _to("batch", primary_key=True),
    _to("labeler", primary_key=True),
)

TASK_STATES = ("open", "set_aside", "excluded")
SLOT_STATES = ("leased", "filled", "skipped", "expired", "waiting", "returned")

# Everybody in one of these groups may work on the batch, those who join it later too.
batch_cohort = _link(
    "batch_cohort",
    _to("batch", primary_key=True),
    Column("cohort", Text, primary_key=True),
)

# SQLite turns comparisons so that a lone column stands on the left, and knows an index for part of
# a table again only by the very same words: written the other way round it would never be used.
OPEN_TASK = text("state = 'open' AND overlap > filled + leased")

task = _entity(
    "task",
    _uid(),
    _to("batch"),
    _to("prompt", index=True),
    Column("role", Text, nullable=False),
    Column("position", Key, nullable=False),
    Column("overlap", Integer, nullable=False),
    Column("filled", Integer, nullable=False, server_default=text("0")),
    Column("leased", Integer, nullable=False, server_default=text("0")),
    Column("unclear", Integer, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    # The migration says the same to PostgreSQL; here that would load its whole dialect.
    Index("ix_task_open", "batch_id", "position", sqlite_where=OPEN_TASK),
)

task_completion = _link(
    "task_completion",
    _to("task", primary_key=True),
    Column("position", Integer, primary_key=True),
    _to("completion"),
)

# Labelers who must not be handed a task: they wrote one of its completions.
task_author = _link(
    "task_author",
    _to("task", primary_key=True),
    _to("labeler", primary_key=True),
)

LEASED_SLOT = text("state = 'leased'")

slot = _entity(
    "slot",
    _to("task"),
    _to("labeler"),
    Column("round", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("expires", Real, nullable=False),
    Column("due", Integer),
    UniqueConstraint("task_id", "labeler_id", "round"),
    Index(None, "labeler_id"),
    Index("ix_slot_state", "labeler_id", "state"),
    Index("ix_slot_expires", "expires", sqlite_where=LEASED_SLOT),
)

gold = _entity(
    "gold",
    _uid(),
    _to("prompt", index=True),
    Column("tiers", Text, nullable=False),
    Column("note", Text),
    Column("created_at", Text, nullable=False),
)

journal = _entity(
    "journal",
    Column("at", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
