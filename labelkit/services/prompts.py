"""Look at prompts: a list of those that are asked for, and all that is known of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelkit.domain.canonical import canonical_json
from labelkit.domain.decisions import settled, standing
from labelkit.domain.leaks import prompt_text
from labelkit.domain.lengths import ESTIMATE, estimated_tokens
from labelkit.domain.models import Bundle, Decision, Prompt, current
from labelkit.domain.pii import Hint, hints_of, masked
from labelkit.domain.record_out import prompt_value, to_record
from labelkit.domain.safe_text import one_line
from labelkit.services.project import opened
from labelkit.store import prompts, tasks
from labelkit.store.bundles import Range, read_bundles
from labelkit.store.prompts import Choice, Listed
from labelkit.store.tasks import TaskRow

LIST_SCHEMA = "labelkit.prompts/1"
SHOW_SCHEMA = "labelkit.prompt/1"
COLUMNS = (
    *("prompt", "user", "source", "use_case", "split", "tokens"),
    *("completions", "demonstrations", "rankings", "state", "pii", "text"),
)
_PREVIEW = 60


@dataclass(frozen=True, slots=True)
class Search:
    """Which prompts to list. `pii` are those with hints that nobody decided about."""

    choice: Choice = field(default_factory=Choice)
    text: str | None = None
    longer_than: int | None = None
    pii: bool = False

    def wants(self, prompt: Prompt) -> bool:
        """Whether a prompt passes what SQL cannot see."""
        if self.longer_than is not None and tokens_of(prompt) <= self.longer_than:
            return False
        if self.text and self.text.casefold() not in prompt_text(prompt.messages).casefold():
            return False
        return not self.pii or undecided(prompt)


def search(
    *, text: str | None = None, longer_than: int | None = None, pii: bool = False, **choice: Any
) -> Search:
    """Return a search for what is not None; `choice` is about the fields of a prompt."""
    return Search(Choice(**choice), text, longer_than, pii)


def tokens_of(prompt: Prompt) -> int:
    """Estimate how many tokens a prompt's messages have."""
    return sum(estimated_tokens(m.content) for m in prompt.messages)


def undecided(prompt: Prompt) -> bool:
    """Whether a prompt has PII hints, and nobody has let it pass or excluded it."""
    held = standing(prompt)
    return not (held.cleared or held.excluded) and bool(hints_of(prompt))


def listed(
    store: Path, search: Search, limit: int | None = None, *, counted: bool = True
) -> Iterator[Listed]:
    """Yield the prompts that are asked for, in uid order; memory stays flat."""
    with opened(store) as opened_store:
        left = limit
        for item in prompts.stream(opened_store, search.choice, counted=counted):
            if left == 0:
                return
            if search.wants(item.prompt):
                left = left and left - 1
                yield item


def state_of(prompt: Prompt) -> str:
    """`excluded: why`, `kept`, or nothing."""
    use = standing(prompt).use
    if use is None:
        return ""
    return f"excluded: {use.reason}" if standing(prompt).excluded else "kept"


def as_row(item: Listed) -> tuple[object, ...]:
    """A prompt as a line of a table, under `COLUMNS`."""
    prompt = settled(item.prompt)
    kinds = ", ".join(sorted({h.kind for h in hints_of(prompt)}))
    return (
        *(prompt.name, prompt.user, prompt.source, prompt.use_case, prompt.split),
        *(tokens_of(prompt), item.completions, item.demonstrations, item.rankings),
        *(state_of(prompt), kinds, preview(prompt)),
    )


def preview(prompt: Prompt, width: int = _PREVIEW) -> str:
    """The beginning of what is asked last."""
    return str(one_line(prompt.messages[-1].content, width)) if prompt.messages else ""


def as_json(item: Listed) -> dict[str, Any]:
    prompt, held = settled(item.prompt), standing(item.prompt)
    return {
        "prompt_id": prompt.name,
        "uid": prompt.uid,
        "user": prompt.user,
        "source": prompt.source,
        "use_case": prompt.use_case,
        "language": prompt.language,
        "split": prompt.split,
        "tokens": tokens_of(prompt),
        "completions": item.completions,
        "demonstrations": item.demonstrations,
        "rankings": item.rankings,
        "excluded": held.use.reason if held.use and held.excluded else None,
        "kept": held.kept,
        "pii": sorted({h.kind for h in hints_of(prompt)}),
        "pii_decided": held.cleared,
        "prompt": prompt_value(prompt),
    }


# -- one of them ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is known of one prompt."""

    bundle: Bundle
    tasks: tuple[TaskRow, ...] = ()

    @property
    def hints(self) -> list[Hint]:
        return hints_of(self.bundle.prompt)

    @property
    def decisions(self) -> list[tuple[Decision, bool]]:
        """Every decision, the oldest first, and whether it is in force."""
        made = self.bundle.prompt.decisions
        old = {d.supersedes for d in made}
        return [(d, d.uid not in old) for d in made]

    def as_json(self) -> dict[str, Any]:
        prompt = settled(self.bundle.prompt)
        return {
            "schema": SHOW_SCHEMA,
            "uid": prompt.uid,
            "state": state_of(prompt) or None,
            "split": prompt.split,
            "use_case": prompt.use_case,
            "tokens": tokens_of(prompt),
            "pii": [{"kind": h.kind, "masked": masked(h)} for h in self.hints],
            "decisions": [
                {
                    "aspect": d.aspect,
                    "value": d.value,
                    "reason": d.reason,
                    "note": d.note,
                    "by": d.by,
                    "made_at": d.made_at,
                    "run": d.run,
                    "in_force": in_force,
                }
                for d, in_force in self.decisions
            ],
            "tasks": [
                {"task": t.uid, "batch": t.batch, "kind": t.kind, "role": t.role, "state": t.state}
                for t in self.tasks
            ],
            "record": to_record(self.bundle),
        }


def show(store: Path, name: str) -> Shown:
    """Return all that is known of a prompt. Raises NotFound, UsageError for a name of several."""
    with opened(store) as opened_store:
        with opened_store.read() as tx:
            key, uid = prompts.find(tx, name)
            rows = tasks.tasks_of(tx, key)
        (bundle,) = read_bundles(opened_store, within=Range.of(uid))
    return Shown(bundle, tuple(rows))


def facts(shown: Shown) -> list[tuple[str, object]]:
    """Return (name, value) of everything that is one line."""
    raw, prompt = shown.bundle.prompt, settled(shown.bundle.prompt)
    hints = ", ".join(f"{h.kind} {masked(h)}" for h in shown.hints)
    said: list[tuple[str, object]] = [
        ("prompt", prompt.name),
        ("uid", prompt.uid),
        ("also called", ", ".join(raw.aliases)),
        ("kind", str(prompt.kind)),
        ("user", prompt.user),
        ("source", prompt.source),
        ("use case", prompt.use_case),
        ("language", prompt.language),
        ("split", prompt.split),
        ("meta", canonical_json(dict(prompt.meta)).decode() if prompt.meta else ""),
        ("tokens", f"{tokens_of(prompt):,} ({ESTIMATE})"),
        ("state", state_of(raw)),
        ("hints at personal data", hints and f"{hints}{_PASSED if standing(raw).cleared else ''}"),
    ]
    return [(name, value) for name, value in said if value]


_PASSED = " (looked at, and passed)"
Table = tuple[str, tuple[str, ...], list[tuple[object, ...]]]


def tables(shown: Shown) -> list[Table]:
    """Return (title, header, rows) of everything there is several of."""
    bundle = shown.bundle
    names = {c.uid: c.name for c in bundle.completions}
    found: list[Table] = [
        (
            "completions",
            ("id", "model", "text"),
            [
                (c.name, ", ".join(s.model for s in c.sources if s.model), c.text)
                for c in bundle.completions
            ],
        ),
        (
            "demonstrations",
            ("labeler", "submitted_at", "text"),
            [(d.labeler, d.submitted_at, d.text) for d in current(bundle.demonstrations)],
        ),
        (
            "rankings",
            ("labeler", "submitted_at", "ranking"),
            [
                (
                    r.labeler,
                    r.submitted_at,
                    " > ".join(" = ".join(names[u] for u in t) for t in r.tiers),
                )
                for r in current(bundle.rankings)
            ],
        ),
        (
            "tasks",
            ("task", "batch", "kind", "state"),
            [(t.uid[:12], t.batch, t.kind, t.state.replace("_", " ")) for t in shown.tasks],
        ),
        (
            "decisions",
            ("made_at", "by", "aspect", "value", "reason", "note", "run", "in force"),
            [
                (
                    d.made_at,
                    d.by,
                    d.aspect,
                    d.value,
                    d.reason,
                    d.note,
                    d.run,
                    "yes" if now else "no",
                )
                for d, now in shown.decisions
            ],
        ),
    ]
    return [each for each in found if each[2]]
