"""The folder of an export: every file whole or absent, and a manifest last of all."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

import orjson

from labelkit.errors import Conflict, LabelkitError
from labelkit.services.export_options import Shard
from labelkit.services.export_piles import Lines, Pile
from labelkit.store.disk import drop, sweep_parts, sync_folder, write_behind

MANIFEST = "manifest.json"
_WAS = f".{MANIFEST}.was.part"
"""The last export's manifest, while files change."""
_BUFFER = 1 << 18
_AHEAD = 1 << 25
"""Bytes after which the disk is told to begin."""
_BEHIND = 1 << 28
"""Bytes at the end of which some may still be on their way."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file of an export. Files beside the data have no split and no rows."""

    name: str
    split: str
    rows: int
    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        about = {"name": self.name, "bytes": self.size, "sha256": self.sha256}
        if not self.split:
            return about
        return {"name": self.name, "split": self.split, "rows": self.rows, **about}


class Hashed:
    """A binary file that counts and hashes what is written to it, and has it on the disk soon."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = 0
        self.digest = hashlib.sha256()
        self._begun = 0

    def write(self, data: bytes | memoryview) -> int:
        self.file.write(data)
        self.digest.update(data)
        self.size += len(data)
        if self.size - self._begun >= _AHEAD:
            start = max(0, self.size - _BEHIND)
            write_behind(self.file.fileno(), start, self.size - start)
            self._begun = self.size
        return len(data)

    def flush(self) -> None:
        self.file.flush()


class Encoder(Protocol):
    """Turns rows, given as JSON lines, into a file's bytes."""

    def add(self, found: Lines) -> None: ...

    def finish(self) -> None: ...


class JsonLines:
    """One JSON object a line."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._waiting = Pile()

    def add(self, found: Lines) -> None:
        if found.size >= _BUFFER:
            self._spill()
            self._file.write(found.data)
            return
        self._waiting.add(found)
        if self._waiting.size >= _BUFFER:
            self._spill()

    def finish(self) -> None:
        self._spill()

    def _spill(self) -> None:
        self._file.write(b"".join(self._waiting.pieces))
        self._waiting = Pile()


class GzipJsonLines(JsonLines):
    """The same, packed; with no name and no time in it, so that equal rows are equal bytes."""

    def __init__(self, file: Any) -> None:
        self._zip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0)
        super().__init__(self._zip)

    def finish(self) -> None:
        super().finish()
        self._zip.close()


class _Part:
    """A file being written beside its place."""

    def __init__(self, folder: Path, name: str, split: str) -> None:
        self.split = split
        self.rows = 0
        self.temporary = folder / f".{name.replace('/', '~')}.{os.getpid()}.part"
        self._raw: IO[bytes] = self.temporary.open("wb", buffering=0)
        self.file = Hashed(self._raw)
        self.encoder: Encoder | None = None

    def add(self, found: Lines) -> None:
        assert self.encoder is not None
        self.encoder.add(found)
        self.rows += found.rows

    def seal(self) -> None:
        """Put everything on the disk, still under the temporary name."""
        if self.encoder is not None:
            self.encoder.finish()
        os.fsync(self._raw.fileno())
        self._raw.close()

    def written(self, name: str) -> WrittenFile:
        digest = self.file.digest.hexdigest()
        return WrittenFile(name, self.split, self.rows, self.file.size, digest)

    def discard(self) -> None:
        self._raw.close()
        drop(self.temporary)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of an export are named and cut. `max_rows` of 0 is no limit.

    The files of all shards have names of their own: they fit into one folder.
    """

    suffix: str
    encoder: Callable[[Any], Encoder]
    fixed: Mapping[str, str]
    max_rows: int = 0
    shard: Shard | None = None

    def name(self, split: str, number: int, of: int) -> str:
        """`train.jsonl`, or `train-00000-of-00003.jsonl` where rows per file are limited."""
        if split in self.fixed:
            return self.fixed[split]
        if self.shard:
            number, of = self.shard.number - 1, self.shard.of
        cut = f"-{number:05d}-of-{of:05d}" if self.max_rows or self.shard else ""
        return f"{split}{cut}{self.suffix}"


class Folder:
    """Where an export goes. Nothing takes its final name before everything is on the disk."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self._parts: dict[str, list[_Part]] = {}
        self._documents: dict[str, _Part] = {}
        self._own: set[str] = set()
        self._half_named = False
        self._new = False

    def check(self, kind: tuple[str, str, str | None], names: Iterable[str]) -> None:
        """Refuse a folder with another kind of export or somebody else's files. Raises Conflict."""
        old = read_manifest(self.path / MANIFEST)
        if old is not None:
            found = (old["format"], old["for"], old.get("variant"))
            if found != kind:
                raise Conflict(
                    f"{self.path} holds an export of {found[0]} for {found[1]}",
                    hint="give every format a folder of its own",
                )
            self._own |= _files_of(old)
        for claim in self._claims():
            self._own |= _files_of(_unfinished(claim))
        self._refuse_foreign(names)

    def _refuse_foreign(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._own and (self.path / name).exists():
                raise Conflict(
                    f"{self.path / name} is already there, and no export of labelkit's wrote it",
                    hint="choose another --out",
                )

    def __enter__(self) -> Folder:
        try:
            self._new = not self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LabelkitError(f"{self.path}: cannot be made: {error.strerror}") from None
        sweep_parts(self.path, spare=MANIFEST)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._half_named:  # the manifest stays: it says whose the files are
            self._documents.pop(MANIFEST)
        for part in [*self._documents.values(), *(p for ps in self._parts.values() for p in ps)]:
            part.discard()
        if error and self._new:
            with suppress(OSError):  # something is in it
                self.path.rmdir()
        if isinstance(error, OSError):
            raise LabelkitError(
                f"{self.path}: {error.strerror}; nothing was exported",
                hint="free some space, or choose another --out",
            ) from error

    def _claims(self) -> list[Path]:
        """Manifests of exports that ended while they gave their files names: whose those are."""
        return list(self.path.glob(f".{MANIFEST}.*.part"))

    def add(self, found: Lines) -> None:
        """Write some rows of a split."""
        most = self.layout.max_rows
        while most and (room := most - self._part(found.split).rows) < found.rows:
            first, found = found.cut(room)
            self._part(first.split).add(first)
        self._part(found.split).add(found)

    def _part(self, split: str) -> _Part:
        """The file that takes a split's next row."""
        parts = self._parts.setdefault(split, [])
        if not parts or (self.layout.max_rows and parts[-1].rows >= self.layout.max_rows):
            if parts:
                parts[-1].seal()
            part = _Part(self.path, f"{split}-{len(parts)}", split)
            part.encoder = self.layout.encoder(part.file)
            parts.append(part)
        return parts[-1]

    def sealed(self) -> list[WrittenFile]:
        """Finish all data files and return them by name."""
        for parts in self._parts.values():
            parts[-1].seal()
        return sorted(
            (part.written(name) for name, part in self._named().items()), key=lambda f: f.name
        )

    def _named(self) -> dict[str, _Part]:
        return {
            self.layout.name(split, i, len(parts)): part
            for split, parts in self._parts.items()
            for i, part in enumerate(parts)
        }

    def document(self, name: str, data: bytes) -> WrittenFile:
        """Add a file that stands beside the data."""
        part = self._documents[name] = _Part(self.path, name, "")
        part.file.write(data)
        part.seal()
        return part.written(name)

    def publish(self, manifest: Mapping[str, Any]) -> None:
        """Give every file its name; the manifest goes last, so that it never speaks too soon."""
        named = {**self._named(), **self._documents}
        self._refuse_foreign(named)
        data = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        self.document(MANIFEST, data)
        self._half_named = True
        with suppress(FileNotFoundError):
            (self.path / MANIFEST).replace(self.path / _WAS)
        for name, part in named.items():
            place = self.path / name
            place.parent.mkdir(exist_ok=True)
            part.temporary.replace(place)
        for name in self._own - set(named):
            (self.path / name).unlink(missing_ok=True)
        for folder in {(self.path / name).parent for name in named}:
            sync_folder(folder)
        self._documents[MANIFEST].temporary.replace(self.path / MANIFEST)
        sync_folder(self.path)
        self._half_named = False
        drop(self.path / _WAS)
        sweep_parts(self.path)


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Return a manifest, or None where there is none. Raises Conflict for anything else."""
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes())
        _ = found["format"], found["for"], _files_of(found)
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        raise Conflict(f"{path} is not a labelkit manifest", hint="choose another --out") from None
    return found


def _unfinished(stray: Path) -> dict[str, Any]:
    """The manifest of an export that was killed while it gave its files their names."""
    try:
        return read_manifest(stray) or {}
    except Conflict:
        return {}


def _files_of(manifest: Mapping[str, Any]) -> set[str]:
    """The files a manifest speaks of: only such as lie in its folder."""
    names = {f["name"] for f in [*manifest.get("files", []), *manifest.get("documents", [])]}
    return {name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts}
