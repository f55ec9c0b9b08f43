"""Open-Assistant: message trees, flat messages, and the rows of its ranking collator.

Read from: the oasst1 dataset card (trees, and `message_id`/`parent_id` rows in depth-first order)
and `oasst_data`'s schemas. Checked against en_100_tree.jsonl of the Open-Assistant repository. Not
checked: single labelers' rankings under `events`, which only the project's own dumps have.

`rank` is the consensus of all who ranked, 0 the best. It is taken where no events say who ranked.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Chat,
    Draft,
    as_object,
    as_text,
    by_score,
    maybe_text,
    name_of,
    number,
    objects,
    text,
)
from labelkit.importers._items import Fields, Lost, grouped
from labelkit.plugins import Importer

_DEEPEST = 100
_SPEAKERS = {"prompter": "user", "assistant": "assistant"}


def convert(items: list[Fields], lost: Lost) -> Iterator[dict[str, Any]]:
    first = items[0]
    if "replies" in first and "messages" in first:
        yield _collated(first, lost)
        return
    flat = "message_id" in first
    root = _grown(items, lost) if flat else as_object(first.get("prompt"), "prompt")
    user = name_of(root.get("user_id"))
    tree = name_of(first.get("message_tree_id"))
    yield from _walk(root, [], {"user": user, "tree": tree}, lost)


def _grown(messages: list[Fields], lost: Lost) -> dict[str, Any]:
    """The tree that flat messages tell of."""
    nodes = {text(m, "message_id"): {**m, "replies": []} for m in messages}
    roots = []
    for node in nodes.values():
        parent = name_of(node.get("parent_id"))
        if parent is None:
            roots.append(node)
        elif parent in nodes and parent != node["message_id"]:
            nodes[parent]["replies"].append(node)
        else:
            lost.append("message whose parent is not in the file")
    if len(roots) != 1:
        raise RecordError("parent_id", f"the tree has {len(roots)} first messages instead of one")
    return roots[0]


def _walk(
    node: Fields, before: Chat, tree: Mapping[str, Any], lost: Lost
) -> Iterator[dict[str, Any]]:
    """One record for each of the prompter's messages, with what came before it."""
    role = text(node, "role")
    if role not in _SPEAKERS:
        raise RecordError("role", f"{role[:40]!r} is neither prompter nor assistant")
    messages = [*before, {"role": _SPEAKERS[role], "content": text(node, "text")}]
    if len(messages) > _DEEPEST:
        raise RecordError("replies", f"the tree is deeper than {_DEEPEST} messages")
    replies = objects(node, "replies") if node.get("replies") else []
    kept = [reply for reply in replies if not reply.get("deleted")]
    lost += ["deleted reply"] * (len(replies) - len(kept))
    answers = [reply for reply in kept if reply.get("role") == "assistant"]
    if role == "prompter":
        yield _record(node, messages, answers, tree, lost)
    for reply in kept:
        yield from _walk(reply, messages, tree, lost)


def _record(
    node: Fields, messages: Chat, answers: list[dict[str, Any]], tree: Mapping[str, Any], lost: Lost
) -> dict[str, Any]:
    draft = Draft(
        messages,
        lost,
        prompt_id=name_of(node.get("message_id")),
        language=name_of(node.get("lang")),
        user=tree["user"],
        meta={"message_tree_id": tree["tree"]} if tree["tree"] else {},
    )
    for answer in answers:
        model = name_of(answer.get("model_name"))
        draft.completion("", text(answer, "text"), id=text(answer, "message_id"), model=model)
    events = _events(node)
    for event in events:
        _event_ranking(draft, event, {text(a, "message_id") for a in answers}, lost)
    ranks = {
        text(a, "message_id"): -number(a["rank"], "rank")
        for a in answers
        if a.get("rank") is not None
    }
    if len(ranks) > 1 and not events:
        draft.ranking(by_score(ranks))
    return draft.record


def _events(node: Fields) -> list[dict[str, Any]]:
    events = node.get("events")
    return objects(events, "ranking") if isinstance(events, dict) and "ranking" in events else []


def _event_ranking(draft: Draft, event: Fields, known: set[str], lost: Lost) -> None:
    ids = event.get("ranked_message_ids")
    if not isinstance(ids, list):
        raise RecordError("events.ranking.ranked_message_ids", "must be a list")
    placed = [str(each) for each in ids if str(each) in known]
    lost += ["place of a reply that is not in the file"] * (len(ids) - len(placed))
    draft.ranking(
        [[each] for each in placed],
        labeler=name_of(event.get("user_id")),
        submitted_at=maybe_text(event, "created_date"),
        marks=["not_rankable"] if event.get("not_rankable") else [],
    )


def _collated(item: Fields, lost: Lost) -> dict[str, Any]:
    """What RankingDataCollator takes: turns as texts, and replies with the best one first."""
    turns, replies = item["messages"], item["replies"]
    if not isinstance(turns, list) or not isinstance(replies, list):
        raise RecordError("replies", "messages and replies must be lists")
    roles = ("user", "assistant")
    messages = [
        {"role": roles[i % 2], "content": as_text(said, f"messages.{i}")}
        for i, said in enumerate(turns)
    ]
    draft = Draft(messages, lost, prompt_id=name_of(item.get("prompt_id")))
    names = [
        draft.completion(str(i), as_text(said, f"replies.{i}")) for i, said in enumerate(replies)
    ]
    draft.ranking([[name] for name in names])
    return draft.record


def _key(item: Fields) -> Hashable:
    """Flat messages of one tree belong together; a whole tree stands alone."""
    return name_of(item.get("message_tree_id")) if "message_id" in item else None


def recognises(item: Mapping[str, Any]) -> bool:
    if "message_tree_id" in item:
        return "message_id" in item or isinstance(item.get("prompt"), dict)
    return isinstance(item.get("replies"), list) and isinstance(item.get("messages"), list)


PLUGIN = Importer(
    "Open-Assistant trees and messages",
    grouped(_key, convert),
    recognises,
    labeler="open-assistant",
)
