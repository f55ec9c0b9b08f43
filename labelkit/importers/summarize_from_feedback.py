"""OpenAI's summarize-from-feedback: comparisons of two summaries, and ratings of one (axis).

Fields after the features that the data set's loading script declares; the prompts are worded like
the paper's (Stiennon et al. 2020), not checked against its code or the files.

Axis ratings judge one summary each. Neighbouring ratings of one post by one worker make a ranking
by the overall rating; a lone one leaves only its summary.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Draft,
    as_object,
    asked,
    by_score,
    maybe_text,
    name_of,
    number,
    objects,
    text,
    versus,
)
from labelkit.importers._items import Fields, Lost, grouped
from labelkit.plugins import Importer

_OVERALL = range(1, 8)


def convert(items: list[Fields], lost: Lost) -> Iterator[dict[str, Any]]:
    first = items[0]
    info = as_object(first.get("info"), "info")
    draft = Draft(
        asked(_question(info)),
        lost,
        prompt_id=name_of(info.get("id")),
        use_case="summarization",
        source=_source(info),
        split=name_of(first.get("split")),
        meta={key: info[key] for key in ("title", "subreddit", "site") if maybe_text(info, key)},
    )
    if "summaries" in first:
        _comparison(draft, first, lost)
    else:
        _ratings(draft, items, lost)
    yield draft.record


def _question(info: Fields) -> str:
    """What the models were given: the shape of the paper's prompts."""
    if post := maybe_text(info, "post"):
        head = [("SUBREDDIT: r/", info.get("subreddit")), ("TITLE: ", info.get("title"))]
        said = "".join(f"{name}{value}\n\n" for name, value in head if value)
        return f"{said}POST: {post}\n\nTL;DR:"
    if article := maybe_text(info, "article"):
        return f"Article:\n\n{article}\n\nTL;DR:"
    raise RecordError("info.post", "is missing, and there is no article")


def _source(info: Fields) -> str:
    return "reddit" if maybe_text(info, "post") else name_of(info.get("site")) or "cnn-dm"


def _comparison(draft: Draft, item: Fields, lost: Lost) -> None:
    names, notes = [], {}
    for i, each in enumerate(objects(item, "summaries")):
        where = f"summaries.{i}"
        said = text(each, "text", where).removeprefix(" ")
        names.append(draft.completion(str(i), said, model=name_of(each.get("policy"))))
        if note := maybe_text(each, "note", where):
            notes[names[-1]] = note
    choice = item.get("choice")
    if len(names) != 2 or choice not in (0, 1) or isinstance(choice, bool):
        raise RecordError("choice", "must be 0 or 1, of two summaries")
    extra = item.get("extra")
    lost += ["confidence"] * (isinstance(extra, dict) and extra.get("confidence") is not None)
    tiers = versus(names[0], names[1], names[choice])
    draft.ranking(tiers, notes=notes, shown=names, **_who(item))


def _ratings(draft: Draft, items: list[Fields], lost: Lost) -> None:
    overall: dict[str, int] = {}
    notes = {}
    for i, item in enumerate(items):
        summary = as_object(item.get("summary"), "summary")
        said = text(summary, "text", "summary").removeprefix(" ")
        name = draft.completion(str(i), said, model=name_of(summary.get("policy")))
        axes = as_object(summary.get("axes"), "summary.axes")
        rating = axes.get("overall")
        if rating is not None:
            overall[name] = int(number(rating, "summary.axes.overall"))
        lost += [f"axis {axis}" for axis in sorted(axes) if axis != "overall" and axes[axis]]
        if note := maybe_text(summary, "note", "summary"):
            notes[name] = note
    if any(rating not in _OVERALL for rating in overall.values()):
        raise RecordError("summary.axes.overall", "must be 1 to 7")
    kept = {name: note for name, note in notes.items() if name in overall}
    draft.ranking(by_score(overall), ratings=overall, notes=kept, **_who(items[0]))


def _who(item: Fields) -> dict[str, Any]:
    return {"labeler": name_of(item.get("worker")), "batch": name_of(item.get("batch"))}


def _key(item: Fields) -> Hashable:
    info = item.get("info")
    if "summary" not in item or not isinstance(info, dict) or info.get("id") is None:
        return None
    return (name_of(info["id"]), name_of(item.get("worker")), name_of(item.get("batch")))


def recognises(item: Mapping[str, Any]) -> bool:
    return "info" in item and ("summaries" in item or "summary" in item)


PLUGIN = Importer(
    "summarize-from-feedback: comparisons and axis ratings",
    grouped(_key, convert),
    recognises,
    labeler="summarize-from-feedback",
)
