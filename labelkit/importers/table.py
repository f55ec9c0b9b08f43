"""Any table: CSV, TSV, Parquet or flat JSON, with a map from its columns to labelkit's fields.

A row has a `prompt` and one of:
- `chosen` and `rejected`: a pair;
- `completion_a`, `completion_b`, ... up to `_i`, with `winner` (`a`, `left`, a model's name, a
  column's name, `tie`, ...), or `ranking` (`A > B = C`), or `rank_a`, `rank_b`, ... (1 the best),
  or `rating_a`, ...; `model_a`, `id_a`, ... say where they come from;
- `completions`, a list, with `ranks` (1 the best) or `ratings`, and perhaps `models`: lists too;
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

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from labelkit.domain.grammar import OrderError, parse_order
from labelkit.domain.records import RecordError
from labelkit.errors import UsageError
from labelkit.importers._build import (
    Chat,
    Draft,
    apart,
    as_text,
    asked,
    beyond,
    by_score,
    chat,
    headed,
    maybe_text,
    name_of,
    number,
    parted,
    text,
)
from labelkit.importers._items import Fields, Lost, grouped
from labelkit.importers._jsonl import LineError, parse_object
from labelkit.importers._winners import SIDES, Words
from labelkit.plugins import ByteStream, Help, Importer, Row

_GUIDELINE = "table@1"  # whose scale is not in the file
_RATINGS = range(101)
_ABOUT = ("prompt_id", "use_case", "source", "user", "language", "split")
_WHO = ("labeler", "note", "submitted_at", "guideline", "batch")
_OF_ALL = ("ranks", "ratings", "models")
_OF_EACH = ("completion", "model", "id", "rank", "rating")
_TEXTS = ("chosen", "rejected", "completion", *(f"completion_{side}" for side in SIDES))
FIELDS = {
    *("prompt", "system", *_ABOUT, *_WHO, "seconds", "meta"),
    *("chosen", "rejected", "winner", "ranking", "demonstration", *_OF_EACH),
    *("completions", *_OF_ALL),
    *(f"{field}_{side}" for field in _OF_EACH for side in SIDES),
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
        return _convert([renamed(item, lost) for item in items], help.winners, lost)

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
                lost += ["winner that is empty"] * (field == "winner")
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


def _convert(
    rows: list[dict[str, Any]], winners: Mapping[str, str], lost: Lost
) -> Iterator[dict[str, Any]]:
    rows = [_spoken(row, lost) for row in rows]
    first = rows[0]
    draft = Draft(
        first["messages"],
        lost,
        meta=first["meta"],
        **{key: name_of(first.get(key)) for key in _ABOUT},
    )
    if "completions" not in first:
        lost += [f"column {first['columns'][name]}" for name in _OF_ALL if name in first]
    if demonstration := maybe_text(first, "demonstration"):
        draft.demonstration(demonstration, **_who(first))
    if "completions" in first:
        _listed_ones(draft, first)
    elif "completion" in first:
        _tall(draft, rows)
    elif "chosen" in first or "rejected" in first:
        better = draft.completion("chosen", text(first, "chosen"))
        worse = draft.completion("rejected", text(first, "rejected"))
        draft.ranking([[better], [worse]], **_who(first))
    else:
        _wide(draft, first, winners)
    yield draft.record


def _spoken(row: dict[str, Any], lost: Lost) -> dict[str, Any]:
    """Add what was asked as `messages`, and bring conversations down to their answers."""
    row = {**row, **_unpacked(row)}
    sides = {name: _chat(row[name], name) for name in _TEXTS if isinstance(row.get(name), list)}
    if sides and (row.get("prompt") is None or max(map(len, sides.values())) > 1):
        messages, answers = apart(sides)
        beside = [] if row.get("prompt") is None else _asked(row)
        messages = beyond(beside, messages, lost)
    else:
        messages = _asked(row)
        answers = [parted(side, name)[1] for name, side in sides.items()]
    messages = headed(messages, maybe_text(row, "system"), lost)
    return {**row, "messages": messages, **dict(zip(sides, answers, strict=True))}


def _asked(row: Fields) -> Chat:
    if isinstance(row.get("prompt"), list):
        return _chat(row["prompt"], "prompt")
    return asked(text(row, "prompt"))


def _unpacked(row: Fields) -> dict[str, Any]:
    """Lists that a cell holds as text, and conversations whose turns are in lists of texts.

    Chatbot Arena's 55k votes are so: `["Hi", "Why?"]` with `["Yes?", "No."]`. It takes a prompt and
    completions that all are lists, for a text may begin with a bracket too.
    """
    names = [name for name in _TEXTS if row.get(name) is not None]
    turns = _listed(row.get("prompt"))
    sides = {name: _listed(row[name]) for name in names}
    if not turns or not sides or not all(sides.values()):
        return {}
    if not all(isinstance(said, str) for said in turns):
        return {"prompt": turns, **sides}
    return {
        "prompt": None,
        **{name: _interleaved(turns, said or [], name) for name, said in sides.items()},
    }


def _listed(value: Any) -> list[Any] | None:
    if not isinstance(value, str) or not value.startswith("["):
        return value if isinstance(value, list) else None
    try:
        found = parse_object(b'{"list":%b}' % value.encode())["list"]
    except LineError:
        return None
    return found if isinstance(found, list) else None


def _interleaved(turns: list[str], answers: list[Any], name: str) -> list[dict[str, Any]]:
    if len(answers) != len(turns) or not all(isinstance(said, str) for said in answers):
        raise RecordError(name, f"must be {len(turns)} texts, one for each turn of the prompt")
    return [
        {"role": role, "content": said}
        for both in zip(turns, answers, strict=True)
        for role, said in zip(("user", "assistant"), both, strict=True)
    ]


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


def _listed_ones(draft: Draft, row: Fields) -> None:
    said = _listed(row["completions"])
    if said is None:
        raise RecordError("completions", "must be a list")
    more = {name: _as_many(row, name, len(said)) for name in _OF_ALL}
    places: dict[str, dict[str, float]] = {"rank": {}, "rating": {}}
    for i, each in enumerate(said):
        where = f"completions.{i}"
        answer = _chat(each, where) if isinstance(each, list) else []
        if len(answer) > 1:
            raise RecordError(where, "must be one answer")
        text = parted(answer, where)[1] if isinstance(each, list) else as_text(each, where)
        name = draft.completion(str(i), text, model=name_of(more["models"][i]))
        judged = {"rank": more["ranks"][i], "rating": more["ratings"][i]}
        _placed(places, name, {k: v for k, v in judged.items() if v is not None}, "rank", "rating")
    _ranked(draft, places, row)


def _as_many(row: Fields, name: str, size: int) -> list[Any]:
    """A list with something for each completion, or with nothing."""
    if name not in row:
        return [None] * size
    found = _listed(row[name])
    if found is None or len(found) != size:
        raise RecordError(name, f"must be a list of {size}, one for each completion")
    return found


def _wide(draft: Draft, row: dict[str, Any], winners: Mapping[str, str]) -> None:
    names: dict[str, str] = {}
    letters: dict[str, str] = {}
    also: list[tuple[str | None, str]] = []
    places: dict[str, dict[str, float]] = {"rank": {}, "rating": {}}
    for side in SIDES:
        # An empty cell is an empty answer where the row tells more of it, otherwise it is none.
        if not any(row.get(f"{field}_{side}") for field in _OF_EACH):
            continue
        model = name_of(row.get(f"model_{side}"))
        id = name_of(row.get(f"id_{side}"))
        name = draft.completion(side, text(row, f"completion_{side}"), id=id, model=model)
        names[row["columns"][f"completion_{side}"]] = letters[side] = name
        columns = (row["columns"].get(f"{field}_{side}") for field in _OF_EACH)
        also += [(said, name) for said in (model, id, *columns)]
        _placed(places, name, row, f"rank_{side}", f"rating_{side}")
    if "winner" in row:
        words = Words(names, letters)
        for said, name in also:
            words.add(said, name)
        _won(draft, row, words, winners)
    elif "ranking" in row:
        _ordered(draft, row, list(names.values()))
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
    ratings = {name: int(said) for name, said in rated.items()}
    if any(said not in _RATINGS for said in rated.values()):  # some without the others mislead
        draft.lost += ["rating as a number"] * len(rated)
        ratings = {}
    more = _who(row)
    if ratings and not more["guideline"]:
        more["guideline"] = _GUIDELINE
    draft.ranking(by_score(scores), ratings=ratings, **more)


def _won(draft: Draft, row: Fields, words: Words, winners: Mapping[str, str]) -> None:
    said = str(row["winner"]).strip().removesuffix(".0")  # a whole number of a table with gaps
    draft.best_of(words.names, words.winner(said, winners), **_who(row))


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
    if isinstance(item.get("completions"), list):
        return not {"ranks", "ratings"}.isdisjoint(item)
    return two or ("completion" in item and not {"rank", "rating", "labeler"}.isdisjoint(item))


PLUGIN = Importer(
    "any table, with --map COLUMN=FIELD",
    read,
    recognises,
    labeler="table",
    told=("columns", "items", "winners"),
    read_with=read_with,
)
