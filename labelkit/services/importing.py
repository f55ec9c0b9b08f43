"""Take a file in: all of it, or nothing of it."""

from __future__ import annotations

import gc
import gzip
import hashlib
import io
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelkit import plugins
from labelkit.domain.models import Guideline
from labelkit.domain.records import Incoming, Known, RecordError, from_record
from labelkit.errors import InputError
from labelkit.importers._stream import buffered, is_parquet, on_disk
from labelkit.services import import_ahead, import_memory
from labelkit.services.files import Replacing
from labelkit.services.import_formats import RECORDS, detect, items_by_id, rows_of
from labelkit.services.import_voices import Voices
from labelkit.services.project import opened
from labelkit.store import rules
from labelkit.store.engine import Tx
from labelkit.store.ingest import PURGED, Counts, Ingest
from labelkit.store.prepared import Prepared, prepare

SHOWN_PROBLEMS = 50
_PIECE = 1 << 20

Progress = Callable[[int, int | None], None]
"""Called with (bytes read, bytes in all or None)."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import. `max_bad` bad rows are left out; one more and nothing is imported.

    `format` None is found out from the content. `columns` maps a table's columns to labelkit's
    fields and `winners` a winner's words to the letter of a completion or `tie`; `items` names a
    file with the texts that labels speak of by id, and `labeler` stands in where a foreign file
    names none.
    """

    format: str | None = None
    max_bad: int = 0
    rejects: Path | None = None
    dry_run: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    winners: Mapping[str, str] = field(default_factory=dict)
    labeler: str | None = None
    items: str | None = None


@dataclass(slots=True)
class ImportReport:
    """What an import did. `lost` counts what the file says and labelkit has no place for."""

    name: str
    format: str
    counts: Counts = field(default_factory=dict)
    rejected: int = 0
    problems: list[str] = field(default_factory=list)
    dry_run: bool = False
    detected: bool = False
    lost: Counter[str] = field(default_factory=Counter)
    voices: Voices = field(default_factory=Voices)

    @property
    def warnings(self) -> list[str]:
        """What should be heard about, though nothing is wrong with the file."""
        found = []
        if n := self.counts["prompts"][PURGED]:
            said = f"{n:,} of these prompts were deleted for good before, and are back"
            found.append(f"{said}: labelkit purge deletes them again")
        if n := self.voices.repeats:
            said = f"{n:,} judged what was judged before, and name nobody"
            found.append(
                f"{said}: counted as somebody else's (-2, ...), --labeler makes them one's"
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the report as `labelkit.import/1`."""
        return {
            "schema": "labelkit.import/1",
            **{
                name: dict(n)
                for name, n in self.counts.items()
                if name not in ("skips", "decisions") or n["added"]
            },
            "rejected": self.rejected,
            **({"lost": dict(sorted(self.lost.items()))} if self.lost else {}),
            "format": self.format,
            "dry_run": self.dry_run,
        }


class TooManyBad(InputError):
    """The whole file was read, and too many of its rows are bad."""


class _Undo(Exception):
    """Leaves the transaction without keeping it; the report is still good."""


def import_file(
    store: Path,
    source: str,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file, or stdin for `-`. Raises InputError when too many rows are bad."""
    options = options or ImportOptions()
    name = "<stdin>" if source == "-" else source
    wanted = options.format or ("table" if options.columns or options.winners else "")
    report = ImportReport(name, wanted, dry_run=options.dry_run, detected=not wanted)
    if wanted:
        plugins.importers.get(wanted)  # a name there is not is refused before anything is opened
    with opened(store) as opened_store, _rejects(options.rejects) as rejects:
        try:
            with opened_store.write() as tx, _open(source, progress) as file, _no_collector():
                if not _known(tx, file, report, options):
                    with closing(_rows(_unzipped(file), report, options)) as rows:
                        _run(tx, rows, report, options, rejects)
                    _remember(tx, file, report)
                if options.dry_run:
                    raise _Undo
        except _Undo:
            pass
    return report


def _known(tx: Tx, file: _Counted, report: ImportReport, options: ImportOptions) -> bool:
    """Fill in the report when this very file was taken whole before."""
    asked = (
        options.columns or options.winners or options.items or options.format not in (None, RECORDS)
    )
    if asked or file.size not in import_memory.sizes(tx):
        return False
    while file.read(_PIECE):
        pass
    counts = import_memory.recall(tx, file.digest)
    if counts is None:
        file.rewind()
        return False
    report.format, report.counts = RECORDS, counts
    return True


def _remember(tx: Tx, file: _Counted, report: ImportReport) -> None:
    """Of foreign formats nobody knows what a later plug-in will find in the same bytes."""
    if report.format == RECORDS and not report.rejected and file.size == file.done > 0:
        import_memory.keep(tx, file.digest, file.size, report.counts)


def _rows(
    stream: plugins.ByteStream, report: ImportReport, options: ImportOptions
) -> Generator[plugins.Row | Prepared]:
    source = buffered(stream)
    if not report.detected:
        yield from _read(source, report, options)
        return
    with on_disk(source) if is_parquet(source) else nullcontext(source) as source:
        report.format = detect(source)
        yield from _read(source, report, options)


def _read(
    stream: plugins.ByteStream, report: ImportReport, options: ImportOptions
) -> Iterator[plugins.Row | Prepared]:
    importer: plugins.Importer = plugins.importers.get(report.format)
    items: Mapping[str, Mapping[str, Any]] = {}
    if options.items is not None:
        with _open(options.items, None) as texts:
            items = items_by_id(_unzipped(texts), options.items)
    help = plugins.Help(options.columns, items, options.winners)
    found = rows_of(importer, stream, help, options.labeler, report.lost, report.voices)
    return import_ahead.rows(stream) if report.format == RECORDS else found


def _run(
    tx: Tx,
    rows: Iterator[plugins.Row | Prepared],
    report: ImportReport,
    options: ImportOptions,
    rejects: Callable[[plugins.Row, RecordError], None],
) -> None:
    ingest = Ingest(tx)
    known = Known(ingest.completion_names, _remembered_guidelines(tx))
    good = 0
    for row in rows:
        if isinstance(row, plugins.Row):
            if row.ask:
                raise InputError(_said_of(report, row, row.where, row.reason), hint=row.ask)
            try:
                prepared = prepare(_incoming(row, known))
            except RecordError as error:
                _note(report, row, error)
                rejects(row, error)
                continue
        else:
            prepared = row
        good += 1
        if report.rejected <= options.max_bad:
            ingest.add(prepared)
    if report.rejected > options.max_bad:
        way_out = f"--max-bad {report.rejected} leaves them out and takes the other {good:,}"
        raise TooManyBad(_refusal(report, options), hint=way_out if good else None)
    report.counts = ingest.finish()


def _incoming(row: plugins.Row, known: Known) -> Incoming:
    if row.record is None:
        raise RecordError(row.where or "line", row.reason)
    if row.shaped:
        return from_record(row.record, known)
    from labelkit.importers._shape import check_shape  # loads pydantic, which few files need

    return from_record(check_shape(dict(row.record)), known)


def _remembered_guidelines(tx: Tx) -> Callable[[str], Guideline | None]:
    memory: dict[str, Guideline | None] = {}

    def find(ref: str) -> Guideline | None:
        if ref not in memory:
            memory[ref] = rules.find(tx, ref)
        return memory[ref]

    return find


def _note(report: ImportReport, row: plugins.Row, error: RecordError) -> None:
    report.rejected += 1
    if len(report.problems) < SHOWN_PROBLEMS:
        report.problems.append(_said_of(report, row, error.where, error.reason))


def _said_of(report: ImportReport, row: plugins.Row, where: str, reason: str) -> str:
    place = row.line if row.unit == "line" else f"{row.unit} {row.line}"
    return f"{report.name}:{place}: {where}: {reason}"


def _refusal(report: ImportReport, options: ImportOptions) -> str:
    lines = list(report.problems)
    hidden = report.rejected - len(lines)
    if hidden:
        lines.append(f"... and {hidden} more (--rejects FILE keeps them all)")
    rows = "1 bad row" if report.rejected == 1 else f"{report.rejected} bad rows"
    allowed = f", {options.max_bad} allowed" if options.max_bad else ""
    read_as = f" (read as {report.format})" if report.detected else ""
    return "\n".join([*lines, f"nothing was imported: {rows}{allowed}{read_as}"])


@contextmanager
def _no_collector() -> Iterator[None]:
    """Records hold no cycles, and looking for some among them takes a sixth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# -- files ---------------------------------------------------------------------------------------


@contextmanager
def _open(source: str, progress: Progress | None) -> Iterator[_Counted]:
    """Open a file or stdin for reading."""
    if source == "-":
        yield _Counted(sys.stdin.buffer, None, progress)
        return
    path = Path(source)
    try:
        with path.open("rb") as raw:
            yield _Counted(raw, path.stat().st_size, progress)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        folder = isinstance(error, IsADirectoryError)
        raise InputError(
            f"{source}: cannot be read: {reason}",
            hint="one file at a time: labelkit import FILE" if folder else None,
        ) from None


def _unzipped(file: _Counted) -> plugins.ByteStream:
    """Read through gzip when a file's first bytes say so; stdin is taken as it comes."""
    if file.size is None:
        return file
    zipped = file.read(2) == b"\x1f\x8b"
    file.rewind()
    return gzip.GzipFile(fileobj=file, mode="rb") if zipped else file


class _Counted(io.RawIOBase):
    """A readable that says how far it has been read, and what the bytes were."""

    def __init__(
        self, stream: plugins.ByteStream, size: int | None, progress: Progress | None
    ) -> None:
        self.size = size
        self.done = 0
        self._stream = stream
        self._progress = progress
        self._told = 0
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """SHA-256 of all that was read."""
        return self._hash.hexdigest()

    def rewind(self) -> None:
        """Begin again. Only of a file."""
        assert isinstance(self._stream, io.BufferedReader)
        self._stream.seek(0)
        self.done = self._told = 0
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readline(self, limit: int | None = -1, /) -> bytes:
        return self._counted(self._stream.readline(-1 if limit is None else limit))

    def read(self, size: int = -1, /) -> bytes:
        return self._counted(self._stream.read(size))

    def _counted(self, data: bytes) -> bytes:
        self._hash.update(data)
        self.done += len(data)
        if self._progress and self.done - self._told >= _PIECE:
            self._told = self.done
            self._progress(self.done, self.size)
        return data


@contextmanager
def _rejects(path: Path | None) -> Iterator[Callable[[plugins.Row, RecordError], None]]:
    """Collect bad rows in a file that appears when it is whole."""
    if path is None:
        yield lambda row, error: None
        return
    import jsonlines

    part = Replacing(path, even_after=TooManyBad, private=True)
    with part as file, jsonlines.Writer(file) as writer:

        def keep(row: plugins.Row, error: RecordError) -> None:
            reason = {row.unit: row.line, "field": error.where, "reason": error.reason}
            try:
                writer.write({**reason, "record": row.given or row.record})
            except OSError as failure:
                raise part.refused(failure) from failure

        yield keep
