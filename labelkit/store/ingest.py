"""Take records in: what is new is added, what is known is counted, nothing is ever changed.

Records are worked off in blocks, a handful of statements each, because a statement per row costs
more than everything else an import does. Call only inside one `Store.write()`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import select, update

from labelkit.domain.models import Bundle, Label, Labeler
from labelkit.domain.records import Names
from labelkit.store import decisions, people, rules, schema
from labelkit.store.codec import COMMON, OWN, TABLES, blob, common_values, own_values, raw
from labelkit.store.engine import Tx
from labelkit.store.prepared import ATTRIBUTES, SAID, Prepared
from labelkit.store.purging import Gone
from labelkit.store.sql import chunks, insert_many, next_id, plain_rows, row_crc, rows_with

_BLOCK = 128

Counts = dict[str, Counter[str]]
PURGED = "purged_before"
"""Counts prompts that were deleted for good once, and are back."""


class _Stored(NamedTuple):
    """A prompt as the store has it, without what it asks."""

    id: int
    uid: bytes
    kind: str
    use_case: str | None
    source: str | None
    user: str | None
    language: str | None
    split: str | None
    meta: str | None
    external_id: str | None


@dataclass(slots=True)
class Ingest:
    """An import in progress. `counts` is right after `finish()`."""

    tx: Tx
    counts: Counts = field(default_factory=dict)
    _block: list[Prepared] = field(default_factory=list)
    _next: dict[str, int] = field(default_factory=dict)
    _labelers: dict[str, int] = field(default_factory=dict)
    _guidelines: dict[str, int] = field(default_factory=dict)
    _gone: Gone = field(init=False)

    def __post_init__(self) -> None:
        for name in ("prompts", "completions", "demonstrations", "rankings", "skips", "decisions"):
            self.counts[name] = Counter(added=0, known=0)
        self.counts["completions"]["collapsed"] = 0
        self.counts["rankings"]["collapsed"] = 0
        self._labelers = {name: key for key, (name, _) in people.names(self.tx).items()}
        self._gone = Gone(self.tx)
        self._guidelines = {ref: key for key, ref in rules.refs(self.tx).items()}

    def add(self, prepared: Prepared) -> None:
        self.counts["completions"]["collapsed"] += prepared.collapsed_completions
        self.counts["rankings"]["collapsed"] += prepared.collapsed_rankings
        if self._gone and self._gone.knows(prepared.uid, prepared.user):
            self.counts["prompts"][PURGED] += 1
        self._block.append(prepared)
        if len(self._block) >= _BLOCK:
            self.finish()

    def finish(self) -> Counts:
        """Write what is still waiting and return the counts."""
        block, self._block = self._block, []
        if block:
            prompts = self._prompts(block)
            completions = self._completions(block, prompts)
            labeled = [each.labels for each in block if each.labels]
            for get in ("rankings", "demonstrations", "skips"):
                self._labels(labeled, get, prompts, completions)
            self._decisions(labeled, prompts)
        return self.counts

    def completion_names(self, prompt: str) -> Names:
        """Map the external ids of a prompt's stored completions to their uids."""
        self.finish()
        completion, source = schema.completion, schema.completion_source
        query = (
            select(source.c.external_id, completion.c.uid)
            .join(completion, completion.c.id == source.c.completion_id)
            .join(schema.prompt, schema.prompt.c.id == completion.c.prompt_id)
            .where(schema.prompt.c.uid == raw(prompt))
        )
        rows = self.tx.execute(query).all()
        names = {row.external_id: row.uid.hex() for row in rows if row.external_id}
        return names | {row.uid.hex(): row.uid.hex() for row in rows}

    # -- prompts ---------------------------------------------------------------------------------

    def _prompts(self, block: Sequence[Prepared]) -> dict[str, tuple[int, bool]]:
        """Map each prompt's uid to (local key, whether it was there before this block)."""
        found = self._stored_prompts({each.uid for each in block})
        keys = {uid: (row.id, True) for uid, row in found.items()}
        fresh: dict[str, Sequence[str | None]] = {}
        for uid, said, *_ in block:
            if uid not in keys:
                keys[uid] = (self._take_id(schema.prompt), False)
                fresh[uid] = said
            elif uid in fresh:
                fresh[uid] = _filled(fresh[uid], said)
            else:
                self._fill(found[uid], said)
        counts = self.counts["prompts"]
        counts["added"] += len(fresh)
        counts["known"] += len(block) - len(fresh)
        rows = [(keys[uid][0], blob(uid), *said) for uid, said in fresh.items()]
        insert_many(self.tx, schema.prompt, ("id", "uid", *SAID), rows)
        first = {uid: row.external_id for uid, row in found.items()}
        first.update((uid, said[-1]) for uid, said in fresh.items())
        self._aliases(block, keys, first)
        return keys

    def _stored_prompts(self, uids: set[str]) -> dict[str, _Stored]:
        wanted = map(blob, sorted(uids))
        rows = rows_with(self.tx, schema.prompt, _Stored._fields, "uid", wanted)
        return {row[1].hex(): _Stored._make(row) for row in rows}

    def _fill(self, row: _Stored, said: Sequence[str | None]) -> None:
        """Learn what a known prompt's record did not say before; the first word stays."""
        told = dict(zip(SAID, said, strict=True))
        news = {
            name: told[name]
            for name in ATTRIBUTES
            if told[name] is not None and getattr(row, name) is None
        }
        if news:
            whole = {name: getattr(row, name) for name in schema.SEALED["prompt"]} | news
            table = schema.prompt
            values = news | {"crc": row_crc(whole.values())}
            self.tx.execute(update(table).where(table.c.id == row.id).values(values))

    def _aliases(
        self,
        block: Sequence[Prepared],
        keys: dict[str, tuple[int, bool]],
        first: dict[str, str | None],
    ) -> None:
        """Keep the other names of prompts; `first` maps their uids to the one they go by."""
        rows = []
        for each in block:
            main = first[each.uid]
            if main and (each.aliases or each.external_id != main):
                names = {*each.aliases, each.external_id} - {main, None}
                rows += [(keys[each.uid][0], name) for name in names]
        columns = ("prompt_id", "name")
        insert_many(self.tx, schema.prompt_alias, columns, sorted(rows), known_ok=True)

    # -- completions -----------------------------------------------------------------------------

    def _completions(
        self, block: Sequence[Prepared], prompts: dict[str, tuple[int, bool]]
    ) -> dict[str, dict[str, int]]:
        """Map each prompt's uid to {completion uid: local key}, new ones written."""
        result, said = self._stored_completions({u: k for u, (k, old) in prompts.items() if old})
        rows: list[tuple[Any, ...]] = []
        sources: list[tuple[Any, ...]] = []
        first = key = self._peek_id(schema.completion)
        for each in block:
            keys = result.setdefault(each.uid, {})
            prompt_key = prompts[each.uid][0]
            for uid, text, found in each.completions:
                local = keys.get(uid)
                if local is None:
                    keys[uid] = local = key
                    rows.append((key, blob(uid), prompt_key, text))
                    key += 1
                for source in found:
                    sources.append((local, *source))
        self._next[schema.completion.name] = key
        counts = self.counts["completions"]
        counts["added"] += key - first
        counts["known"] += sum(len(b.completions) for b in block) - (key - first)
        insert_many(self.tx, schema.completion, ("id", "uid", "prompt_id", "text"), rows)
        columns = ("completion_id", "external_id", "model", "params")
        fresh = [source for source in sources if source not in said] if said else sources
        insert_many(self.tx, schema.completion_source, columns, fresh, known_ok=True)
        return result

    def _stored_completions(
        self, prompts: dict[str, int]
    ) -> tuple[dict[str, dict[str, int]], set[tuple[Any, ...]]]:
        """Return {prompt uid: {completion uid: local key}} and the rows of all their sources."""
        completion, source = schema.completion, schema.completion_source
        by_key: dict[int, dict[str, int]] = {key: {} for key in prompts.values()}
        said: set[tuple[Any, ...]] = set()
        texts = select(completion.c.prompt_id, completion.c.uid, completion.c.id)
        sources = select(
            *[source.c[n] for n in ("completion_id", "external_id", "model", "params")]
        )
        for chunk in chunks(sorted(by_key)):
            theirs = completion.c.prompt_id.in_(chunk)
            for prompt, uid, key in plain_rows(self.tx, texts.where(theirs)):
                by_key[prompt][uid.hex()] = key
            joined = sources.join(completion, completion.c.id == source.c.completion_id)
            said.update(plain_rows(self.tx, joined.where(theirs)))
        return {uid: by_key[key] for uid, key in prompts.items()}, said

    # -- decisions -------------------------------------------------------------------------------

    def _decisions(self, block: Sequence[Bundle], prompts: dict[str, tuple[int, bool]]) -> None:
        made = [(prompts[b.prompt.uid][0], d) for b in block for d in b.prompt.decisions]
        if made:
            added = decisions.add(self.tx, made)
            self.counts["decisions"].update(added=added, known=len(made) - added)
            decisions.follow(self.tx, [key for key, _ in made])

    # -- labels ----------------------------------------------------------------------------------

    def _labels(
        self,
        block: Sequence[Bundle],
        name: str,
        prompts: dict[str, tuple[int, bool]],
        completions: dict[str, dict[str, int]],
    ) -> None:
        labels = [
            (b.prompt.uid, label)
            for b, found in zip(block, map(attrgetter(name), block), strict=True)
            for label in found
        ]
        if not labels:
            return
        kind = type(labels[0][1])
        known = self._known_labels(kind, [label.uid for _, label in labels])
        rows = []
        for prompt, label in labels:
            if label.uid in known:
                self.counts[name]["known"] += 1
                continue
            known.add(label.uid)
            self.counts[name]["added"] += 1
            common = self._common_values(label, prompts[prompt][0])
            rows.append(common + own_values(label, completions[prompt]))
        insert_many(self.tx, TABLES[kind], (*COMMON, *OWN[kind]), rows)

    def _known_labels(self, kind: type[Label], uids: Iterable[str]) -> set[str]:
        rows = rows_with(self.tx, TABLES[kind], ("uid",), "uid", map(blob, uids))
        return {uid.hex() for (uid,) in rows}

    def _common_values(self, label: Label, prompt_key: int) -> tuple[Any, ...]:
        labeler, guideline = self._labeler(label), self._guideline(label.guideline)
        return common_values(label, prompt_key, labeler, guideline, None)

    def _labeler(self, label: Label) -> int | None:
        if label.labeler is None:
            return None
        if label.labeler not in self._labelers:
            newcomer = Labeler(label.labeler, label.labeler_kind)
            self._labelers[label.labeler] = people.add(self.tx, newcomer)
        return self._labelers[label.labeler]

    def _guideline(self, ref: str | None) -> int | None:
        if ref is None:
            return None
        if ref not in self._guidelines:
            self._guidelines[ref] = rules.key_or_stub(self.tx, ref)
        return self._guidelines[ref]

    def _take_id(self, table: Any) -> int:
        """Keys are handed out here, so that rows can be written in bulk and still be linked."""
        key = self._peek_id(table)
        self._next[table.name] = key + 1
        return key

    def _peek_id(self, table: Any) -> int:
        return self._next.get(table.name) or next_id(self.tx, table)


def _filled(first: Sequence[str | None], later: Sequence[str | None]) -> tuple[str | None, ...]:
    """What the first record of a prompt said, with what only a later one says."""
    return tuple([a or b for a, b in zip(first, later, strict=True)])
