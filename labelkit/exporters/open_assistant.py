"""Open-Assistant: what model_training's RankingDataCollator takes, and message trees.

Both say who came first and nothing else, so a ranking with a tie is refused. The collator keeps the
first `max_replies` (5 by default) of a longer list. Trees are what `load_oasst_export` reads from a
file; they need user and assistant to take turns, and have no place for a system message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import TEXT
from labelkit.domain.models import Ranking
from labelkit.exporters._rows import Row, placed
from labelkit.plugins import Exporter, Seen, Stage

CARRIES = Carries(system=False, ties=False, alternating=True)


def replies(asked: Asked, ranking: Ranking) -> Row:
    return {
        "messages": [m.content for m in asked.turns],
        "replies": [asked.texts[uid] for uid, _ in placed(ranking)],
    }


def _read_replies(row: Mapping[str, Any]) -> Seen:
    ranks = tuple(range(1, len(row["replies"]) + 1))
    return Seen("\0".join(row["messages"]), tuple(row["replies"]), ranks)


def tree(asked: Asked, ranking: Ranking) -> Row:
    """One tree: the conversation as a single branch, the ranked replies as its leaves."""
    lang = asked.prompt.language or "en"
    last = f"{asked.prompt.uid}-{len(asked.turns) - 1}"
    nodes = [
        _node(uid, last, asked.texts[uid], "assistant", lang, rank=i)
        for i, (uid, _) in enumerate(placed(ranking))
    ]
    for i, message in reversed(list(enumerate(asked.turns))):
        role = "prompter" if message.role == "user" else "assistant"
        parent = f"{asked.prompt.uid}-{i - 1}" if i else None
        node = _node(f"{asked.prompt.uid}-{i}", parent, message.content, role, lang)
        nodes = [{**node, "replies": nodes}]
    return {"message_tree_id": ranking.uid, "tree_state": "ready_for_export", "prompt": nodes[0]}


def _node(
    uid: str, parent: str | None, text: str, role: str, lang: str, rank: int | None = None
) -> Row:
    return {
        "message_id": uid,
        **({"parent_id": parent} if parent else {}),
        "text": text,
        "role": role,
        "lang": lang,
        "review_result": True,
        "deleted": False,
        "synthetic": False,
        **({} if rank is None else {"rank": rank}),
        "replies": [],
    }


def _read_tree(row: Mapping[str, Any]) -> Seen:
    node, turns = row["prompt"], []
    while True:
        turns.append(node["text"])
        if node["role"] == "prompter" and any("rank" in reply for reply in node["replies"]):
            break
        node = node["replies"][0]
    leaves = sorted(node["replies"], key=lambda reply: reply["rank"])
    texts = tuple(reply["text"] for reply in leaves)
    return Seen("\0".join(turns), texts, tuple(range(1, len(texts) + 1)))


PLUGIN = Exporter(
    title="Open-Assistant's collator (--variant trees for message trees)",
    stages={
        "rankings": Stage(
            replies,
            {"messages": [TEXT], "replies": [TEXT]},
            _read_replies,
            carries=CARRIES,
            usage="RankingDataCollator takes (messages, replies), best first.",
        )
    },
    variants={
        "trees": {
            "rankings": Stage(
                tree,
                {},
                _read_tree,
                carries=CARRIES,
                extras=False,
                usage="load_oasst_export(input_file_path=..., mode='rm')",
            )
        }
    },
)
