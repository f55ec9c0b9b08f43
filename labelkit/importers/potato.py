"""Potato: annotations by instance (JSON lines) or by user (user_state.json).

Read from: the code of potato-annotation 2.12.1 (its JSONL export, `UserState.to_json`, and the
ranking, pairwise and text schemes) and of 1.x (`annotated_instances.jsonl`). Not checked against
the files of a finished project.

Its files hold ids and answers and no texts: give the project's data file with `--items`. There the
prompt is `prompt`, `instruction`, ... and the completions are the first list, named A, B, ... as
Potato shows them, or by their own `name` or `id`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from labelkit.domain.grammar import LETTERS
from labelkit.domain.records import RecordError
from labelkit.importers._build import (
    Draft,
    as_object,
    asked,
    name_of,
    number,
    text,
)
from labelkit.importers._items import Fields, Lost, one_by_one
from labelkit.importers._winners import winner_of
from labelkit.plugins import ByteStream, Help, Importer, Row

_PROMPTS = ("prompt", "instruction", "question", "query", "context", "text")
_STATE = "instance_id_to_label_to_value"
_TIE = "no preference"


def read(stream: ByteStream) -> Iterator[Row]:
    return read_with(stream, Help())


def read_with(stream: ByteStream, help: Help) -> Iterator[Row]:
    """Read annotations; the texts come from the items, or stand in the rows themselves."""

    def convert(item: Fields, lost: Lost) -> Iterable[dict[str, Any]]:
        user = name_of(item.get("user_id") or item.get("user"))
        for instance, labels in _instances(item):
            found = help.items.get(instance, item)
            yield _record(instance, found, labels, user, lost)

    return one_by_one(convert)(stream)


def _instances(item: Fields) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Yield each instance with its answers, by scheme and then by the label's name."""
    if _STATE not in item:
        key = "instance_id" if "instance_id" in item else "id"
        labels = item.get("labels", item.get("label_annotations")) or {}
        schemes = as_object(labels, "labels").items()
        said = {s: v if isinstance(v, dict) else {"selection": v} for s, v in schemes}
        yield str(item.get(key)), said
        return
    for instance, pairs in as_object(item[_STATE], _STATE).items():
        found: dict[str, dict[str, Any]] = {}
        for pair in pairs if isinstance(pairs, list) else []:
            if not isinstance(pair, list) or len(pair) != 2:
                raise RecordError(f"{_STATE}.{instance}", "must be labels with their values")
            label = as_object(pair[0], f"{_STATE}.{instance}")
            found.setdefault(text(label, "schema"), {})[text(label, "name")] = pair[1]
        yield instance, found


def _record(
    instance: str,
    item: Fields,
    labels: Mapping[str, Mapping[str, Any]],
    user: str | None,
    lost: Lost,
) -> dict[str, Any]:
    key = next((k for k in _PROMPTS if isinstance(item.get(k), str) and item[k].strip()), None)
    if key is None:
        reason = "its text is not here: give the project's data file with --items"
        raise RecordError(f"instance {instance[:40]}", reason)
    draft = Draft(asked(item[key]), lost, prompt_id=instance)
    names = _completions(draft, item)
    note = "\n\n".join(t for said in labels.values() for t in _typed(said))
    judged = False
    for scheme, said in labels.items():
        judged |= _judgement(draft, scheme, said, names, user, note, lost)
    if note.strip() and not judged:
        draft.demonstration(note, labeler=user)
    return draft.record


def _completions(draft: Draft, item: Fields) -> dict[str, str]:
    """Map what an answer may call a completion to its name in the record."""
    listed: list[Any] = next((v for v in item.values() if isinstance(v, list) and len(v) > 1), [])
    names = {}
    for letter, value in zip(LETTERS, listed, strict=False):
        each = value if isinstance(value, dict) else {"text": value}
        said = draft.completion(letter, text(each, "text"), model=name_of(each.get("model")))
        names[letter] = said
        for key in ("name", "id"):
            if own := name_of(each.get(key)):
                names.setdefault(own, said)
    return names


def _typed(said: Mapping[str, Any]) -> list[str]:
    return [v for name, v in said.items() if name.startswith("text_box") and isinstance(v, str)]


def _judgement(
    draft: Draft,
    scheme: str,
    said: Mapping[str, Any],
    names: Mapping[str, str],
    user: str | None,
    note: str,
    lost: Lost,
) -> bool:
    who = {"labeler": user, "note": note or None}
    everyone = list(dict.fromkeys(names.values()))
    if "rank_order" in said:
        draft.ranking(_order(str(said["rank_order"]), names, scheme), **who)
        return True
    if "selection" in said and everyone:
        draft.best_of(everyone, _selected(str(said["selection"]), names, everyone, scheme), **who)
        return True
    if "scale_value" in said and len(everyone) == 2:
        lost.append("strength of a preference")
        lean = number(said["scale_value"], f"{scheme}.scale_value")
        draft.best_of(everyone, None if lean == 0 else everyone[lean > 0], **who)
        return True
    if not _typed(said):
        lost.append(f"answers to {scheme}")
    return False


def _order(said: str, names: Mapping[str, str], scheme: str) -> list[list[str]]:
    tiers = [[name.strip() for name in tier.split("=")] for tier in said.split(",")]
    if strange := [name for tier in tiers for name in tier if name not in names]:
        raise RecordError(scheme, f"ranks {strange[0][:40]!r}, and there is no such completion")
    return [[names[name] for name in tier] for tier in tiers]


def _selected(said: str, names: Mapping[str, str], everyone: list[str], scheme: str) -> str | None:
    if said.strip().lower() == _TIE:
        return None
    try:
        return winner_of(said, everyone, names)
    except LookupError:
        raise RecordError(scheme, f"{said[:40]!r} is none of the completions, nor a tie") from None


def recognises(item: Mapping[str, Any]) -> bool:
    if _STATE in item:
        return True
    answers = item.get("labels", item.get("label_annotations"))
    return isinstance(answers, dict) and ("instance_id" in item or "span_annotations" in item)


PLUGIN = Importer(
    "Potato annotations",
    read,
    recognises,
    labeler="potato",
    told=("items",),
    read_with=read_with,
)
