r"""Nectar: seven answers to a prompt, ranked by GPT-4; rank 1 is the best.

Read from: the dataset card of berkeley-nest/Nectar and code that trains on it. Checked against what
labelkit writes as Nectar. Not checked against its files.

The prompt is a transcript, `\n\nHuman: ... \n\nAssistant: `: the space before a marker is the
marker's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.importers._build import (
    Draft,
    asked,
    by_score,
    columns,
    name_of,
    number,
    objects,
    text,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.importers._transcripts import is_transcript, open_transcript
from labelkit.plugins import Importer

_KNOWN = {
    *("prompt", "answers", "turns", "num_response", "num_responses", "source", "good_natured"),
    *("id", "prompt_id"),
}


def convert(item: Fields, lost: Lost) -> Iterator[dict[str, Any]]:
    prompt = text(item, "prompt")
    turns = open_transcript(prompt) if is_transcript(prompt) else asked(prompt)
    answers = objects(item, "answers")
    columns(item, _KNOWN, lost)
    natured = item.get("good_natured")
    sources = item.get("source")
    draft = Draft(
        [{**turn, "content": turn["content"].removesuffix(" ")} for turn in turns],
        lost,
        prompt_id=name_of(item.get("prompt_id") or item.get("id")),
        source=", ".join(map(str, sources)) if isinstance(sources, list) else name_of(sources),
        meta={"good_natured": natured} if isinstance(natured, bool) else {},
    )
    ranks = {}
    for i, each in enumerate(answers):
        where = f"answers.{i}"
        said = text(each, "answer", where)
        name = draft.completion(str(i), said, model=name_of(each.get("model")))
        ranks[name] = -number(each.get("rank"), f"{where}.rank")
    draft.ranking(by_score(ranks))
    yield draft.record


def recognises(item: Mapping[str, Any]) -> bool:
    answers = item.get("answers")
    first = answers[0] if isinstance(answers, list) and answers else None
    return isinstance(first, dict) and {"answer", "rank"} <= first.keys()


PLUGIN = Importer("Nectar rankings", one_by_one(convert), recognises, labeler="gpt-4", kind="model")
