"""Say what prompts are for, and how that is spread beside the paper's."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from labelkit.domain.decisions import Aspect
from labelkit.domain.use_cases import PAPER, beside_paper, tag_of
from labelkit.errors import InputError, NotFound, UsageError
from labelkit.importers._jsonl import LineError, parse_object, read_lines
from labelkit.services.deciding import BY_HAND, Run, Verdict, by_name, ids_of
from labelkit.services.hygiene import Deciding, record
from labelkit.services.project import opened
from labelkit.store import decisions, prompts
from labelkit.store.engine import Tx

SCHEMA = "labelkit.use-cases/1"
COLUMNS = ("use_case", "prompts", "share", "paper")
_FIELDS = ("prompt_id", "use_case")


def spread(store: Path) -> list[dict[str, Any]]:
    """Return how often each use case is asked for, beside the paper's shares."""
    with opened(store) as opened_store, opened_store.read() as tx:
        return beside_paper(decisions.use_cases(tx))


def as_json(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schema": SCHEMA, "use_cases": rows}


def as_row(row: dict[str, Any]) -> tuple[object, ...]:
    """A use case as a line of a table."""
    shares = ("" if s is None else f"{100 * s:.1f} %" for s in (row["share"], row["paper"]))
    return (row["use_case"] or "(none)", row["prompts"], *shares)


def tagged(
    store: Path,
    word: str | None,
    names: Sequence[str],
    file: Path | None,
    how: tuple[str | None, bool],
    *,
    new: bool = False,
) -> Run | None:
    """Tag by file or by name; None when neither is asked for. `how` is who, and whether to try."""
    if file is not None:
        if word is not None:
            raise UsageError("--file says the use cases itself")
        return tag_file(store, file, Deciding(*how), new=new)
    if word is None:
        return None
    return tag(store, word, ids_of(names), Deciding(*how), new=new)


def tag(store: Path, word: str, names: Sequence[str], how: Deciding, *, new: bool = False) -> Run:
    """Give prompts a use case, by name. Raises UsageError for one that nobody knows."""
    with opened(store) as opened_store, opened_store.read() as tx:
        value = _known(tx, word, new=new)
    return by_name(store, names, Aspect.USE_CASE, value, by=how.by, dry_run=how.dry_run)


def _known(tx: Tx, word: str, *, new: bool) -> str:
    """Return a use case of the paper's or one in use already; others only when `new`."""
    value = tag_of(word)
    if not value or not (new or value in PAPER or value in decisions.use_cases(tx)):
        raise UsageError(
            f"there is no use case {word!r}", hint=f"one of {', '.join(PAPER)}; or with --new"
        )
    return value


def tag_file(store: Path, path: Path, how: Deciding, *, new: bool = False) -> Run:
    """Give prompts the use cases that a CSV, TSV or JSONL file says: all of it or nothing.

    Raises InputError that names the line and the field.
    """
    said = list(_rows(path))
    with opened(store) as opened_store:
        with opened_store.read() as tx:
            verdicts = [_verdict(tx, where, row, new=new) for where, row in said]
        first: dict[int, str | None] = {}
        for (where, row), verdict in zip(said, verdicts, strict=True):
            if first.setdefault(verdict.key, verdict.value) != verdict.value:
                raise InputError(f"{where}: prompt_id: {row['prompt_id']!r} was tagged differently")
        return record(opened_store, verdicts, how)


def _verdict(tx: Tx, where: str, row: dict[str, Any], *, new: bool) -> Verdict:
    for name in _FIELDS:
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise InputError(f"{where}: {name}: is missing or no text")
    try:
        key, _ = prompts.find(tx, row["prompt_id"])
        value = _known(tx, row["use_case"], new=new)
    except (NotFound, UsageError) as error:
        field = "prompt_id" if "prompt" in str(error) else "use_case"
        raise InputError(f"{where}: {field}: {error}", hint=error.hint) from None
    return Verdict(key, Aspect.USE_CASE, value, BY_HAND)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (file:line, fields)."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if path.suffix in (".csv", ".tsv"):
        yield from _table(path, data)
        return
    for number, line in read_lines(io.BytesIO(data)):
        try:
            yield f"{path}:{number}", parse_object(line)
        except LineError as error:
            raise InputError(f"{path}:{number}: {error}") from None


def _table(path: Path, data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8") from None
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter="\t" if path.suffix == ".tsv" else ","
    )
    missing = [name for name in _FIELDS if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"{path}:1: {missing[0]}: there is no such column")
    for row in reader:
        yield f"{path}:{reader.line_num}", row
