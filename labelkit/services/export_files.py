"""The folder of an export: one file a split, whole or absent, and a manifest last of all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson

from labelkit.errors import Conflict, LabelkitError
from labelkit.store.disk import sync_folder

MANIFEST = "manifest.json"
_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file of an export."""

    name: str
    split: str
    rows: int
    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "split": self.split,
            "rows": self.rows,
            "bytes": self.size,
            "sha256": self.sha256,
        }


class _Part:
    """A file being written beside its place."""

    def __init__(self, path: Path, split: str) -> None:
        self.path = path
        self.split = split
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self.file: IO[bytes] = self.temporary.open("wb", buffering=_BUFFER)
        self.rows = 0
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, line: bytes) -> None:
        self.file.write(line)
        self.digest.update(line)
        self.rows += 1
        self.size += len(line)

    def seal(self) -> WrittenFile:
        """Put everything on the disk, still under the temporary name."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        name, digest = self.path.name, self.digest.hexdigest()
        return WrittenFile(name, self.split, self.rows, self.size, digest)

    def discard(self) -> None:
        self.file.close()
        self.temporary.unlink(missing_ok=True)


class Folder:
    """Where an export goes. Nothing takes its final name before everything is on the disk."""

    def __init__(self, path: Path, file_name: Callable[[str], str]) -> None:
        self.path = path
        self._file_name = file_name
        self._parts: dict[str, _Part] = {}
        self._old: list[str] = []

    def check(self, format: str, trainer: str) -> None:
        """Refuse a folder that holds another kind of export. Raises Conflict."""
        try:
            old = orjson.loads((self.path / MANIFEST).read_bytes())
            kind, self._old = (old["format"], old["for"]), [f["name"] for f in old["files"]]
        except FileNotFoundError:
            return
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
            raise Conflict(
                f"{self.path / MANIFEST} is not a labelkit manifest", hint="choose another --out"
            ) from None
        if kind != (format, trainer):
            raise Conflict(
                f"{self.path} holds an export of {kind[0]} for {kind[1]}",
                hint="give every format a folder of its own",
            )

    def __enter__(self) -> Folder:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LabelkitError(f"{self.path}: cannot be made: {error.strerror}") from None
        self._sweep()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for part in self._parts.values():
            part.discard()
        if isinstance(error, OSError):
            raise LabelkitError(
                f"{self.path}: {error.strerror}; nothing was exported",
                hint="free some space, or choose another --out",
            ) from error

    def _sweep(self) -> None:
        """Remove what an export that was killed left behind."""
        for stray in self.path.glob(".*.part"):
            if not _alive(stray.name.split(".")[-2]):
                stray.unlink(missing_ok=True)

    def write(self, split: str, line: bytes) -> None:
        part = self._parts.get(split)
        if part is None:
            part = self._parts[split] = _Part(self.path / self._file_name(split), split)
        part.write(line)

    def sealed(self) -> list[WrittenFile]:
        """Finish all files and return them by name."""
        files = [part.seal() for part in self._parts.values()]
        return sorted(files, key=lambda f: f.name)

    def publish(self, manifest: dict[str, Any]) -> None:
        """Give every file its name; the manifest goes last, so that it never speaks too soon."""
        data = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        about = _Part(self.path / MANIFEST, "")
        self._parts[""] = about
        about.write(data)
        about.seal()
        (self.path / MANIFEST).unlink(missing_ok=True)
        for part in self._parts.values():
            if part is not about:
                part.temporary.replace(part.path)
        for name in set(self._old) - {part.path.name for part in self._parts.values()}:
            (self.path / Path(name).name).unlink(missing_ok=True)
        about.temporary.replace(about.path)
        sync_folder(self.path)


def _alive(pid: str) -> bool:
    """Whether the process that a temporary file is named after still runs."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        pass
    return True
