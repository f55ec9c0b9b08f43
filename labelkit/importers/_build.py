"""What importers share: reading the fields of a foreign item, and building a record from them.

Field readers raise RecordError with the field's name and a reason. A `Draft` is one prompt with
what hangs off it; completions go by the caller's own short names until the record is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from labelkit.domain.identity import completion_uid, prompt_uid
from labelkit.domain.models import K_LEAST, K_MOST, Message
from labelkit.domain.records import RecordError
from labelkit.domain.times import utc_text
from labelkit.importers._items import Fields, Lost

Chat = list[dict[str, str]]

ROLES = {
    **dict.fromkeys(("user", "human", "prompter", "Human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model", "bing", "bard"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}


# -- fields --------------------------------------------------------------------------------------


def text(item: Fields, key: str, where: str = "") -> str:
    """Return a text that must be there."""
    place = f"{where}.{key}" if where else key
    if item.get(key) is None:
        raise RecordError(place, "is missing")
    return as_text(item[key], place)


def as_text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise RecordError(where, "must be text")
    return value


def maybe_text(item: Fields, key: str, where: str = "") -> str | None:
    """Return a text, or None where there is nothing or only white space."""
    if item.get(key) is None:
        return None
    value = text(item, key, where)
    return value if value.strip() else None


def name_of(value: Any) -> str | None:
    """Return an id or a name as text, or None where there is none."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).strip() or None


def objects(item: Fields, key: str, where: str = "") -> list[dict[str, Any]]:
    """Return a list of objects that must be there."""
    place = f"{where}.{key}" if where else key
    value = item.get(key)
    if not isinstance(value, list):
        raise RecordError(place, "is missing" if value is None else "must be a list")
    for i, each in enumerate(value):
        as_object(each, f"{place}.{i}")
    return value


def as_object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecordError(where, "must be an object")
    return value


def number(value: Any, where: str) -> float:
    """Return a number, also where it is written as text."""
    try:
        if not isinstance(value, bool):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise RecordError(where, "must be a number")


def moment(seconds: Any) -> str | None:
    """Return the moment that a Unix time stands for, or None where it is none."""
    try:
        return utc_text(datetime.fromtimestamp(float(seconds), UTC))
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def columns(item: Fields, known: Iterable[str], lost: Lost) -> None:
    """Note every field that holds something and is not known."""
    strange = set(item) - set(known)
    lost += [f"field {name}" for name in sorted(strange) if item[name] not in (None, "", [], {})]


# -- conversations -------------------------------------------------------------------------------


def chat(
    messages: Sequence[Any], where: str, *, role: str = "role", content: str = "content"
) -> Chat:
    """Return messages in labelkit's words, whatever theirs are."""
    return [_turn(each, f"{where}.{i}", role, content) for i, each in enumerate(messages)]


def _turn(value: Any, where: str, role: str, content: str) -> dict[str, str]:
    message = as_object(value, where)
    said = text(message, role, where)
    if said not in ROLES:
        raise RecordError(f"{where}.{role}", f"{said[:40]!r} is nobody that labelkit knows")
    body = message.get(content)
    if isinstance(body, list):  # a text in parts, as OpenAI's newer files have it
        body = "".join(_part(part, f"{where}.{content}.{i}") for i, part in enumerate(body))
    if body is None and message.get("tool_calls"):
        raise RecordError(f"{where}.tool_calls", "a call of a tool cannot be kept")
    if body is None:
        raise RecordError(f"{where}.{content}", "is missing")
    return {"role": ROLES[said], "content": as_text(body, f"{where}.{content}")}


def _part(value: Any, where: str) -> str:
    part = as_object(value, where)
    if not isinstance(part.get("text"), str):
        raise RecordError(where, f"holds a part that is no text: {str(part.get('type'))[:40]}")
    return str(part["text"])


def asked(prompt: str, system: str | None = None) -> Chat:
    """Return the conversation of one question."""
    head = [{"role": "system", "content": system}] if system else []
    return [*head, {"role": "user", "content": prompt}]


def headed(messages: Chat, system: str | None, lost: Lost) -> Chat:
    """Put a system message at the head, unless there is one already."""
    if system is None:
        return messages
    if messages and messages[0]["role"] == "system":
        lost += ["field system"] * (system.strip() != messages[0]["content"].strip())
        return messages
    return [{"role": "system", "content": system}, *messages]


def beyond(beside: Chat, messages: Chat, lost: Lost) -> Chat:
    """Return what was asked, where a prompt stands beside a conversation that repeats it.

    The prompt may have more at its head; what it says otherwise is lost.
    """
    if len(beside) > len(messages) and beside[-len(messages) :] == messages:
        return beside
    told = {message["content"].strip() for message in messages}
    lost += ["field prompt"] * any(m["content"].strip() not in told for m in beside)
    return messages


def parted(messages: Chat, where: str) -> tuple[Chat, str]:
    """Cut a conversation into what was asked and the last answer. Raises where there is none."""
    if not messages:
        raise RecordError(where, "is empty")
    if messages[-1]["role"] != "assistant":
        raise RecordError(where, "must end with an assistant message")
    return messages[:-1], messages[-1]["content"]


def apart(sides: Mapping[str, Chat]) -> tuple[Chat, list[str]]:
    """Cut whole conversations: what all share is the prompt, and each ends with one answer.

    `sides` are by the name of their field, under which a RecordError is raised.
    """
    prompt = next(iter(sides.values()))[:-1]
    for where, side in sides.items():
        if not prompt or side[:-1] != prompt:
            early = f"{' and '.join(sides)} part before the last answer"
            last = where if prompt else list(sides)[-1]
            raise RecordError(last, f"{early}, and a completion is one answer")
    for where, side in sides.items():
        if side[-1]["role"] != "assistant":
            raise RecordError(where, "must end with an answer of the assistant")
    return prompt, [side[-1]["content"] for side in sides.values()]


# -- records -------------------------------------------------------------------------------------


class Draft:
    """One prompt on its way to a record. What labelkit has no place for goes to `lost`."""

    def __init__(self, messages: Chat, lost: Lost, **about: Any) -> None:
        lone = len(messages) == 1 and messages[0]["role"] == "user"
        self._uid = prompt_uid(Message(m["role"], m["content"]) for m in messages)
        self.lost = lost
        self._names: list[str] = []
        said = {key: value for key, value in about.items() if value not in (None, {}, [])}
        self.record: dict[str, Any] = {
            "prompt": messages[0]["content"] if lone else messages,
            **said,
            "completions": [],
            "demonstrations": [],
            "rankings": [],
        }

    def completion(
        self, name: str, said: str, *, id: str | None = None, model: str | None = None
    ) -> str:
        """Add a completion and return what rankings call it.

        `id` is what the file itself calls it, and is kept. `name` only serves to tell it from the
        others here: its alias is the name that labelkit gives it anyway, so nothing is stored.
        """
        uid = completion_uid(self._uid, said)
        entry: dict[str, Any] = {"id": id or name, "text": said}
        if id is None:
            entry["alias"] = uid
        if model:
            entry["model"] = model
        self.record["completions"].append(entry)
        self._names.append(entry["id"])
        return str(entry["id"])

    def ranking(self, tiers: Iterable[Sequence[str]], **more: Any) -> None:
        """Add a ranking: `tiers` best first. One of a single completion compares nothing."""
        kept = _most(tiers, self.lost)
        ranked = [name for tier in kept for name in tier]
        if len(ranked) < K_LEAST:
            self.lost.append("judgement of a single completion")
            return
        entry: dict[str, Any] = {"tiers": kept, **_said(more)}
        judged = {*ranked, *more.get("unranked", ())}
        if judged != set(self._names) and not more.get("shown"):
            entry["among"] = sorted(judged)
        self.record["rankings"].append(entry)

    def best_of(self, names: Sequence[str], winner: str | None, **more: Any) -> None:
        """Add what a choice of the best one says: a comparison with each of the others.

        No winner is a tie of all. How the others compare is not known, so of more than two there
        are as many rankings of two.
        """
        if winner is None:
            self.ranking([names], **more)
            return
        for other in names:
            if other != winner:
                self.ranking([[winner], [other]], **more)

    def skip(self, reason: str, **more: Any) -> None:
        self.record.setdefault("skips", []).append({"reason": reason, **_said(more)})

    def demonstration(self, said: str, **more: Any) -> None:
        self.record["demonstrations"].append({"text": said, **_said(more)})


def _said(more: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in more.items() if value not in (None, "", [], {})}


def _most(tiers: Iterable[Sequence[str]], lost: Lost) -> list[list[str]]:
    """The best nine: labelkit's rankings hold no more."""
    kept: list[list[str]] = []
    room = K_MOST
    for tier in tiers:
        if len(tier) > room:
            lost.append(f"places of a ranking after the {K_MOST}th")
        if room and tier:
            kept.append(list(tier[:room]))
            room -= len(kept[-1])
    return kept


def by_score(scores: Mapping[str, float]) -> list[list[str]]:
    """Return the names in tiers, the highest score first.

    >>> by_score({"a": 1, "b": 3, "c": 1})
    [['b'], ['a', 'c']]
    """
    places = sorted(set(scores.values()), reverse=True)
    return [[name for name, score in scores.items() if score == place] for place in places]


def versus(a: str, b: str, winner: str | None) -> list[list[str]]:
    """Return the tiers of a comparison; no winner is a tie.

    >>> versus("x", "y", "y"), versus("x", "y", None)
    ([['y'], ['x']], [['x', 'y']])
    """
    if winner is None:
        return [[a, b]]
    return [[winner], [b if winner == a else a]]
