"""labelkit's own JSONL record: one prompt a line, everything hanging off it.

`from_record` reads one; `record_out.to_record` writes it back, up to the order of what has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from labelkit.domain.canonical import canonical_json
from labelkit.domain.decisions import from_entry
from labelkit.domain.identity import completion_uid, named, prompt_uid
from labelkit.domain.models import (
    K_LEAST,
    K_MOST,
    Bundle,
    Completion,
    Decision,
    Demonstration,
    Guideline,
    LabelerKind,
    Message,
    Prompt,
    PromptKind,
    Ranking,
    Scale,
    Skip,
    Source,
    Tiers,
)
from labelkit.domain.times import normalise

Record = Mapping[str, Any]
Names = dict[str, str]

_BY_UID: Callable[[Completion], str] = itemgetter(0)
_NO_PARAMS: Mapping[str, Any] = MappingProxyType({})
_LABELS = frozenset({"rankings", "demonstrations", "skips"})


class RecordError(ValueError):
    """A record that cannot be taken: which field, and why."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record as a bundle, and what had to be folded together to make it one.

    A ranking whose completions all had the same text compares nothing: it is counted as collapsed
    and left out.
    """

    bundle: Bundle
    collapsed_completions: int = 0
    collapsed_rankings: int = 0


def _no_names(_: str) -> Names:
    return {}


def _no_guideline(_: str) -> Guideline | None:
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """What the store already knows, looked up only when a record needs it.

    `completions` maps a prompt's uid to the external ids of its completions; `guideline` returns
    the guideline of a `name@version`.
    """

    completions: Callable[[str], Names] = _no_names
    guideline: Callable[[str], Guideline | None] = _no_guideline


def from_record(record: Record, known: Known | None = None) -> Incoming:
    """Return the bundle that a record of the right shape describes.

    Raises RecordError with the field at fault: a name used twice, a completion forgotten, a rating
    off the scale, ...
    """
    prompt = _prompt(record)
    completions, names, collapsed = _completions(prompt.uid, record.get("completions") or ())
    if _LABELS.isdisjoint(record):
        return Incoming(Bundle(prompt, completions), collapsed)
    reader = _LabelReader(prompt.uid, {c.uid for c in completions}, names, known or Known())
    rankings = [reader.ranking(r, i) for i, r in enumerate(record.get("rankings") or [])]
    bundle = Bundle(
        prompt=prompt,
        completions=completions,
        demonstrations=tuple(
            reader.demonstration(d, i) for i, d in enumerate(record.get("demonstrations") or [])
        ),
        rankings=tuple(r for r in rankings if len(r.judged) >= K_LEAST),
        skips=tuple(reader.skip(s, i) for i, s in enumerate(record.get("skips") or [])),
    )
    return Incoming(bundle, collapsed, reader.collapsed)


# -- prompt and completions ----------------------------------------------------------------------


def _prompt(record: Record) -> Prompt:
    get = record.get
    kind = get("kind") or PromptKind.PLAIN
    messages = _messages(record["prompt"], kind)
    uid = prompt_uid(messages)
    external_id = get("prompt_id")
    return Prompt(
        uid=uid,
        messages=messages,
        kind=kind,
        use_case=get("use_case"),
        source=get("source"),
        user=get("user"),
        language=get("language"),
        split=get("split"),
        meta=get("meta") or {},
        external_id=None if external_id == uid else external_id,
        aliases=tuple(sorted(set(aliases))) if (aliases := get("aliases")) else (),
        decisions=tuple(_decisions(uid, found)) if (found := get("decisions")) else (),
    )


def _decisions(prompt: str, items: Sequence[Record]) -> Iterable[Decision]:
    for i, item in enumerate(items):
        try:
            yield from_entry(prompt, item)
        except ValueError as error:
            raise RecordError(f"decisions.{i}", str(error)) from None


def _messages(prompt: str | Sequence[Mapping[str, str]], kind: str) -> tuple[Message, ...]:
    if isinstance(prompt, str):
        messages: tuple[Message, ...] = (Message("user", prompt),)
    else:
        messages = tuple(Message(m["role"], m["content"]) for m in prompt)
    if not messages:
        raise RecordError("prompt", "has no messages")
    for i, message in enumerate(messages):
        if not message.content.strip():
            raise RecordError("prompt" if len(messages) == 1 else f"prompt.{i}", "is blank")
        if message.role == "system" and i:
            raise RecordError(f"prompt.{i}.role", "a system message can only come first")
    last = messages[-1].role
    if last != "user" and not (last == "assistant" and kind == PromptKind.FEW_SHOT):
        raise RecordError("prompt", "must end with a user message: that is what gets completed")
    return messages


def _completions(prompt: str, items: Sequence[Record]) -> tuple[tuple[Completion, ...], Names, int]:
    """Fold identical texts into one completion that remembers every source."""
    found: list[Completion] = []
    names: Names = {}
    for i, item in enumerate(items):
        text, name = item["text"], item.get("id")
        uid = completion_uid(prompt, text)
        if name is not None and names.setdefault(name, uid) != uid:
            raise RecordError(f"completions.{i}.id", f"{name!r} already names another completion")
        # `alias` is the external id of a completion whose id another completion claims too.
        name = item.get("alias") or name
        name = None if name == uid else name
        source = Source(item.get("model"), item.get("params") or _NO_PARAMS, name)
        found.append(Completion(uid, text, (source,)))
    found.sort(key=_BY_UID)
    folded = _folded(found) if len(set(map(_BY_UID, found))) < len(found) else found
    return tuple(folded), names, len(found) - len(folded)


def _folded(completions: Sequence[Completion]) -> list[Completion]:
    """Completions in the order of their uids, each once; sources too, in an order of their own."""
    result = []
    for uid, alike in groupby(completions, _BY_UID):
        same = list(alike)
        sources = {source_key(source): source for each in same for source in each.sources}
        ordered = tuple([sources[key] for key in sorted(sources)])
        result.append(Completion(uid, same[0].text, ordered))
    return result


def source_key(source: Source) -> tuple[str, str, str]:
    """What makes two sources of one completion the same; also their order."""
    params = canonical_json(dict(source.params)).decode() if source.params else "{}"
    return (source.external_id or "", source.model or "", params)


# -- labels --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _LabelReader:
    """Reads the labels of one record; `names` maps the record's own ids to uids."""

    prompt: str
    uids: set[str]
    names: Names
    known: Known
    collapsed: int = 0
    _stored: Names | None = field(default=None, init=False)

    def demonstration(self, item: Record, seq: int) -> Demonstration:
        where = f"demonstrations.{seq}"
        if not item["text"].strip():
            raise RecordError(f"{where}.text", "is blank")
        label = Demonstration(uid="", text=item["text"], **_common(item, seq, where))
        return named(self.prompt, label)

    def skip(self, item: Record, seq: int) -> Skip:
        common = _common(item, seq, f"skips.{seq}")
        label = Skip(uid="", reason=item["reason"], task=item.get("task") or "rank", **common)
        return named(self.prompt, label)

    def ranking(self, item: Record, seq: int) -> Ranking:
        where = f"rankings.{seq}"
        tiers, unranked = self._places(item, where)
        guideline = self.known.guideline(item["guideline"]) if item.get("guideline") else None
        _check_marks(item, guideline, where)
        label = Ranking(
            uid="",
            tiers=tiers,
            unranked=unranked,
            ratings=self._ratings(item, guideline, where),
            flags=self._flags(item.get("flags"), guideline, f"{where}.flags"),
            notes=self._by_uid(item.get("notes"), f"{where}.notes"),
            marks=tuple(sorted(set(item.get("marks") or ()))),
            shown=tuple(_unique(self._uids(item.get("shown") or [], f"{where}.shown"))),
            read=self._by_uid(item.get("read"), f"{where}.read"),
            seeded=item.get("seeded"),
            revisions=item.get("revisions") or 0,
            repeat=item.get("repeat") or False,
            **_common(item, seq, where),
        )
        return named(self.prompt, label)

    def _uid(self, name: str, where: str) -> str:
        """Find a completion by the record's id, its uid, or the id an earlier file gave it."""
        if name in self.names:
            return self.names[name]
        if name in self.uids:
            return name
        if self._stored is None:
            self._stored = self.known.completions(self.prompt)
        if name not in self._stored:
            raise RecordError(where, f"unknown completion {name!r}")
        return self._stored[name]

    def _uids(self, names: Sequence[str], where: str) -> list[str]:
        return [self._uid(name, where) for name in names]

    def _places(self, item: Record, where: str) -> tuple[Tiers, tuple[str, ...]]:
        named_twice = [n for tier in item["tiers"] for n in tier] + list(item.get("unranked") or [])
        _refuse_twice(named_twice, where)
        if not all(item["tiers"]):
            raise RecordError(f"{where}.tiers", "a tier is empty")
        if not K_LEAST <= len(named_twice) <= K_MOST:
            raise RecordError(
                f"{where}.tiers",
                f"ranks {len(named_twice)} completions; a ranking judges {K_LEAST} to {K_MOST}",
            )
        tiers = [self._uids(tier, f"{where}.tiers") for tier in item["tiers"]]
        unranked = self._uids(item.get("unranked") or [], f"{where}.unranked")
        self._check_cover(item, {u for t in [*tiers, unranked] for u in t}, where)
        return self._fold(tiers, unranked)

    def _check_cover(self, item: Record, judged: set[str], where: str) -> None:
        """Everything that was shown must be placed or set aside, and nothing else."""
        key = next((k for k in ("shown", "among") if item.get(k)), None)
        scope = set(self._uids(item[key], f"{where}.{key}")) if key else self.uids
        if forgotten := scope - judged:
            raise RecordError(
                f"{where}.tiers",
                f"forgets completion {self._name_all(forgotten)}: place it or list it as unranked",
            )
        if key and (strange := judged - scope):
            raise RecordError(f"{where}.{key}", f"does not hold {self._name_all(strange)}")

    def _name_all(self, uids: set[str]) -> str:
        names = {uid: name for name, uid in reversed(self.names.items())}
        return ", ".join(sorted(repr(names.get(uid, uid)) for uid in uids))

    def _fold(self, tiers: list[list[str]], unranked: list[str]) -> tuple[Tiers, tuple[str, ...]]:
        """Two copies of one text keep the better place; the fold is counted once a ranking."""
        seen: set[str] = set()
        folded = []
        for tier in tiers:
            fresh = sorted(set(tier) - seen)
            seen.update(fresh)
            if fresh:
                folded.append(tuple(fresh))
        rest = tuple(sorted(set(unranked) - seen))
        if len(seen) + len(rest) < sum(map(len, tiers)) + len(unranked):
            self.collapsed += 1
        return tuple(folded), rest

    def _ratings(self, item: Record, guideline: Guideline | None, where: str) -> dict[str, int]:
        scale = None if item.get("guideline") else Scale()
        if guideline and guideline.text:  # of one that is only quoted, the scale is unknown
            scale = guideline.scale
        result: dict[str, int] = {}
        for name, rating in (item.get("ratings") or {}).items():
            if scale and not scale.least <= rating <= scale.most:
                raise RecordError(
                    f"{where}.ratings.{name}",
                    f"{rating} is not on the scale {scale.least} to {scale.most}",
                )
            result.setdefault(self._uid(name, f"{where}.ratings"), rating)
        return dict(sorted(result.items()))

    def _flags(
        self,
        items: Mapping[str, Sequence[str]] | None,
        guideline: Guideline | None,
        where: str,
    ) -> dict[str, tuple[str, ...]]:
        allowed = {f.key for f in guideline.flags} if guideline and guideline.text else None
        result: dict[str, set[str]] = {}
        for name, flags in (items or {}).items():
            if allowed is not None and (strange := set(flags) - allowed):
                raise RecordError(f"{where}.{name}", f"unknown flag {', '.join(sorted(strange))}")
            result.setdefault(self._uid(name, where), set()).update(flags)
        return {uid: tuple(sorted(flags)) for uid, flags in sorted(result.items()) if flags}

    def _by_uid(self, items: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
        found = {self._uid(name, where): value for name, value in (items or {}).items()}
        return dict(sorted(found.items()))


def _common(item: Record, seq: int, where: str) -> dict[str, Any]:
    return {
        "labeler": item.get("labeler"),
        "labeler_kind": item.get("labeler_kind") or LabelerKind.HUMAN,
        "guideline": item.get("guideline"),
        "batch": item.get("batch"),
        "seconds": _seconds(item.get("seconds"), where),
        "note": item.get("note") or "",
        "submitted_at": _moment(item.get("submitted_at"), where),
        "supersedes": item.get("supersedes"),
        "origin": item.get("origin") or "import",
        "seq": seq,
    }


def _seconds(value: float | None, where: str) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value) or value < 0:
        raise RecordError(f"{where}.seconds", "must be zero or more")
    return float(value)


def _moment(text: str | None, where: str) -> str | None:
    if text is None:
        return None
    try:
        return normalise(text)
    except (ValueError, OverflowError):
        raise RecordError(f"{where}.submitted_at", f"{text!r} is not a moment in time") from None


def _check_marks(item: Record, guideline: Guideline | None, where: str) -> None:
    if guideline and guideline.text:
        strange = set(item.get("marks") or ()) - {m.key for m in guideline.marks}
        if strange:
            raise RecordError(f"{where}.marks", f"unknown mark {', '.join(sorted(strange))}")


def _refuse_twice(names: Sequence[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise RecordError(f"{where}.tiers", f"completion {name!r} is named twice")
        seen.add(name)


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
