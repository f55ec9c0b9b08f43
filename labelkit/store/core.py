"""Open and create stores."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, insert, select

from labelkit.domain.times import now_text
from labelkit.errors import Conflict, ForeignStore, SchemaMismatch, StoreError, StoreMissing
from labelkit.store import schema
from labelkit.store.engine import Tx, make_engine, reading, writing

_MAGIC = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Everything happens inside `read()` or `write()`."""

    path: Path
    engine: Engine

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A short, consistent view."""
        with reading(self.engine, self.path) as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that is on disk when it ends, or never was."""
        with writing(self.engine, self.path) as tx:
            yield tx

    def close(self) -> None:
        self.engine.dispose()


def create(path: Path) -> Store:
    """Make a new store, readable by its owner only. Raises Conflict when something is there.

    It is built under another name and renamed when whole, so a crash leaves no half store.
    """
    from labelkit.store.migrate import upgrade

    if path.exists():
        raise Conflict(f"{path} is already there", hint="choose another name with --db")
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        engine = make_engine(draft)
        upgrade(engine)
        _first_settings(engine, draft)
        engine.dispose()
        os.link(draft, path)
    except FileExistsError:
        raise Conflict(f"{path} is already there", hint="choose another name with --db") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be created: {error.strerror}") from error
    finally:
        for leftover in (draft, Path(f"{draft}.lock"), Path(f"{draft}-journal")):
            leftover.unlink(missing_ok=True)
    return open_store(path)


def _first_settings(engine: Engine, path: Path) -> None:
    """The project's own name, and the salt that its blind shuffles start from."""
    values = {
        "project": secrets.token_hex(16),
        "salt": secrets.token_hex(16),
        "created_at": now_text(),
    }
    with writing(engine, path) as tx:
        tx.execute(insert(schema.setting), [{"key": k, "value": v} for k, v in values.items()])


def open_store(path: Path) -> Store:
    """Open an existing store, or say why it cannot be used."""
    _check_file(path)
    store = Store(path, make_engine(path))
    _check_schema(store)
    return store


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        raise StoreMissing(f"there is no store at {path}", hint="labelkit init") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error
    if not head.startswith(_MAGIC) or len(head) < 100:
        raise ForeignStore(f"{path} is not a labelkit store", hint="point --db at the right file")
    if int.from_bytes(head[68:72], "big") != schema.APPLICATION_ID:
        raise ForeignStore(
            f"{path} belongs to another program", hint="point --db at the right file"
        )


def _check_schema(store: Store) -> None:
    with store.read() as tx:
        version = tx.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version < schema.SCHEMA_VERSION:
        raise SchemaMismatch(
            f"{store.path} was written by an older labelkit (schema {version}, "
            f"this one uses {schema.SCHEMA_VERSION})",
            hint="labelkit db upgrade",
        )
    if version > schema.SCHEMA_VERSION:
        raise SchemaMismatch(
            f"{store.path} was written by a newer labelkit (schema {version}, "
            f"this one knows {schema.SCHEMA_VERSION})",
            hint="pip install --upgrade labelkit-rlhf",
        )


def get_setting(tx: Tx, key: str, default: str = "") -> str:
    """Return one of the project's settings."""
    found = tx.scalar(select(schema.setting.c.value).where(schema.setting.c.key == key))
    return default if found is None else found


def put_setting(tx: Tx, key: str, value: str) -> None:
    """Set one of the project's settings."""
    table = schema.setting
    changed = tx.execute(table.update().where(table.c.key == key).values(value=value))
    if not changed.rowcount:
        tx.execute(insert(table).values(key=key, value=value))
