"""Read a file of known rankings: JSON lines of {"prompt_id" or "prompt", "tiers", "note"}."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labelkit.domain.identity import prompt_uid
from labelkit.domain.models import K_LEAST, K_MOST, Message, Tiers
from labelkit.domain.tasks import EVERYONE, TaskRole
from labelkit.errors import InputError
from labelkit.importers._jsonl import LineError, parse_object, read_lines
from labelkit.store import decisions, gold
from labelkit.store.assigning import NewTask, materials_of
from labelkit.store.engine import Tx

_FIELDS = frozenset(["prompt_id", "prompt", "tiers", "note"])


def gold_tasks(tx: Tx, path: Path) -> Iterator[NewTask]:
    """Store the known rankings of a file and yield a task for each.

    Raises InputError that names the line and the field; then nothing may be kept.
    """
    try:
        with path.open("rb") as file:
            for number, line in read_lines(file):
                yield _task(tx, line, f"{path}:{number}")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _task(tx: Tx, line: bytes | None, where: str) -> NewTask:
    try:
        said = parse_object(line)
    except LineError as error:
        raise InputError(f"{where}: {error}") from None
    if strange := sorted(set(said) - _FIELDS):
        raise InputError(f"{where}: {strange[0]}: there is no such field")
    key, prompt = _prompt(tx, said, where)
    if decisions.excluded_among(tx, [key]):
        raise InputError(
            f"{where}: the prompt is excluded", hint="labelkit prompts show ID says by what"
        )
    (material,) = materials_of(tx, {key: prompt})
    tiers = _tiers(said.get("tiers"), gold.completion_names(tx, key), f"{where}: tiers")
    note = said.get("note", "")
    if not isinstance(note, str):
        raise InputError(f"{where}: note: not a string")
    gold.add(tx, key, prompt, tiers, material.completions, note)
    members = [uid for tier in tiers for uid in tier]
    return NewTask(material, members, TaskRole.GOLD, EVERYONE)


def _prompt(tx: Tx, said: dict[str, Any], where: str) -> tuple[int, str]:
    """The one stored prompt that a row is about."""
    if ("prompt_id" in said) == ("prompt" in said):
        raise InputError(f"{where}: prompt_id: give this or prompt, and not both")
    if "prompt_id" in said:
        field, found = "prompt_id", gold.find_prompts(tx, str(said["prompt_id"]))
    else:
        field, uid = "prompt", prompt_uid(_messages(said["prompt"], f"{where}: prompt"))
        found = gold.find_uid(tx, uid)
    if len(found) != 1:
        count = "no" if not found else str(len(found))
        raise InputError(
            f"{where}: {field}: {count} stored prompts are called that",
            hint="labelkit import FILE first" if not found else "name it by its uid",
        )
    return next(iter(found.items()))


def _messages(prompt: Any, where: str) -> list[Message]:
    if isinstance(prompt, str):
        return [Message("user", prompt)]
    try:
        return [Message(m["role"], m["content"]) for m in prompt]
    except (TypeError, KeyError):
        raise InputError(f"{where}: neither a text nor a list of messages") from None


def _tiers(said: Any, names: dict[str, str], where: str) -> Tiers:
    """Check a list of lists of names, and turn it into uids."""
    shaped = isinstance(said, list) and all(isinstance(t, list) and t for t in said)
    if not shaped or not all(isinstance(x, str) for tier in said for x in tier):
        raise InputError(f'{where}: not a list of tiers, such as [["c"], ["a", "b"]]')
    members = [x for tier in said for x in tier]
    if strange := [x for x in members if x not in names]:
        raise InputError(f"{where}: the prompt has no completion {strange[0]!r}")
    uids = [names[x] for x in members]
    if len(set(uids)) < len(uids):
        raise InputError(f"{where}: a completion is named twice")
    if not K_LEAST <= len(uids) <= K_MOST:
        raise InputError(f"{where}: {len(uids)} completions; a task holds {K_LEAST} to {K_MOST}")
    return tuple(tuple(names[x] for x in tier) for tier in said)
