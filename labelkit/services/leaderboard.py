"""Models from rankings: who wins against whom, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from labelkit.agreement._bootstrap import REPLICATES, Means, cells_measured, merged, ratio
from labelkit.agreement._collect import Collector
from labelkit.consensus._games import Games, Writers, games_of
from labelkit.consensus._league import Results, fit, main_group, results_of
from labelkit.domain.decisions import settled
from labelkit.domain.models import Bundle
from labelkit.errors import NotFound
from labelkit.plugins import Measured, findings_json
from labelkit.services.choices import one_of
from labelkit.services.project import opened
from labelkit.services.selection import NOT_SAID, Progress, Selection, selected
from labelkit.store.bundles import Parts
from labelkit.store.core import Store

SCHEMA = "labelkit.leaderboard/1"
DEMONSTRATIONS = "(demonstrations)"
"""The contestant made of completions that labelers wrote themselves."""

By = Literal["use_case", "language", "source", "length"]
LENGTHS = ("shorter", "alike", "longer")
NEVER_COMPARED = "never compared"
NO_TIES = "there are no ties"
_WRITTEN = Parts(aliases=False, details=False, skips=False)
NO_FIT = "no table of strengths holds for these results"


@dataclass(frozen=True, slots=True)
class LeaderboardOptions:
    """Which labels to look at, against whom, by what, and how to resample."""

    selection: Selection = field(default_factory=Selection)
    against: str | None = None
    by: By | None = None
    demonstrations: bool = True
    replicates: int = REPLICATES
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One contestant. `score` is a log strength; `worth` its share of all strengths."""

    name: str
    score: Measured
    worth: float | None
    win_rate: Measured
    against: Measured | None
    by_length: Mapping[str, Measured]

    def as_json(self) -> dict[str, Any]:
        against = {"against": self.against.as_json()} if self.against else {}
        lengths = {"by_length": findings_json(self.by_length)} if self.by_length else {}
        return {
            "model": self.name,
            "score": self.score.as_json(),
            "worth": self.worth,
            "win_rate": self.win_rate.as_json(),
            **against,
            **lengths,
        }


@dataclass(frozen=True, slots=True)
class Table:
    """Standings, the best first, and what they stand on."""

    standings: Sequence[Standing]
    matrix: Mapping[str, Mapping[str, Measured]]
    comparisons: int
    prompts: int
    ties: float | None
    nu: Measured

    def as_json(self) -> dict[str, Any]:
        return {
            "comparisons": self.comparisons,
            "prompts": self.prompts,
            "ties": self.ties,
            "tie_parameter": self.nu.as_json(),
            "models": [s.as_json() for s in self.standings],
            "win_rates": {name: findings_json(row) for name, row in self.matrix.items()},
        }


@dataclass(frozen=True, slots=True)
class LeaderboardReport:
    """What `labelkit leaderboard` says."""

    options: LeaderboardOptions
    whole: Table
    groups: Mapping[str, Table]
    no_model: int

    def remarks(self) -> list[str]:
        found = []
        if not self.whole.comparisons:
            found.append("no two models were compared: completions need a `model`, and rankings")
        if self.no_model:
            found.append(f"completions that name no model, left out: {self.no_model:,}")
        outside = [s for s in self.whole.standings if s.score.value is None]
        found += [f"{s.name} has no score: {s.score.reason}" for s in outside]
        return found

    def as_json(self) -> dict[str, Any]:
        by = {"by": self.options.by} if self.options.by else {}
        groups = {"groups": {k: g.as_json() for k, g in self.groups.items()}} if self.groups else {}
        return {
            "schema": SCHEMA,
            **self.whole.as_json(),
            "against": self.options.against,
            "remarks": self.remarks(),
            "selection": self.options.selection.as_json(),
            **by,
            **groups,
        }


def options(
    selection: Selection,
    *,
    against: str | None = None,
    by: str | None = None,
    demonstrations: bool = True,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> LeaderboardOptions:
    """Read the options as they are typed. Raises UsageError."""
    field = one_of(by, get_args(By), "--by") if by else None
    return LeaderboardOptions(selection, against, field, demonstrations, replicates, seed)


def leaderboard(
    store: Path, options: LeaderboardOptions | None = None, progress: Progress | None = None
) -> LeaderboardReport:
    """Rank the models. Raises NotFound for a baseline that nobody knows."""
    options = options or LeaderboardOptions()
    with opened(store) as opened_store:
        collector, writers, groups = read(opened_store, options, progress)
    if options.against is not None and options.against not in writers.names:
        known = ", ".join(writers.order) or "none"
        raise NotFound(f"there is no model {options.against!r}", hint=f"models: {known}")
    pairs = collector.units().pairs
    a, b = pairs.pair[pairs.unit].T
    games = games_of(a, b, pairs.value, pairs.unit_prompt[pairs.unit], writers)
    group = np.array(groups, dtype=object)
    return LeaderboardReport(
        options=options,
        whole=table_of(games, writers.order, options),
        groups={
            name: table_of(games.of(group[games.prompt] == name), writers.order, options)
            for name in sorted(set(groups) - {""})
        },
        no_model=sum(n == 0 for n in writers.count),
    )


def read(
    store: Store, options: LeaderboardOptions, progress: Progress | None = None
) -> tuple[Collector, Writers, list[str]]:
    """Read the store once: rankings, who wrote the completions, and each prompt's group."""
    collector, writers, groups = Collector(), Writers(), list[str]()
    for bundle, rankings in selected(store, options.selection, progress, _WRITTEN):
        before = collector.prompts
        collector.add(bundle, rankings)
        if collector.prompts > before:
            _add_writers(writers, bundle, demonstrations=options.demonstrations)
            groups.append(_group(bundle, options.by))
    return collector, writers, groups


def _add_writers(writers: Writers, bundle: Bundle, *, demonstrations: bool) -> None:
    written = {d.text for d in bundle.demonstrations} if demonstrations else set()
    for completion in bundle.completions:
        models = sorted({source.model for source in completion.sources if source.model})
        if not models and completion.text in written:
            models = [DEMONSTRATIONS]
        writers.add(completion, models)


def _group(bundle: Bundle, by: By | None) -> str:
    return "" if by in (None, "length") else getattr(settled(bundle.prompt), by) or NOT_SAID


def table_of(games: Games, names: Sequence[str], options: LeaderboardOptions) -> Table:
    """Return the standings that some games make."""
    means = Means(options.replicates, options.seed)
    results, resampled, matrix = _results(games, len(names), means)
    scores, worths, nu = _strengths(results, resampled, len(np.unique(games.prompt)), means)
    rates = _win_rates(games, len(names), means)
    baseline = names.index(options.against) if options.against is not None else None
    lengths = _by_length(games, len(names), means) if options.by == "length" else []
    standings = [
        Standing(
            name=name,
            score=scores[i],
            worth=worths[i],
            win_rate=rates[i],
            against=None if baseline in (None, i) else _cell(matrix, i, int(baseline or 0)),
            by_length=dict(zip(LENGTHS, lengths[3 * i : 3 * i + 3], strict=False)),
        )
        for i, name in enumerate(names)
        if rates[i].n
    ]
    return Table(
        standings=sorted(standings, key=_place),
        matrix={
            a: {b: _cell(matrix, i, j) for j, b in enumerate(names) if i != j and rates[j].n}
            for i, a in enumerate(names)
            if rates[i].n
        },
        comparisons=len(games.value),
        prompts=len(np.unique(games.prompt)),
        ties=float((games.value == 0).mean()) if len(games.value) else None,
        nu=nu,
    )


def _place(standing: Standing) -> tuple[bool, float, str]:
    """By score; those without one behind, by win rate."""
    scored = standing.score.value is not None
    value = standing.score.value if scored else standing.win_rate.value
    return (not scored, -(value or 0.0), standing.name)


Cells = Mapping[tuple[int, int], Measured]


def _results(games: Games, m: int, means: Means) -> tuple[Results, Results, Cells]:
    """Return all results, those of every resample of prompts, and the win rate in each cell."""
    keys, cell = np.unique(games.i * m + games.j, return_inverse=True)
    cells = np.column_stack(np.divmod(keys, max(1, m)))
    values = np.column_stack([games.value > 0, games.value < 0, games.value == 0]).astype(float)
    if not len(keys):
        nothing = Results(np.zeros((m, m)), np.zeros((m, m)))
        return nothing, nothing, {}
    prompt, cell, values = merged(games.prompt, cell, values, len(keys))
    totals = np.column_stack([np.bincount(cell, column) for column in values.T]).astype(float)
    resampled = means.cell_sums(prompt, cell, values, len(keys))
    top, bottom = resampled[..., 0] + resampled[..., 2] / 2, resampled.sum(axis=-1)
    prompts = np.bincount(cell)
    found = {}
    for c, (i, j) in enumerate(cells.tolist()):
        n = totals[c].sum()
        rate = float((totals[c, 0] + totals[c, 2] / 2) / n)
        found[i, j] = means.measured(rate, ratio(top[:, c], bottom[:, c]), prompts[c], round(n))
    return results_of(cells, totals, m), results_of(cells, resampled, m), found


def _cell(cells: Cells, i: int, j: int) -> Measured:
    """Return the win rate of i against j."""
    if (i, j) in cells:
        return cells[i, j]
    if (j, i) not in cells:
        return Measured(value=None, reason=NEVER_COMPARED)
    other = cells[j, i]
    low = None if other.high is None else 1 - other.high
    high = None if other.low is None else 1 - other.low
    return replace(other, value=1 - (other.value or 0.0), low=low, high=high)


def _strengths(
    results: Results, resampled: Results, prompts: int, means: Means
) -> tuple[list[Measured], list[float | None], Measured]:
    """Return score and worth of each contestant, and Davidson's tie parameter."""
    m = len(results.wins)
    inside, why = main_group(results) if m else ([], {})
    if not inside:
        reason = Measured(value=None, reason=NO_FIT)
        return [reason] * m, [None] * m, reason
    scores, nu = fit(results.among(inside))
    many, many_nu = fit(resampled.among(inside))
    games = results.games.sum(axis=1)
    worth = np.exp(scores) / np.exp(scores).sum()
    measured = [Measured(value=None, n=round(games[i]), reason=why.get(i, "")) for i in range(m)]
    worths: list[float | None] = [None] * m
    for at, i in enumerate(inside):
        measured[i] = means.measured(float(scores[at]), many[:, at], prompts, round(games[i]))
        worths[i] = float(worth[at])
    tied = Measured(value=None, reason=NO_TIES)
    if np.isfinite(nu):
        tied = means.measured(float(nu), many_nu, prompts, round(games[inside].sum() / 2))
    return measured, worths, tied


def _win_rates(games: Games, m: int, means: Means) -> list[Measured]:
    """Return how often each contestant wins against all the others, a tie half."""
    prompt = np.concatenate([games.prompt, games.prompt])
    won = np.concatenate([1.0 + games.value, 1.0 - games.value]) / 2
    who = np.concatenate([games.i, games.j])
    return cells_measured(means, prompt, who, won, np.ones(len(won)), m, NEVER_COMPARED)


def _by_length(games: Games, m: int, means: Means) -> list[Measured]:
    """Return each contestant's win rate with the shorter, an alike and the longer text: (3 m)."""
    prompt = np.concatenate([games.prompt, games.prompt])
    won = np.concatenate([1.0 + games.value, 1.0 - games.value]) / 2
    cell = np.concatenate([3 * games.i + 1 + games.longer, 3 * games.j + 1 - games.longer])
    return cells_measured(means, prompt, cell, won, np.ones(len(won)), 3 * m, NEVER_COMPARED)
