"""Find one plug-in by name without importing the others.

A plug-in is a module that binds `PLUGIN`. Its name on the command line is the module's name with
dashes. Packages elsewhere can add more through entry points of the group `labelkit.<family>`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Generic, Literal, Protocol, TypeVar

from labelkit.domain.asked import Asked, Carries
from labelkit.domain.columns import Columns
from labelkit.domain.models import Tiers
from labelkit.errors import UsageError

P = TypeVar("P")


class ByteStream(Protocol):
    """What an importer reads from: a file, a pipe, something unzipped."""

    def readline(self, limit: int = -1, /) -> bytes: ...

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One record of an input file: the record in labelkit's own shape, or why it has none.

    A foreign file has more to say: `line` counts in `unit` (line, item or row), `given` is what
    stood there before it became a record, and `lost` are phrases for what labelkit has no place
    for; a row of nothing else is no bad row. `shaped` says that the record's types and names are
    known to be right: nobody looks at them again. `ask` is what the user must say first, where a
    row shows that no row of the file may be taken without it.
    """

    line: int
    record: Mapping[str, Any] | None = None
    where: str = ""
    reason: str = ""
    unit: str = "line"
    given: Mapping[str, Any] | None = None
    lost: tuple[str, ...] = ()
    shaped: bool = False
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Help:
    """What a file does not say of itself.

    `columns` maps a table's columns to labelkit's fields; `items` holds, by id, the objects that
    its rows speak of; `winners` maps what a winner may be called to the letter of a completion, or
    to `tie`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    winners: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Importer:
    """Reads one file format. `read` streams; it never raises for a bad record, and InputError where
    the whole file cannot be read as it was said to be.

    `recognises` says whether an object of a file is this format's and no other's. `foreign` files
    do not hold labelkit's own records; where they name no labeler it is `labeler`, of `kind`.
    `told` are the helps of `Help` that `read_with` can use.
    """

    title: str
    read: Callable[[ByteStream], Iterator[Row]]
    recognises: Callable[[Mapping[str, Any]], bool] = lambda item: False
    foreign: bool = True
    labeler: str = ""
    kind: str = "human"
    told: tuple[Literal["columns", "items", "winners"], ...] = ()
    read_with: Callable[[ByteStream, Help], Iterator[Row]] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trainer makes of one exported row: the inverse of a stage's `row`.

    `prompt` tells prompts apart and is the same for every row of one prompt. `answers` holds the
    texts to learn from: chosen and rejected, one completion, or all that were ranked; `ranks` says
    how good each is (smaller is better), and `label` is what kto was told.
    """

    prompt: str
    answers: tuple[str, ...] = ()
    ranks: tuple[int, ...] = ()
    label: bool | None = None


_ANYTHING = Carries()


@dataclass(frozen=True, slots=True)
class Stage:
    """How one stage's units become one dialect's rows.

    `row(asked, item)` returns a fresh dict with the keys of `columns`, in that order; `read` turns
    such a row back into what a trainer sees. Items by stage: rm and dpo `Pair`, sft `Answer`, kto
    `Judged`, rankings `Ranking`, prompts None, records the whole `Bundle`.

    `margin` says that the trainer reads a `margin` column, `extras` that it passes over columns it
    does not know, such as `prompt_id`. `files` maps a split to the path its trainer looks for.
    `usage` says how to point the trainer at the files.

    `quotes` says that a pair's row holds the text of each of its two completions exactly once and
    as it is, the chosen one first, and that all else in it speaks of the prompt alone. Exports then
    put the rows of a prompt together out of pieces instead of shaping and encoding every one.
    """

    row: Callable[[Asked, Any], dict[str, Any]]
    columns: Columns
    read: Callable[[Mapping[str, Any]], Seen]
    carries: Carries = _ANYTHING
    margin: bool = False
    extras: bool = True
    container: Literal["jsonl", "parquet"] = "jsonl"
    files: Mapping[str, str] = field(default_factory=dict)
    usage: str = ""
    quotes: bool = False


@dataclass(frozen=True, slots=True)
class Exporter:
    """Shapes rows for one family of trainers.

    `stages` maps sft, rm, dpo, kto, prompts, rankings or records to how it is done; `variants`
    holds other ways that the same trainers read. `sidecars(stage, variant, files)` returns further
    files that the trainer wants beside the data, by name; `files` maps each split to its paths.
    """

    title: str
    stages: Mapping[str, Stage]
    variants: Mapping[str, Mapping[str, Stage]] = field(default_factory=dict)
    sidecars: Callable[[str, str, Mapping[str, Sequence[str]]], Mapping[str, bytes]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A number, the interval around it, and what both stand on.

    `value` is None where it is undefined, and then `reason` says why in words. `low` and `high`
    are the 95 % interval, None where there are too few prompts for one. `n` counts what the
    statistic's rule says. `parts` are the same number for parts of the data.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    reason: str = ""
    parts: Mapping[str, Finding] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain values; `reason` only where there is something to explain."""
        said = {"value": self.value, "low": self.low, "high": self.high, "n": self.n}
        reason = {"reason": self.reason} if self.reason else {}
        return said | reason | findings_json(self.parts)


Finding = Measured | Mapping[str, "Finding"]
"""What a statistic found: a number, or named findings."""


def findings_json(found: Mapping[str, Finding]) -> dict[str, Any]:
    """Return a tree of findings as plain values."""
    return {
        name: each.as_json() if isinstance(each, Measured) else findings_json(each)
        for name, each in found.items()
    }


UnitKind = Literal["pairs", "rankings", "ratings", "flags", "repeats", "gold"]


@dataclass(frozen=True, slots=True)
class Statistic:
    """One way to measure agreement.

    `rule` says in a sentence what is compared with what, and what `n` counts. `units` are the kinds
    of unit it reads, and no others. `compute` takes (`agreement.Units`, `agreement.Means`). With
    `percent` values are shares, shown as such. Parts called `labelers` are {labeler: finding}, or
    {labeler: {labeler: finding}} with `matrix`.
    """

    title: str
    rule: str
    units: tuple[UnitKind, ...]
    compute: Callable[[Any, Any], Finding]
    percent: bool = False
    matrix: bool = False


@dataclass(frozen=True, slots=True)
class ConsensusMethod:
    """One way to make one ranking out of many.

    `order` takes (`consensus.Votes`) and returns the completions in tiers, best first; it must not
    depend on how they are named. With `weighted` a vote counts by how reliable its labeler is.
    More than `most` completions are beyond it.
    """

    title: str
    rule: str
    order: Callable[[Any], Tiers]
    weighted: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Family(Generic[P]):
    """One kind of plug-in, kept in one package."""

    package: str
    noun: str

    @property
    def group(self) -> str:
        return self.package

    def names(self) -> list[str]:
        """Return every name, importing nothing."""
        spec = find_spec(self.package)
        paths = list(spec.submodule_search_locations or []) if spec else []
        own = {m.name for m in pkgutil.iter_modules(paths) if not m.name.startswith("_")}
        return sorted({name.replace("_", "-") for name in own} | set(self._outside()))

    def get(self, name: str) -> P:
        """Import one plug-in and return its `PLUGIN`. Raises UsageError for a name there is not."""
        module = name.replace("-", "_")
        if name not in self.names():
            raise UsageError(
                f"there is no {self.noun} {name!r}", hint=f"one of: {', '.join(self.names())}"
            )
        if name in (outside := self._outside()):
            plugin: P = outside[name].load()
        else:
            plugin = import_module(f"{self.package}.{module}").PLUGIN
        return plugin

    def _outside(self) -> Mapping[str, EntryPoint]:
        return _installed(self.group)


@cache
def _installed(group: str) -> Mapping[str, EntryPoint]:
    """What installed packages add to a group. Looking it up reads every package's metadata."""
    return {point.name: point for point in entry_points(group=group)}


importers: Family[Importer] = Family("labelkit.importers", "import format")
exporters: Family[Exporter] = Family("labelkit.exporters", "trainer")
statistics: Family[Statistic] = Family("labelkit.agreement", "statistic")
consensus: Family[ConsensusMethod] = Family("labelkit.consensus", "consensus method")
