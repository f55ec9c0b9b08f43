"""Which importer reads a file: the one that was named, or the one its content speaks of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from labelkit import plugins
from labelkit.errors import InputError, UsageError
from labelkit.importers._items import Item, is_json_lines, read_items
from labelkit.importers._stream import buffered, head_of, is_parquet
from labelkit.importers._winners import SIDES, TIE
from labelkit.plugins import ByteStream, Help, Importer, Row
from labelkit.services.import_voices import Voices

RECORDS = "records"
_TABLE = "table"
_OF_PROMPTS = {"prompt", "prompt_id", "use_case", "source", "user", "language", "split"}
_SAMPLE = 20
_KEYS_SHOWN = 12


def detect(stream: ByteStream) -> str:
    """Return the name of the one format whose items these are.

    `stream` must be buffered, and seekable for Parquet; nothing is taken from it. A file without
    any item is taken for labelkit's own. Raises InputError when no format, or more than one, knows
    the items.
    """
    items = _sample(stream)
    fields = [item.fields for item in items if item.fields is not None]
    if not items:
        if is_parquet(stream) or buffered(stream).peek().strip(b"\xef\xbb\xbf \t\r\n"):
            raise InputError("the file has no rows")
        return RECORDS
    if not fields:
        raise _unknown(f"its first {items[0].unit}: {items[0].reason}")
    own = _recognised(RECORDS, fields)
    if own and is_json_lines(buffered(stream).peek()):
        return RECORDS
    others = (name for name in plugins.importers.names() if name != RECORDS)
    found = [name for name in others if _recognised(name, fields)]
    if len(found) > 1:
        raise InputError(
            f"the file may be {' or '.join(found)}: its items have the fields {_keys(fields)}",
            hint=f"say which: --from {found[0]}",
        )
    if found:
        return found[0]
    return _by_default(own, fields)


def _by_default(own: bool, fields: Sequence[Mapping[str, Any]]) -> str:
    """What items are that no foreign format knows: a table of prompts, or an error."""
    if not own:
        raise _unknown(f"its first items have the fields {_keys(fields)}")
    if all(each.keys() <= _OF_PROMPTS for each in fields):
        return _TABLE
    raise InputError(
        "these are labelkit's own records, which stand one on a line",
        hint="for a JSON list: jq -c '.[]' FILE | labelkit import -",
    )


def _sample(stream: ByteStream) -> list[Item]:
    """The first items. Of text only the head is looked at, and an item that it cuts is left out."""
    source = buffered(stream)
    if is_parquet(source):
        items = list(islice(read_items(source), _SAMPLE))
        source.seek(0)
        return items
    head, whole = head_of(source)
    items = list(islice(read_items(head), _SAMPLE + 1))
    if whole or len(items) > _SAMPLE:
        return items[:_SAMPLE]
    if len(items) < 2:
        raise _unknown("its first item is too long to tell")
    return items[:-1]


def _recognised(name: str, fields: Sequence[Mapping[str, Any]]) -> bool:
    """Whether half of the items are this format's, for a bad one shall be named as such."""
    importer: Importer = plugins.importers.get(name)
    return 2 * sum(importer.recognises(each) for each in fields) >= len(fields)


def _keys(fields: Iterable[Mapping[str, Any]]) -> str:
    keys = list(dict.fromkeys(key for each in fields for key in each))
    more = f" and {len(keys) - _KEYS_SHOWN} more" if len(keys) > _KEYS_SHOWN else ""
    return ", ".join(key[:40] for key in keys[:_KEYS_SHOWN]) + more


def _unknown(seen: str) -> InputError:
    return InputError(
        f"the file is of no format that labelkit knows: {seen}",
        hint=f"--from {'|'.join(plugins.importers.names())}, or --map COLUMN=FIELD for any table: "
        "prompt with chosen and rejected, or with completion_a, completion_b and winner, ...",
    )


def rows_of(
    importer: Importer,
    stream: ByteStream,
    help: Help,
    labeler: str | None,
    lost: Counter[str],
    voices: Voices,
) -> Iterator[Row]:
    """Yield an importer's rows; what the format could not say is counted in `lost`.

    `labeler` made what names nobody; without one, `voices` tell those who did apart.

    Raises UsageError for a help that the format has no use for.
    """
    for name, option in (("columns", "--map"), ("items", "--items"), ("winners", "--winner")):
        if getattr(help, name) and name not in importer.told:
            raise UsageError(f"{importer.title}: takes no {option}", hint="--from table")
    rows = importer.read_with(stream, help) if importer.read_with else importer.read(stream)
    if not importer.foreign:
        return rows
    apart = None if labeler else voices
    return _heard(rows, labeler or importer.labeler, importer.kind, lost, apart)


def items_by_id(stream: ByteStream, name: str) -> dict[str, Mapping[str, Any]]:
    """Return a file's objects by their `id`. They are held in memory, unlike what is imported."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in read_items(stream):
        if item.fields is None:
            raise InputError(f"{name}:{item.number}: {item.unit}: {item.reason}")
        if item.fields.get("id") is None:
            raise InputError(f"{name}:{item.number}: id: is missing")
        found[str(item.fields["id"])] = item.fields
    return found


def _heard(
    rows: Iterable[Row], labeler: str, kind: str, lost: Counter[str], voices: Voices | None
) -> Iterator[Row]:
    for row in rows:
        lost.update(row.lost)
        if row.record is not None:
            yield replace(row, record=_labeled(row.record, labeler, kind, voices))
        elif row.reason:
            yield row


def _labeled(
    record: Mapping[str, Any], labeler: str, kind: str, voices: Voices | None
) -> dict[str, Any]:
    """Name the labeler of rankings that have none; a demonstration may stay nobody's."""

    def named(ranking: Mapping[str, Any]) -> Mapping[str, Any]:
        if ranking.get("labeler"):
            return ranking
        name = voices.name(labeler, record, ranking) if voices else labeler
        return {**ranking, "labeler": name, "labeler_kind": kind}

    return {**record, "rankings": [named(each) for each in record.get("rankings", ())]}


def parse_columns(said: Iterable[str]) -> dict[str, str]:
    """Read COLUMN=FIELD; the last `=` parts them, for a column's name may hold one.

    >>> parse_columns(["the question=prompt"])
    {'the question': 'prompt'}
    """
    columns: dict[str, str] = {}
    for each in said:
        column, equals, name = each.rpartition("=")
        if not (equals and column and name):
            raise UsageError(f"not a column and a field: {each!r}", hint="--map COLUMN=FIELD")
        if columns.setdefault(column, name) != name:
            raise UsageError(f"column {column!r} is mapped twice")
    return columns


def parse_winners(said: Iterable[str]) -> dict[str, str]:
    """Read WORD=SIDE, where a side is the letter of a completion or `tie`.

    >>> parse_winners(["1=a", "0=B"])
    {'1': 'a', '0': 'b'}
    """
    winners: dict[str, str] = {}
    for each in said:
        word, _, side = each.rpartition("=")
        if not word or side.lower() not in (*SIDES, TIE):
            raise UsageError(
                f"not a word and a side: {each!r}", hint="--winner WORD=a (or b, ..., or tie)"
            )
        if winners.setdefault(word, side.lower()) != side.lower():
            raise UsageError(f"winner {word!r} is given twice")
    return winners
