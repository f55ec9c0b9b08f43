"""Any table: CSV, TSV, Parquet or flat JSON, with a map from its columns to labelkit's fields.

A row has a `prompt` and one of:
- `chosen` and `rejected`: a pair;
- `completion_a`, `completion_b`, ... up to `_i`, with `winner` (`a`, `left`, a model's name, a
  column's name, `tie`, ...), or `ranking` (`A > B = C`), or `rank_a`, `rank_b`, ... (1 the best),
  or `rating_a`, ...; `model_a`, `id_a`, ... say where they come from;
- `completion`, one a row, with `rank` or `rating`: neighbouring rows of one prompt and labeler
  make one ranking;
- `demonstration`: an ideal completion.
Columns with these names need no map. Checked against the crowd comparisons of LLMFAO (Ustalov,
2023), whose texts are in a file of their own (`--items`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from labelkit.domain.grammar import LETTERS, OrderError, parse_order
from labelkit.domain.records import RecordError
from labelkit.errors import UsageError
from labelkit.importers._build import (
    Draft,
    asked,
    by_score,
    maybe_text,
    name_of,
    number,
    text,
    winner_of,
)
from labelkit.importers._items import Fields, Lost, grouped
from labelkit.plugins import ByteStream, Help, Importer, Row

_GUIDELINE = "table@1"  # whose scale is not in the file
_RATINGS = range(101)
_ABOUT = ("prompt_id", "use_case", "source", "user", "language", "split")
_WHO = ("labeler", "note", "submitted_at", "guideline", "batch")
_SIDES = tuple(letter.lower() for letter in LETTERS)
_OF_EACH = ("completion", "model", "id", "rank", "rating")
FIELDS = {
    *("prompt", "system", *_ABOUT, *_WHO, "seconds", "meta"),
    *("chosen", "rejected", "winner", "ranking", "demonstration", *_OF_EACH),
    *(f"{field}_{side}" for field in _OF_EACH for side in _SIDES),
}


def read(stream: ByteStream) -> Iterator[Row]:
    """Read a table whose columns have labelkit's own names."""
    return read_with(stream, Help())


def read_with(stream: ByteStream, help: Help) -> Iterator[Row]:
    """Read a table by a map of its columns. Raises UsageError for a strange field.

    Where there are items, a row also has the columns of the item that its column `id` names.
    """
    columns = help.columns
    if strange := sorted(set(columns.values()) - FIELDS):
        raise UsageError(
            f"there is no field {strange[0]!r} to map a column to",
            hint=f"--map COLUMN=FIELD with one of: {', '.join(sorted(FIELDS))}",
        )
    renamed = _renamer(columns, help.items)

    def convert(items: list[Fields], lost: Lost) -> Iterator[dict[str, Any]]:
        return _convert([renamed(item, lost) for item in items], lost)

    def key(item: Fields) -> Hashable:
        try:
            return _key(renamed(item, []))
        except RecordError:
            return None  # `convert` meets the same error, and says so

    return grouped(key, convert)(stream)


def _renamer(
    columns: Mapping[str, str], items: Mapping[str, Fields]
) -> Callable[[Fields, Lost], dict[str, Any]]:
    """A row by labelkit's names. A mapped column hides one that has the name already."""
    taken = set(columns.values())

    def rename(row: Fields, lost: Lost) -> dict[str, Any]:
        item = _joined(row, items) if items else row
        if missing := sorted(set(columns) - set(item)):
            raise RecordError(missing[0], "is mapped, and there is no such column")
        found: dict[str, Any] = {"meta": {}, "columns": {}}
        for column, value in item.items():
            field = columns.get(column, "" if column in taken else column)
            if value is None or (value == "" and not field.startswith("completion")):
                continue
            if field == "meta":
                found["meta"][column] = value
            elif field in FIELDS:
                found[field] = value
                found["columns"][field] = column
            else:
                lost.append(f"column {column}")
        return found

    return rename


def _joined(row: Fields, items: Mapping[str, Fields]) -> Fields:
    """A row with the columns of its item; what both have is the row's."""
    key = str(row.get("id"))
    if key not in items:
        raise RecordError("id", f"there is no item {key[:40]!r}")
    return {**items[key], **row}


def _key(row: Fields) -> Hashable:
    """Rows of one completion each belong together while prompt and labeler stay the same."""
    if "completion" not in row or "prompt" not in row:
        return None
    return (str(row["prompt"]), str(row.get("system")), str(row.get("labeler")))


def _convert(rows: list[dict[str, Any]], lost: Lost) -> Iterator[dict[str, Any]]:
    first = rows[0]
    draft = Draft(
        asked(text(first, "prompt"), maybe_text(first, "system")),
        lost,
        meta=first["meta"],
        **{key: name_of(first.get(key)) for key in _ABOUT},
    )
    if demonstration := maybe_text(first, "demonstration"):
        draft.demonstration(demonstration, **_who(first))
    if "completion" in first:
        _tall(draft, rows)
    elif "chosen" in first or "rejected" in first:
        better = draft.completion("chosen", text(first, "chosen"))
        worse = draft.completion("rejected", text(first, "rejected"))
        draft.ranking([[better], [worse]], **_who(first))
    else:
        _wide(draft, first)
    yield draft.record


def _tall(draft: Draft, rows: list[dict[str, Any]]) -> None:
    places: dict[str, dict[str, float]] = {"rank": {}, "rating": {}}
    for i, row in enumerate(rows):
        name = draft.completion(
            str(i),
            text(row, "completion"),
            id=name_of(row.get("id")),
            model=name_of(row.get("model")),
        )
        _placed(places, name, row, "rank", "rating")
    _ranked(draft, places, rows[0])


def _wide(draft: Draft, row: dict[str, Any]) -> None:
    names: list[str] = []
    also: dict[str, str] = {}
    places: dict[str, dict[str, float]] = {"rank": {}, "rating": {}}
    for side in _SIDES:
        # An empty cell is an empty answer where the row tells more of it, otherwise it is none.
        if not any(row.get(f"{field}_{side}") for field in _OF_EACH):
            continue
        model = name_of(row.get(f"model_{side}"))
        id = name_of(row.get(f"id_{side}"))
        name = draft.completion(side, text(row, f"completion_{side}"), id=id, model=model)
        names.append(name)
        columns = (row["columns"].get(f"{field}_{side}") for field in _OF_EACH)
        for said in (side, model, id, *columns):
            if said:
                also.setdefault(said, name)
        _placed(places, name, row, f"rank_{side}", f"rating_{side}")
    if "winner" in row:
        _won(draft, row, names, also)
    elif "ranking" in row:
        _ordered(draft, row, names)
    else:
        _ranked(draft, places, row)


def _placed(
    places: dict[str, dict[str, float]], name: str, row: Fields, rank: str, rating: str
) -> None:
    if rank in row:
        places["rank"][name] = -number(row[rank], rank)
    if rating in row:
        places["rating"][name] = number(row[rating], rating)


def _ranked(draft: Draft, places: Mapping[str, Mapping[str, float]], row: Fields) -> None:
    scores = places["rank"] or places["rating"]
    if not scores:
        return
    rated = {name: said for name, said in places["rating"].items() if name in scores}
    ratings = {name: int(said) for name, said in rated.items() if said in _RATINGS}
    draft.lost += ["rating as a number"] * (len(rated) - len(ratings))
    more = _who(row)
    if ratings and not more["guideline"]:
        more["guideline"] = _GUIDELINE
    draft.ranking(by_score(scores), ratings=ratings, **more)


def _won(draft: Draft, row: Fields, names: list[str], also: Mapping[str, str]) -> None:
    said = str(row["winner"])
    try:
        winner = winner_of(said, names, also)
    except LookupError:
        raise RecordError(
            "winner", f"{said[:40]!r} is none of the completions, nor a tie"
        ) from None
    draft.best_of(names, winner, **_who(row))


def _ordered(draft: Draft, row: Fields, names: list[str]) -> None:
    try:
        tiers, rest = parse_order(text(row, "ranking"), len(names))
    except OrderError as error:
        raise RecordError("ranking", str(error)) from None
    placed = [[names[i] for i in tier] for tier in tiers]
    draft.ranking(placed, unranked=[names[i] for i in rest], **_who(row))


def _who(row: Fields) -> dict[str, Any]:
    said: dict[str, Any] = {key: name_of(row.get(key)) for key in _WHO}
    if "seconds" in row:
        said["seconds"] = number(row["seconds"], "seconds")
    return said


def recognises(item: Mapping[str, Any]) -> bool:
    """Whether the columns have labelkit's names for completions side by side, or one a row."""
    if "prompt" not in item or {"response", "chosen", "rejected"} & item.keys():
        return False
    two = {"completion_a", "completion_b"} <= item.keys()
    return two or ("completion" in item and not {"rank", "rating", "labeler"}.isdisjoint(item))


PLUGIN = Importer(
    "any table, with --map COLUMN=FIELD",
    read,
    recognises,
    labeler="table",
    told=("columns", "items"),
    read_with=read_with,
)
