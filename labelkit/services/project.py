"""Find, create and open the project's store."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from labelkit.domain.guidelines import parse_guideline
from labelkit.errors import InputError, StoreError, UsageError
from labelkit.services.files import Replacing
from labelkit.services.settings import PROJECT_FILE, lookup
from labelkit.store import core, rules
from labelkit.store.disk import drop

DEFAULT_STORE = "labelkit.db"
GUIDELINE_FILE = "helpful-honest-harmless.md"
_PROJECT_TEMPLATE = """\
# Settings of this project. Flags and LABELKIT_* variables go first; see `labelkit config list`.
db = "{db}"
"""


@dataclass(frozen=True, slots=True)
class NewProject:
    """What `init` made."""

    store: Path
    guideline: str | None
    settings: Path | None

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": "labelkit.init/1",
            "store": str(self.store),
            "guideline": self.guideline,
            "settings": str(self.settings) if self.settings else None,
        }


def store_in(path: Path) -> Path:
    """Return the store that `labelkit init PATH` means: a .db file, or a folder to put one in."""
    return path if path.suffix == ".db" else path / DEFAULT_STORE


def locate(flag: str | None, env: Mapping[str, str] = os.environ, cwd: Path | None = None) -> Path:
    """Return the path of the store: --db, LABELKIT_DB, labelkit.toml found upwards, ./labelkit.db.

    A path in labelkit.toml is relative to that file.
    """
    setting = lookup("db", DEFAULT_STORE, flag=flag, env=env, cwd=cwd)
    path = _path_of(str(setting.value))
    if setting.origin.endswith(".toml"):
        return Path(setting.origin).parent / path
    return (cwd or Path()) / path


def _path_of(text: str) -> Path:
    scheme, colon, rest = text.partition("://")
    if not colon:
        return Path(text).expanduser()
    if scheme == "sqlite" and rest.startswith("/"):
        return Path(rest[1:])
    raise UsageError(
        f"{scheme} stores are not supported yet", hint="use a path or sqlite:///path/to/labelkit.db"
    )


def init(path: Path, guideline: Path | None = None, *, write_settings: bool = True) -> NewProject:
    """Make a store with a first guideline in it, and a labelkit.toml when there is none."""
    text_path = guideline or data_folder("guidelines") / GUIDELINE_FILE
    rule = parse_guideline(_read(text_path), str(text_path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot be made: {error.strerror}") from error
    settings = path.parent / PROJECT_FILE
    wanted = write_settings and not settings.exists() and not path.exists()
    with _settings(settings, path) if wanted else nullcontext():
        core.create(path, lambda tx: rules.add(tx, rule))
    return NewProject(path, rule.ref, settings if wanted else None)


@contextmanager
def _settings(settings: Path, store: Path) -> Iterator[None]:
    """A settings file, unless the block fails. The store goes last: what lacks one is made anew."""
    with Replacing(settings, private=True) as file:
        file.write(_PROJECT_TEMPLATE.format(db=store.name).encode())
    try:
        yield
    except BaseException:
        drop(settings)
        raise


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def data_folder(name: str) -> Path:
    """Return the folder of packaged data: `guidelines` or `sample_data`."""
    package = Path(str(files("labelkit")))
    packaged = package / "_data" / name
    return packaged if packaged.is_dir() else package.parent / name


@contextmanager
def opened(path: Path) -> Iterator[core.Store]:
    """Open a store for one use case of those who manage it; a `Desk` opens its own."""
    store = core.open_store(path, managed=True)
    try:
        yield store
    finally:
        store.close()
