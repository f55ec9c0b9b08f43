"""Pieces that rows of several dialects share. What writes a shape stands beside what reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labelkit.domain.asked import Asked, Chat
from labelkit.domain.columns import CHAT, FLAG, TEXT
from labelkit.domain.models import Message, Ranking
from labelkit.domain.pairs import Judged, Pair
from labelkit.domain.units import Answer
from labelkit.plugins import Seen, Stage

Row = dict[str, Any]


def said(text: str) -> Chat:
    """One assistant turn."""
    return [{"role": "assistant", "content": text}]


def placed(ranking: Ranking) -> list[tuple[str, int]]:
    """Every placed completion with its rank: 1 is best, ties are equal."""
    return [(uid, rank) for rank, tier in enumerate(ranking.tiers, 1) for uid in sorted(tier)]


def heard(chat: Sequence[Mapping[str, str]], role: str = "role", content: str = "content") -> str:
    """A conversation as the one text that tells prompts apart."""
    return "\0".join(part for m in chat for part in (m[role], m[content]))


# -- messages ------------------------------------------------------------------------------------


def messages_stage(**more: Any) -> Stage:
    """`messages`, the whole conversation: what most chat trainers read for sft."""

    def row(asked: Asked, answer: Answer) -> Row:
        return {"messages": asked.chat + said(answer.text)}

    def read(row: Mapping[str, Any]) -> Seen:
        *prompt, answer = row["messages"]
        return Seen(heard(prompt), (answer["content"],), (1,))

    return Stage(row, {"messages": CHAT}, read, **more)


def prompt_stage(column: str, **more: Any) -> Stage:
    """One column with the conversation so far."""

    def row(asked: Asked, _: None) -> Row:
        return {column: asked.chat}

    def read(row: Mapping[str, Any]) -> Seen:
        return Seen(heard(row[column]))

    return Stage(row, {column: CHAT}, read, **more)


def kto_messages_stage(**more: Any) -> Stage:
    """`messages` and a boolean `label`."""

    def row(asked: Asked, judged: Judged) -> Row:
        messages = asked.chat + said(asked.texts[judged.completion])
        return {"messages": messages, "label": judged.label}

    def read(row: Mapping[str, Any]) -> Seen:
        *prompt, answer = row["messages"]
        return Seen(heard(prompt), (answer["content"],), label=row["label"])

    return Stage(row, {"messages": CHAT, "label": FLAG}, read, **more)


def transcripts_stage(**more: Any) -> Stage:
    """`chosen` and `rejected` as whole conversations: the prompt is what they share."""

    def row(asked: Asked, pair: Pair) -> Row:
        return {
            "chosen": asked.chat + said(asked.texts[pair.chosen]),
            "rejected": asked.chat + said(asked.texts[pair.rejected]),
        }

    def read(row: Mapping[str, Any]) -> Seen:
        *prompt, chosen = row["chosen"]
        return Seen(heard(prompt), (chosen["content"], row["rejected"][-1]["content"]), (1, 2))

    return Stage(row, {"chosen": CHAT, "rejected": CHAT}, read, quotes=True, **more)


# -- plain text ----------------------------------------------------------------------------------


def text_pair_stage(prompt: Callable[[Asked], str], **more: Any) -> Stage:
    """`prompt`, `chosen` and `rejected` as texts."""

    def row(asked: Asked, pair: Pair) -> Row:
        return {
            "prompt": prompt(asked),
            "chosen": asked.texts[pair.chosen],
            "rejected": asked.texts[pair.rejected],
        }

    def read(row: Mapping[str, Any]) -> Seen:
        return Seen(row["prompt"], (row["chosen"], row["rejected"]), (1, 2))

    columns = {"prompt": TEXT, "chosen": TEXT, "rejected": TEXT}
    return Stage(row, columns, read, quotes=True, **more)


def dialogue(turns: Sequence[Message], open: str, between: str) -> str:
    """A conversation as `Human: ... Assistant: ...`, left open for the assistant to go on.

    >>> dialogue([Message("user", "Hi")], open="", between=" ")
    'Human: Hi Assistant:'
    """
    names = {"user": "Human", "assistant": "Assistant"}
    parts = [f"{names[m.role]}: {m.content}" for m in turns]
    return open + between.join([*parts, "Assistant:"])
