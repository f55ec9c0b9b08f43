"""Rules that decide about many prompts at once: near-duplicates, caps, personal data, splits, tags.

Each looks at the prompts in short reads, works out what it would decide, and records that in one
transaction, as one run that can be taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelkit.domain.caps import Capped, over
from labelkit.domain.decisions import CLEARED, Aspect, Use, settled, standing
from labelkit.domain.models import Prompt
from labelkit.domain.near import PREFIX, Group, Text, groups
from labelkit.domain.pii import KINDS, Hint, hints_of, masked
from labelkit.errors import NothingToDo, UsageError
from labelkit.services.choices import one_of
from labelkit.services.deciding import Run, Verdict, decide, settle
from labelkit.services.project import opened
from labelkit.services.prompts import preview
from labelkit.store import prompts
from labelkit.store.core import Store
from labelkit.store.prompts import Choice, Listed

Progress = Callable[[int, int | None], None]
"""Called with (prompts read, prompts in all or None)."""

USED = Choice(excluded=False)


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who decides, and whether it is only tried."""

    by: str | None = None
    dry_run: bool = False


def record(store: Store, verdicts: Sequence[Verdict], how: Deciding) -> Run:
    """Record what a rule found. An empty run when that is nothing."""
    if not verdicts:
        return Run("", dry_run=how.dry_run)
    with store.write() as tx:
        return settle(tx, decide(tx, verdicts, how.by), dry_run=how.dry_run)


# -- near-duplicates -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Groups of near-duplicates, and the run that excluded all but one of each."""

    groups: list[Group]
    names: Mapping[str, tuple[int, str, str]]
    run: Run
    prompts: int

    @property
    def members(self) -> int:
        return sum(len(group.members) for group in self.groups)

    def rows(self) -> Iterator[tuple[object, ...]]:
        """A line for each duplicate: what stays, what goes, why, and how both begin."""
        for group in self.groups:
            _, stays, text = self.names[group.stays]
            for member in group.members:
                _, name, other = self.names[member.uid]
                yield (stays, name, member.why, f"{member.alike:.3f}", text, other)

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": "labelkit.dedupe/1",
            "prompts": self.prompts,
            "duplicates": self.members,
            "groups": [
                {
                    "stays": {"prompt_id": self.names[group.stays][1], "uid": group.stays},
                    "duplicates": [
                        {
                            "prompt_id": self.names[m.uid][1],
                            "uid": m.uid,
                            "why": m.why,
                            "alike": round(m.alike, 6),
                        }
                        for m in group.members
                    ],
                }
                for group in self.groups
            ],
            "decision": self.run.as_json(),
        }


DUPLICATE_COLUMNS = ("stays", "duplicate", "why", "alike", "stays_text", "duplicate_text")
_SCARCE = 0.5


def dedupe(
    store_path: Path,
    how: Deciding,
    threshold: float = 0.9,
    prefix: int = 200,
    progress: Progress | None = None,
) -> Duplicates:
    """Exclude near-duplicates. The one that stays was kept by hand, or has the most labels."""
    if not _SCARCE <= threshold <= 1:
        raise UsageError(f"--threshold is from {_SCARCE} to 1", hint="--threshold 0.9")
    with opened(store_path) as store:
        keys: dict[str, int] = {}
        found = groups(_texts(store, keys, progress), threshold, prefix)
        names = _named(store, {u for g in found for u in (g.stays, *(m.uid for m in g.members))})
        verdicts = [
            Verdict(keys[m.uid], Aspect.USE, Use.EXCLUDE, "duplicate", _note(m, names[g.stays][1]))
            for g in found
            for m in g.members
        ]
        return Duplicates(found, names, record(store, verdicts, how), len(keys))


def _note(member: Any, stays: str) -> str:
    how = "begins as" if member.why == PREFIX else f"{100 * member.alike:.0f} % of the words of"
    return f"{how} {stays}"


def _texts(store: Store, keys: dict[str, int], progress: Progress | None) -> Iterator[Text]:
    for n, item in enumerate(prompts.stream(store, USED, counted=True), 1):
        prompt = item.prompt
        keys[prompt.uid] = item.key
        # What a system message says is said in every prompt of an application.
        said = "\0".join(m.content for m in prompt.messages if m.role != "system")
        labels = item.rankings + item.demonstrations
        yield Text(prompt.uid, said, labels, standing(prompt).kept)
        if progress and n % 500 == 0:
            progress(n, None)


def _named(store: Store, uids: set[str]) -> dict[str, tuple[int, str, str]]:
    """Map uids to (local key, name, how it begins)."""
    if not uids:
        return {}
    return {
        item.prompt.uid: (item.key, item.prompt.name, preview(item.prompt))
        for item in prompts.stream(store, USED)
        if item.prompt.uid in uids
    }


# -- caps ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cap:
    """Who had more prompts than are taken: {value of the key: (prompts, beyond the cap)}."""

    key: str
    most: int
    groups: Mapping[str, tuple[int, int]]
    run: Run
    without: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": "labelkit.cap/1",
            "key": self.key,
            "most": self.most,
            "without_key": self.without,
            "groups": [
                {"value": value, "prompts": n, "excluded": beyond}
                for value, (n, beyond) in self.groups.items()
            ],
            "decision": self.run.as_json(),
        }


def cap(store_path: Path, how: Deciding, most: int = 200, key: str = "user", seed: str = "") -> Cap:
    """Exclude prompts beyond so many of one user, or of one value of another key."""
    value_of = key_reader(key)
    sizes: Counter[str] = Counter()
    with opened(store_path) as store:
        found = over(_capped(store, value_of, sizes), most, seed)
        note = f"over {most} of this {key}"
        verdicts = [Verdict(p.key, Aspect.USE, Use.EXCLUDE, "cap", note) for p in found]
        run = record(store, verdicts, how)
    beyond = Counter(p.group for p in found)
    without = sizes.pop("", 0)
    return Cap(key, most, {v: (sizes[v], n) for v, n in sorted(beyond.items())}, run, without)


def key_reader(key: str) -> Callable[[Prompt], str]:
    """Return what reads a key off a prompt: a field, or `meta.NAME`. Raises UsageError."""
    field_name, dot, name = key.partition(".")
    if dot and field_name == "meta" and name:
        return lambda prompt: str(prompt.meta.get(name) or "")
    one_of(key, ("user", "source", "use_case", "language", "meta.FIELD"), "--key")
    return lambda prompt: getattr(prompt, key) or ""


def _capped(
    store: Store, value_of: Callable[[Prompt], str], sizes: Counter[str]
) -> Iterator[Capped]:
    for item in prompts.stream(store, USED, counted=True):
        prompt = settled(item.prompt)
        value = value_of(prompt)
        sizes[value] += 1
        if value:
            labelled = bool(item.rankings or item.demonstrations)
            kept = standing(prompt).kept
            yield Capped(item.key, prompt.uid, value, kept, labelled)


# -- personal data -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Suspect:
    """A prompt with hints at personal data."""

    item: Listed
    hints: list[Hint]

    def rows(self, *, unmasked: bool) -> Iterator[tuple[object, ...]]:
        prompt = self.item.prompt
        state = "passed" if standing(prompt).cleared else "undecided"
        for hint in self.hints:
            yield (prompt.name, hint.kind, hint.found if unmasked else masked(hint), state)

    def as_json(self, *, unmasked: bool) -> dict[str, Any]:
        prompt = self.item.prompt
        return {
            "prompt_id": prompt.name,
            "uid": prompt.uid,
            "user": prompt.user,
            "decided": standing(prompt).cleared,
            "hints": [
                {"kind": h.kind, "found": h.found if unmasked else masked(h)} for h in self.hints
            ],
        }


PII_SCHEMA = "labelkit.pii/1"
PII_COLUMNS = ("prompt", "kind", "found", "state")


def suspects(
    store_path: Path,
    names: Sequence[str] = (),
    kind: str | None = None,
    *,
    everything: bool = False,
) -> Iterator[Suspect]:
    """Yield the prompts in use with hints that nobody decided about, or all that have hints.

    With `names` only those, decided or not. Raises UsageError, NotFound.
    """
    if kind is not None:
        one_of(kind, KINDS, "--kind")
    with opened(store_path) as store:
        only = set(_find(store, names))
        for suspect in _suspects(store, kind, everything=everything or bool(only)):
            if not only or suspect.item.key in only:
                yield suspect


def _suspects(store: Store, kind: str | None, *, everything: bool) -> Iterator[Suspect]:
    for item in prompts.stream(store, USED):
        if standing(item.prompt).cleared and not everything:
            continue
        hints = hints_of(item.prompt)
        if any(kind in (None, h.kind) for h in hints):
            yield Suspect(item, hints)


def decide_pii(
    store_path: Path,
    word: str,
    names: Sequence[str],
    how: Deciding,
    *,
    kind: str | None = None,
    everything: bool = False,
    note: str = "",
) -> Run:
    """Let prompts with hints pass (`keep`), or exclude them, by name or all that are undecided.

    With `kind`, `keep` takes those whose hints are all of that kind. Raises UsageError, NotFound,
    NothingToDo.
    """
    one_of(word, ("keep", "exclude"), "--decide")
    if kind is not None:
        one_of(kind, KINDS, "--kind")
    if bool(names) == everything:
        raise UsageError("--decide takes ids or --all", hint=f"--decide {word} ID")
    with opened(store_path) as store:
        keys = (
            _undecided_keys(store, word, kind) if everything else dict.fromkeys(_find(store, names))
        )
        verdicts = [_pii_verdict(key, word, note) for key in keys]
        if not verdicts:
            raise NothingToDo("no prompt has undecided hints", hint="labelkit prompts pii")
        return record(store, verdicts, how)


def _find(store: Store, names: Iterable[str]) -> list[int]:
    with store.read() as tx:
        return [prompts.find(tx, name)[0] for name in names]


def _undecided_keys(store: Store, word: str, kind: str | None) -> list[int]:
    return [
        suspect.item.key
        for suspect in _suspects(store, kind, everything=False)
        if word == "exclude" or all(kind in (None, h.kind) for h in suspect.hints)
    ]


def _pii_verdict(key: int, word: str, note: str) -> Verdict:
    if word == "keep":
        return Verdict(key, Aspect.PII, CLEARED, "pii", note)
    return Verdict(key, Aspect.USE, Use.EXCLUDE, "pii", note)
