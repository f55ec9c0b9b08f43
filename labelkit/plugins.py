"""Find one plug-in by name without importing the others.

A plug-in is a module that binds `PLUGIN`. Its name on the command line is the module's name with
dashes. Packages elsewhere can add more through entry points of the group `labelkit.<family>`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Generic, Literal, Protocol, TypeVar

from labelkit.domain.models import Bundle, Completion, Demonstration, Prompt, Ranking, Tiers
from labelkit.domain.pairs import Pair
from labelkit.errors import UsageError

P = TypeVar("P")


class ByteStream(Protocol):
    """What an importer reads from: a file, a pipe, something unzipped."""

    def readline(self, limit: int = -1, /) -> bytes: ...

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One record of an input file: the record in labelkit's own shape, or why it has none."""

    line: int
    record: Mapping[str, Any] | None = None
    where: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Importer:
    """Reads one file format. `read` streams; it never raises for a bad record."""

    title: str
    read: Callable[[ByteStream], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class PairUnit:
    """What a preference row is made from."""

    prompt: Prompt
    completions: Mapping[str, Completion]
    pair: Pair


@dataclass(frozen=True, slots=True)
class DemonstrationUnit:
    """What a supervised row is made from."""

    prompt: Prompt
    demonstration: Demonstration


@dataclass(frozen=True, slots=True)
class RankingUnit:
    """What a listwise row is made from."""

    prompt: Prompt
    completions: Mapping[str, Completion]
    ranking: Ranking


Unit = PairUnit | DemonstrationUnit | RankingUnit | Prompt | Bundle


@dataclass(frozen=True, slots=True)
class Exporter:
    """Shapes rows for one family of trainers.

    `stages` maps a stage (sft, rm, prompts, rankings, records, ...) to the function that turns one
    unit of that stage into one row, keys in their final order.
    """

    title: str
    stages: Mapping[str, Callable[[Any], Mapping[str, Any]]]
    files: Mapping[str, str] = field(default_factory=dict)


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

    def _outside(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}


importers: Family[Importer] = Family("labelkit.importers", "import format")
exporters: Family[Exporter] = Family("labelkit.exporters", "trainer")
statistics: Family[Statistic] = Family("labelkit.agreement", "statistic")
consensus: Family[ConsensusMethod] = Family("labelkit.consensus", "consensus method")
