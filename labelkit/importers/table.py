"""Any table: CSV, TSV, Parquet or flat JSON, with a map from its columns to labelkit's fields.

A row has a `prompt` and one of:
- `chosen` and `rejected`: a pair;
- `completion_a`, `completion_b`, ... up to `_i`, with `winner` (`a`, `left`, a model's name, a
  column's name, `tie`, ...), or `ranking` (`A > B = C`), or `rank_a`, `rank_b`, ... (1 the best),
  or `rating_a`, ...; `model_a`, `id_a`, ... say where they come from;
- `completion`, one a row, with `rank` or `rating`: neighbouring rows of one prompt and labeler
  make one ranking;
- `demonstration`: an ideal completion.
Columns with these names need no map. In JSON and Parquet a column may be a path into an object or
a list (`question.full_text`, `answers.0.text`), a prompt may be a list of messages, and so may
completions: whole conversations, which share the prompt and end with one answer each.

Checked against the crowd comparisons of LLMFAO (Ustalov, 2023), whose texts are in a file of their
own (`--items`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from labelkit.domain.grammar import LETTERS, OrderError, parse_order
from labelkit.domain.records import RecordError
from labelkit.errors import UsageError
from labelkit.importers._build import (
    Chat,
    Draft,
    apart,
    asked,
    by_score,
    chat,
    maybe_text,
    name_of,
    number,
    parted,
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
_TEXTS = ("chosen", "rejected", "completion", *(f"completion_{side}" for side in _SIDES))
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
        item = dict(_opened(_joined(row, items) if items else row, columns))
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


def _opened(value: Any, columns: Mapping[str, str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the cells of a row; what a mapped path leads into is parted into cells of its own."""
    inside = f"{path}." if path else ""
    led = isinstance(value, dict | list) and any(column.startswith(inside) for column in columns)
    if path and (path in columns or not led):
        yield path, value
        return
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _opened(inner, columns, f"{inside}{name}")


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
    rows = [_spoken(row) for row in rows]
    first = rows[0]
    draft = Draft(
        first["messages"],
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


def _spoken(row: dict[str, Any]) -> dict[str, Any]:
    """Add what was asked as `messages`, and bring conversations down to their answers."""
    sides = {name: _chat(row[name], name) for name in _TEXTS if isinstance(row.get(name), list)}
    if sides and ("prompt" not in row or max(map(len, sides.values())) > 1):
        messages, answers = apart(sides)
    else:
        messages = _asked(row)
        answers = [parted(side, name)[1] for name, side in sides.items()]
    return {**row, "messages": messages, **dict(zip(sides, answers, strict=True))}


def _asked(row: Fields) -> Chat:
    if isinstance(row.get("prompt"), list):
        return _chat(row["prompt"], "prompt")
    return asked(text(row, "prompt"), maybe_text(row, "system"))


def _chat(messages: list[Any], where: str) -> Chat:
    """Messages as OpenAI has them, or as ShareGPT has them."""
    if messages and isinstance(messages[0], dict) and "from" in messages[0]:
        return chat(messages, where, role="from", content="value")
    return chat(messages, where)


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
    names: dict[str, str] = {}
    letters: dict[str, str] = {}
    also: dict[str, str] = {}
    places: dict[str, dict[str, float]] = {"rank": {}, "rating": {}}
    for side in _SIDES:
        # An empty cell is an empty answer where the row tells more of it, otherwise it is none.
        if not any(row.get(f"{field}_{side}") for field in _OF_EACH):
            continue
        model = name_of(row.get(f"model_{side}"))
        id = name_of(row.get(f"id_{side}"))
        name = draft.completion(side, text(row, f"completion_{side}"), id=id, model=model)
        names[row["columns"][f"completion_{side}"]] = letters[side] = name
        columns = (row["columns"].get(f"{field}_{side}") for field in _OF_EACH)
        for said in (model, id, *columns):
            if said:
                also.setdefault(said, name)
        _placed(places, name, row, f"rank_{side}", f"rating_{side}")
    if "winner" in row:
        _won(draft, row, list(names.values()), letters | _told_apart(names) | also)
    elif "ranking" in row:
        _ordered(draft, row, list(names.values()))
    else:
        _ranked(draft, places, row)


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Map what tells the completions' columns from one another to the completions.

    >>> _told_apart({"answer_0": "x", "answer_1": "y"})
    {'0': 'x', '1': 'y'}
    """
    head = _shared(names)
    tail = _shared(column[head:][::-1] for column in names)
    return {column[head : len(column) - tail]: name for column, name in names.items()}


def _shared(texts: Iterable[str]) -> int:
    """How many characters all begin with."""
    return sum(
        1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False))
    )


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
    said = str(row["winner"]).removesuffix(".0")  # a whole number of a table with gaps
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
