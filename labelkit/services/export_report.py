"""What an export did: the manifest, and what is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labelkit import __version__
from labelkit.domain import lengths
from labelkit.domain.columns import NUMBER, TEXT, WHOLE
from labelkit.domain.splits import SplitPlan
from labelkit.domain.withheld import EXCLUDED, UNDECIDED
from labelkit.plugins import Stage
from labelkit.services.export_files import WrittenFile
from labelkit.services.export_options import PREFERENCE, ExportOptions, said
from labelkit.services.export_rows import Books

MANIFEST_SCHEMA = "labelkit.manifest/1"

_UNFIT = ("identical", "empty", "template_tokens", "prompts_with_template_tokens")
_LEFT_OUT = (EXCLUDED, UNDECIDED, "twins")
_VOTES = ("rankings", "comparisons", "ties", "repeated", "contradictory")
_PAIRS = (
    "prompts",
    *_VOTES,
    "no_majority",
    "no_margin",
    "not_chosen",
    *_UNFIT,
    "marker",
    *_LEFT_OUT,
    "pairs",
)
COUNTED: Mapping[str, tuple[str, ...]] = {
    "sft": (
        "prompts",
        "demonstrations",
        "best",
        "examples",
        "duplicates",
        *_UNFIT[1:],
        "marker",
        *_LEFT_OUT,
    ),
    "rm": _PAIRS,
    "dpo": _PAIRS,
    "kto": (
        "prompts",
        *_VOTES,
        "undecided",
        *_UNFIT,
        "marker",
        *_LEFT_OUT,
        "desirable",
        "undesirable",
    ),
    "prompts": ("prompts", "prompts_with_template_tokens", *_LEFT_OUT),
    "rankings": (
        "prompts",
        "rankings",
        "repeated",
        "too_few",
        "ties_refused",
        "ties_flattened",
        *_UNFIT,
        "marker",
        *_LEFT_OUT,
    ),
    "records": ("prompts", "completions", "demonstrations", "rankings", "skips"),
}
_GROUP_COLUMNS = {
    "pair_id": TEXT,
    "ranking_id": TEXT,
    "k": WHOLE,
    "n_pairs": WHOLE,
    "weight": NUMBER,
}


def columns_of(options: ExportOptions, stage: Stage) -> dict[str, Any]:
    """Return every column a row will have, in order, with its type."""
    columns = dict(stage.columns)
    if not stage.extras:
        return columns
    columns["prompt_id"] = TEXT
    if options.format == "rankings":
        columns["ranking_id"] = TEXT
    if options.format in PREFERENCE and options.pairs.margin != "none":
        columns["margin"] = NUMBER
    if options.by_group:
        columns |= _GROUP_COLUMNS
    return columns


@dataclass(slots=True)
class ExportReport:
    """What was written, or would have been. `seen` names what the store held, for a shard."""

    options: ExportOptions
    columns: Mapping[str, Any] = field(default_factory=dict)
    unit: str = lengths.ESTIMATE
    books: Books = field(default_factory=Books)
    files: list[WrittenFile] = field(default_factory=list)
    documents: list[WrittenFile] = field(default_factory=list)
    agreement: Mapping[str, Any] | None = None
    seen: str = ""

    @property
    def counts(self) -> dict[str, int]:
        return {name: self.books.counts[name] for name in COUNTED[self.options.format]}

    @property
    def empty_splits(self) -> list[str]:
        """Splits that were asked for and that nothing fell into."""
        plan = self.options.split or SplitPlan()
        return [name for name in plan.names if not self.books.rows[name]]

    @property
    def lengths(self) -> dict[str, Any] | None:
        return lengths.summary(self.books.lengths, self.unit)

    def as_json(self) -> dict[str, Any]:
        """Return the manifest."""
        return {
            "schema": MANIFEST_SCHEMA,
            "labelkit": __version__,
            "format": self.options.format,
            "for": self.options.trainer,
            "variant": self.options.variant,
            "options": said(self.options),
            "counts": self.counts,
            "misfits": {
                "refused": dict(sorted(self.books.refused.items())),
                "flattened": dict(sorted(self.books.flattened.items())),
            },
            UNDECIDED: sorted(self.books.undecided),
            "lengths": self.lengths,
            "agreement": self.agreement,
            "columns": dict(self.columns),
            "licence": self.options.licence,
            "files": [f.as_json() for f in self.files],
            "documents": [f.as_json() for f in self.documents],
            "digest": f"{self.books.digest:064x}",
            **({"seen": self.seen} if self.seen else {}),
        }

    def remarks(self) -> list[str]:
        """What a person should hear about even when they did not ask."""
        found = [f"nothing fell into {name}" for name in self.empty_splits]
        who = f"{self.options.trainer} {self.options.format}"
        for reason, n in sorted(self.books.refused.items()):
            found.append(f"left out: {_people(n)} {_CANNOT[reason]}, which {who} cannot say")
        if set(self.books.refused) & _FLATTENABLE or self.books.counts["ties_refused"]:
            found.append("--misfits flatten writes them as plain text instead")
        for reason, n in sorted(self.books.flattened.items()):
            found.append(f"flattened: {_people(n)} {_CANNOT[reason]}")
        found += _withheld(self.books)
        if n := self.books.counts["ties_refused"]:
            found.append(f"left out: {n:,} rankings with ties, which {who} cannot say")
        if self.lengths:
            over = ", ".join(f"{n:,} over {x}" for x, n in self.lengths["over"].items())
            p50, p99 = self.lengths["p50"], self.lengths["p99"]
            found.append(f"row length ({self.unit}): median {p50:,}, p99 {p99:,}; {over}")
        return found


_NAMED = 5


def _withheld(books: Books) -> list[str]:
    """What prompt hygiene left out, by name where somebody has to decide."""
    found = []
    if n := books.counts[EXCLUDED]:
        found.append(
            f"left out: {_people(n)} excluded by a decision (labelkit prompts list --excluded)"
        )
    if names := sorted(books.undecided):
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        said = ", ".join(names[:_NAMED]) + more
        found.append(
            f"left out of training: {_people(len(names))} with undecided PII hints: {said}"
        )
        found.append("labelkit prompts pii shows them; --allow-pii writes them all the same")
    return found


_FLATTENABLE = frozenset({"system", "turns", "order"})
_CANNOT = {
    "system": "with a system message",
    "turns": "of several turns",
    "order": "in which user and assistant do not take turns",
    "marker": "that hold a turn marker",
    "open": "that end in an assistant message (nothing is asked)",
}


def _people(n: int) -> str:
    return "1 prompt" if n == 1 else f"{n:,} prompts"
