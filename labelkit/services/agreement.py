"""How far labelers agree."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np

from labelkit.agreement._judgements import Judgements
from labelkit.agreement.pairwise import RULES, Agreement, pairwise
from labelkit.domain.models import Bundle, Ranking
from labelkit.domain.pairs import Kinds, comparisons, counted
from labelkit.errors import CheckFailed
from labelkit.services.choices import one_of
from labelkit.services.project import opened
from labelkit.store.bundles import read_bundles

SCHEMA = "labelkit.agreement/1"


@dataclass(frozen=True, slots=True)
class AgreementOptions:
    """Which labels to look at, and how to resample."""

    labelers: Kinds = "human"
    replicates: int = 1000
    seed: int = 0


@dataclass(slots=True)
class JudgementTable:
    """Collects judgements bundle by bundle, in compact columns."""

    prompt: array[int] = field(default_factory=lambda: array("q"))
    unit: array[int] = field(default_factory=lambda: array("q"))
    labeler: array[int] = field(default_factory=lambda: array("q"))
    value: array[int] = field(default_factory=lambda: array("q"))
    labelers: dict[str, int] = field(default_factory=dict)
    prompts: int = 0
    units: int = 0

    def add(self, rankings: Iterable[Ranking]) -> None:
        """Add one prompt's rankings, in the order they were made: a labeler's first word counts."""
        units: dict[tuple[str, str], int] = {}
        heard: set[tuple[int, int]] = set()
        for ranking in rankings:
            if ranking.labeler is None:
                continue
            who = self.labelers.setdefault(ranking.labeler, len(self.labelers))
            for a, b, value in comparisons(ranking.tiers):
                unit = units.setdefault((a, b), self.units + len(units))
                if (who, unit) in heard:
                    continue
                heard.add((who, unit))
                self.prompt.append(self.prompts)
                self.unit.append(unit)
                self.labeler.append(who)
                self.value.append(value)
        if units:
            self.prompts += 1
            self.units += len(units)

    def judgements(self) -> Judgements:
        return Judgements(
            prompt=np.array(self.prompt, dtype=np.int64),
            unit=np.array(self.unit, dtype=np.int64),
            labeler=np.array(self.labeler, dtype=np.int64),
            value=np.array(self.value, dtype=np.int64),
            labelers=tuple(self.labelers),
        )


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """What `labelkit agreement` says."""

    rankings: int
    labelers: int
    prompts: int
    units: int
    shared_units: int
    pairwise: dict[str, Agreement]

    def headline(self) -> str:
        """One line: what the numbers below stand on."""
        who = (
            f"{self.rankings:,} rankings by {self.labelers:,} labelers on {self.prompts:,} prompts"
        )
        return f"{who}, {self.shared_units:,} of {self.units:,} pairs judged by two or more"

    def as_json(self) -> dict[str, Any]:
        """Return the report as `labelkit.agreement/1`; what is undefined is null."""
        return {
            "schema": SCHEMA,
            "rankings": self.rankings,
            "labelers": self.labelers,
            "prompts": self.prompts,
            "units": self.units,
            "shared_units": self.shared_units,
            "pairwise": {rule: _as_json(found) for rule, found in self.pairwise.items()},
            "rules": RULES,
        }


def interval_text(found: Agreement) -> str:
    """An interval as people read it."""
    if found.interval is None:
        return "undefined"
    return f"{100 * found.interval.low:.1f} to {100 * found.interval.high:.1f}"


def options(labelers: str) -> AgreementOptions:
    """Read the options as they are typed. Raises UsageError."""
    return AgreementOptions(labelers=one_of(labelers, get_args(Kinds), "--labelers"))


def _as_json(found: Agreement) -> dict[str, Any]:
    agree = int(found.agree) if found.agree.is_integer() else found.agree
    return {
        "agree": agree,
        "n": found.n,
        "rate": found.rate,
        "low": found.interval.low if found.interval else None,
        "high": found.interval.high if found.interval else None,
    }


def agreement(store: Path, options: AgreementOptions | None = None) -> AgreementReport:
    """Measure agreement over every (prompt, pair) that two labelers or more judged."""
    options = options or AgreementOptions()
    table = JudgementTable()
    rankings = 0
    with opened(store) as opened_store:
        for bundle in read_bundles(opened_store):
            wanted = _wanted(bundle, options)
            rankings += len(wanted)
            table.add(wanted)
    judgements = table.judgements()
    counts = judgements.counts()
    return AgreementReport(
        rankings=rankings,
        labelers=len(table.labelers),
        prompts=table.prompts,
        units=len(counts),
        shared_units=int((counts.sum(axis=1) > 1).sum()),
        pairwise=pairwise(judgements, options.replicates, options.seed),
    )


def _wanted(bundle: Bundle, options: AgreementOptions) -> list[Ranking]:
    return counted(bundle.rankings, options.labelers)


def check(report: AgreementReport, least: float, rule: str = "drop") -> None:
    """Raise CheckFailed when agreement is under `least`, or cannot be told."""
    found = report.pairwise[rule]
    if found.rate is None:
        raise CheckFailed("agreement cannot be told: no two labelers judged the same pair")
    if found.rate < least:
        raise CheckFailed(f"agreement is {found.rate:.3f} (rule {rule}), under {least:g}")
