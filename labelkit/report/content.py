"""What a report holds, whatever it is shown on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from labelkit.plugins import Measured, findings_json
from labelkit.report.words import share, span

SCHEMA = "labelkit.report/1"
MOST_ROWS = 60
"""A longer table goes on in --json."""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One headline number and the rule it was counted by."""

    title: str
    found: Measured
    rule: str
    percent: bool = False

    @property
    def value(self) -> str:
        return share(self.found.value, percent=self.percent)

    @property
    def stands_on(self) -> str:
        """The interval and n, or why there is none."""
        interval = span(self.found, percent=self.percent)
        if interval:
            return f"95 % interval {interval}, n = {self.found.n:,}"
        return f"n = {self.found.n:,}; {self.found.reason}"


@dataclass(frozen=True, slots=True)
class Dots:
    """Values in their intervals, one for each name, on one axis; `line` is a value to compare."""

    axis: str
    marks: Mapping[str, Measured]
    percent: bool = True
    line: float | None = None
    over_time: bool = False

    @property
    def known(self) -> dict[str, Measured]:
        return {name: each for name, each in self.marks.items() if each.value is not None}

    @property
    def drawable(self) -> bool:
        return bool(self.known)

    def ends(self) -> tuple[float, float]:
        """Return the least and the most that has to be on the axis."""
        found = list(self.known.values())
        ends = [x for m in found for x in (m.value, m.low, m.high) if x is not None]
        ends += [] if self.line is None else [self.line]
        least, most = min(ends), max(ends)
        air = 0.05 * (most - least) or 0.05
        return least - air, most + air

    def as_json(self) -> dict[str, Any]:
        return findings_json(self.marks)


@dataclass(frozen=True, slots=True)
class Heat:
    """One number for every two names; what is None is not known."""

    names: Sequence[str]
    cells: Mapping[tuple[str, str], float]

    @property
    def drawable(self) -> bool:
        return bool(self.cells)

    def get(self, a: str, b: str) -> float | None:
        return self.cells.get((a, b), self.cells.get((b, a)))

    def as_json(self) -> list[Any]:
        return [[a, b, value] for (a, b), value in self.cells.items()]


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts by week, stacked."""

    axis: str
    counts: Mapping[str, Mapping[str, int]]

    @property
    def drawable(self) -> bool:
        return bool(self.counts)

    def as_json(self) -> dict[str, Any]:
        return {name: dict(row) for name, row in self.counts.items()}


@dataclass(frozen=True, slots=True)
class Spread:
    """Five percentiles (10, 25, 50, 75, 90) for each name, on a logarithmic axis."""

    axis: str
    boxes: Mapping[str, tuple[float, float, float, float, float]]

    @property
    def drawable(self) -> bool:
        return bool(self.boxes)

    def as_json(self) -> dict[str, Any]:
        return {name: list(box) for name, box in self.boxes.items()}


Picture = Dots | Heat | Bars | Spread


@dataclass(frozen=True, slots=True)
class Section:
    """One question and its answer: in words, as a table, and mostly as a picture.

    `nothing` is the sentence that stands there when there are no rows; `values` are for programs,
    where they are not what the picture shows.
    """

    key: str
    title: str
    note: str
    header: Row
    rows: Sequence[Row]
    nothing: str
    picture: Picture | None = None
    group: Literal["people", "models", "data"] = "people"
    values: Mapping[str, Any] | None = None

    @property
    def drawn(self) -> Picture | None:
        """The picture, where there is something to draw."""
        return self.picture if self.picture and self.rows and self.picture.drawable else None

    @property
    def shown(self) -> Sequence[Row]:
        return self.rows[:MOST_ROWS]

    @property
    def rest(self) -> str:
        """What to say about rows that are not shown."""
        left = len(self.rows) - MOST_ROWS
        return f"and {left:,} more rows: labelkit report --json" if left > 0 else ""

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "note": self.note,
            "columns": list(self.header),
            "rows": [list(row) for row in self.rows],
            "values": self.picture.as_json() if self.picture else self.values,
        }


@dataclass(frozen=True, slots=True)
class Content:
    """The whole report. Nothing in it depends on when it is made."""

    title: str
    about: str
    counts: Mapping[str, int]
    facts: Sequence[Fact]
    sentence: str
    remarks: Sequence[str]
    sections: Sequence[Section]

    def as_json(self) -> dict[str, Any]:
        """Return the report as `labelkit.report/1`."""
        return {
            "schema": SCHEMA,
            "title": self.title,
            "about": self.about,
            "counts": dict(self.counts),
            "headline": [
                {"title": f.title, "rule": f.rule, **f.found.as_json()} for f in self.facts
            ],
            "sentence": self.sentence,
            "remarks": list(self.remarks),
            "sections": {s.key: s.as_json() for s in self.sections},
        }
