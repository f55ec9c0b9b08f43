"""Every number stands under its own name, with its own n and the interval that resampling gives."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import by_hand
import numpy as np
import pytest
from bundles import LABELERS, bundles, units_of
from helpers import at_most
from hypothesis import given

from labelkit import plugins
from labelkit.agreement._bootstrap import FEW_PROMPTS, TOO_OFTEN_UNDEFINED, Means
from labelkit.agreement._collect import Collector
from labelkit.domain.models import Bundle, Completion, Message, Prompt, Ranking, Tiers
from labelkit.domain.pairs import comparisons, counted
from labelkit.plugins import Finding, Measured

Path = tuple[str, ...]
Wanted = dict[Path, tuple[float | None, int]]
VALUES = (-1, 0, 1)
LEAST = 3
"""Shared units that make a cell of a matrix here."""


def walk(found: Finding, path: Path = ()) -> Iterator[tuple[Path, Measured]]:
    if isinstance(found, Measured):
        yield path, found
    parts: Mapping[str, Finding] = found.parts if isinstance(found, Measured) else found
    for name, part in parts.items():
        yield from walk(part, (*path, name))


# -- what there is to agree on, taken from the rankings one by one ----------------------------


class Said:
    """First and later answers, by unit and labeler."""

    def __init__(self, prompts: list[Bundle]) -> None:
        self.pairs: Any = defaultdict(dict)  # (prompt, a, b): {labeler: value}
        self.again: list[tuple[str, int, int]] = []  # (labeler, first value, later value)
        self.ratings: Any = defaultdict(dict)
        self.flags: dict[str, Any] = {}
        self.sets: Any = defaultdict(dict)  # completions: {labeler: places}
        self.rankings = [
            (bundle.prompt.uid, r) for bundle in prompts for r in counted(bundle.rankings)
        ]
        for prompt, ranking in self.rankings:
            self._hear(prompt, ranking, str(ranking.labeler))
        for name in sorted({f for _, r in self.rankings for fs in r.flags.values() for f in fs}):
            self.flags[name] = defaultdict(dict)
            for _, ranking in self.rankings:
                for uid in ranking.judged:
                    raised = int(name in ranking.flags.get(uid, ()))
                    self.flags[name][uid].setdefault(str(ranking.labeler), raised)

    def _hear(self, prompt: str, ranking: Ranking, who: str) -> None:
        for a, b, value in comparisons(ranking.tiers):
            unit = self.pairs[prompt, a, b]
            if who in unit:
                self.again.append((who, unit[who], value))
            unit.setdefault(who, value)
        for uid, rating in ranking.ratings.items():
            self.ratings[uid].setdefault(who, rating)
        place = places(ranking.tiers)
        self.sets[tuple(sorted(place))].setdefault(who, [place[uid] for uid in sorted(place)])

    def shared(self, answers: Any, one: str, two: str) -> list[tuple[Any, tuple[int, int]]]:
        return [(u, (s[one], s[two])) for u, s in answers.items() if one in s and two in s]

    def scale(self) -> list[int]:
        return sorted({v for said in self.ratings.values() for v in said.values()})


def places(tiers: Tiers) -> dict[str, int]:
    return {uid: i for i, tier in enumerate(tiers) for uid in tier}


def wide(answers: Any) -> int:
    """How many units have two answers or more."""
    return sum(len(said) > 1 for said in answers.values())


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


# -- each statistic from its definition -------------------------------------------------------


def krippendorff_alpha(said: Said) -> Wanted:
    n = wide(said.pairs)
    deltas = {
        "nominal": by_hand.nominal,
        "ordinal": by_hand.ordinal(by_hand.both_ways(said.pairs)),
        "interval": by_hand.interval,
    }
    wanted: Wanted = {
        ("pairs", metric): (by_hand.alpha_on_pairs(said.pairs, delta) if n else None, n)
        for metric, delta in deltas.items()
    }
    ordinal = by_hand.ordinal(said.ratings)
    wanted["ratings",] = (by_hand.alpha(said.ratings, ordinal), wide(said.ratings))
    for name, answers in said.flags.items():
        wanted["flags", name] = (by_hand.alpha(answers, by_hand.nominal), wide(answers))
    return wanted


def gwet(said: Said) -> Wanted:
    n, turned, scale = wide(said.pairs), by_hand.both_ways(said.pairs), said.scale()
    width = max(scale, default=0) - min(scale, default=0)

    def of(answers: Any, values: Any, good: Any) -> float | None:
        return by_hand.gwet(answers, values, good) if wide(answers) and len(values) > 1 else None

    return {
        ("pairs", "ac1"): (of(turned, VALUES, lambda a, b: a == b), n),
        ("pairs", "ac2"): (of(turned, VALUES, lambda a, b: 1 - abs(a - b) / 2), n),
        ("ratings", "ac2"): (
            of(said.ratings, scale, lambda a, b: 1 - (a - b) ** 2 / width**2),
            wide(said.ratings),
        ),
        **{
            ("flags", name): (of(answers, (0, 1), lambda a, b: a == b), wide(answers))
            for name, answers in said.flags.items()
        },
    }


def cohen_kappa(said: Said) -> Wanted:
    kinds: dict[str, tuple[Any, Any, bool]] = {
        "pairs": (said.pairs, by_hand.nominal, True),
        "pairs_weighted": (said.pairs, lambda a, b: abs(a - b), True),
        "ratings_weighted": (said.ratings, by_hand.interval, False),
    }
    wanted: Wanted = {}
    for kind, (answers, bad, turn) in kinds.items():
        used: list[tuple[float, int]] = []
        for one, two in combinations(LABELERS, 2):
            shared = [both for _, both in said.shared(answers, one, two)]
            if not shared:
                continue
            doubled = shared + [(-a, -b) for a, b in shared] if turn else shared
            kappa = by_hand.cohen(doubled, bad) if len(shared) >= LEAST else None
            wanted[kind, "labelers", one, two] = (kappa, len(shared))
            if kappa is not None:
                used.append((kappa, len(shared)))
        wanted[kind,] = (mean([kappa for kappa, _ in used]), sum(n for _, n in used))
    return wanted


def fleiss_kappa(said: Said) -> Wanted:
    units = {u: s for u, s in said.pairs.items() if len(s) > 1}
    same = len({len(s) for s in units.values()}) == 1
    turned = [list(s.values()) for s in by_hand.both_ways(units).values()]
    return {(): (by_hand.fleiss(turned) if same else None, len(units))}


def kendall_tau_b(said: Said) -> Wanted:
    wanted: Wanted = {}
    everything: list[float] = []
    for one, two in combinations(LABELERS, 2):
        by_prompt = defaultdict(list)
        for (prompt, _, _), both in said.shared(said.pairs, one, two):
            by_prompt[prompt].append(both)
        taus = [by_hand.tau_b_of_signs(signs) for signs in by_prompt.values()]
        found = [tau for tau in taus if tau is not None]
        everything += found
        if taus:
            wanted["labelers", one, two] = (mean(found), len(found))
    return wanted | {(): (mean(everything), len(everything))}


def kendall_w(said: Said) -> Wanted:
    sets = [list(by.values()) for by in said.sets.values() if len(by) >= 3]
    found = [w for w in map(by_hand.kendall_w, sets) if w is not None]
    return {(): (mean(found), len(found))}


def pairwise(said: Said) -> Wanted:
    couples = [c for unit in said.pairs.values() for c in combinations(unit.values(), 2)]
    decided = [(a, b) for a, b in couples if a and b]
    return {
        ("category",): (mean([float(a == b) for a, b in couples]), len(couples)),
        ("drop",): (mean([float(a == b) for a, b in decided]), len(decided)),
        ("half",): (mean([by_hand.half(a, b) for a, b in couples]), len(couples)),
    }


def _by_labeler(rows: list[tuple[str, float]], names: set[str]) -> Wanted:
    wanted: Wanted = {(): (mean([agree for _, agree in rows]), len(rows))}
    for name in names:
        mine = [agree for who, agree in rows if who == name]
        wanted["labelers", name] = (mean(mine), len(mine))
    return wanted


def names_of(said: Said) -> set[str]:
    return {str(r.labeler) for _, r in said.rankings}


def intra(said: Said) -> Wanted:
    rows = [(who, by_hand.half(first, later)) for who, first, later in said.again]
    return _by_labeler(rows, names_of(said))


def gold(said: Said) -> Wanted:
    """Gold here is the order in which the completions are listed: the first is the best."""
    rows = [(who, by_hand.half(v, 1)) for by in said.pairs.values() for who, v in by.items()]
    return _by_labeler(rows, names_of(said))


def leave_one_out(said: Said) -> Wanted:
    found = {who: by_hand.leave_one_out(said.pairs, who) for who in names_of(said)}
    agree, n = (sum(each[i] for each in found.values()) for i in (0, 1))
    return {
        (): (agree / n if n else None, int(n)),
        **{("labelers", who): (a / n if n else None, n) for who, (a, n) in found.items()},
    }


DEFINED: dict[str, Callable[[Said], Wanted]] = {
    "cohen-kappa": cohen_kappa,
    "fleiss-kappa": fleiss_kappa,
    "gold": gold,
    "gwet": gwet,
    "intra": intra,
    "kendall-tau-b": kendall_tau_b,
    "kendall-w": kendall_w,
    "krippendorff-alpha": krippendorff_alpha,
    "leave-one-out": leave_one_out,
    "pairwise": pairwise,
}


def test_every_statistic_has_its_definition_here() -> None:
    assert sorted(DEFINED) == plugins.statistics.names()


@pytest.mark.parametrize("name", DEFINED)
@given(bundles())
@at_most(25)
def test_every_value_and_n_is_under_its_own_name(name: str, said: list[Bundle]) -> None:
    found = plugins.statistics.get(name).compute(units_of(said), Means(3, min_overlap=LEAST))
    wanted = DEFINED[name](Said(said))
    assert {path: m.n for path, m in walk(found)} == {path: n for path, (_, n) in wanted.items()}
    assert {path: m.value for path, m in walk(found)} == {
        path: None if value is None else pytest.approx(value, abs=1e-9)
        for path, (value, _) in wanted.items()
    }


# -- intervals -----------------------------------------------------------------------------------

PROMPTS, REPLICATES = 8, 40


def crowd(seed: int) -> list[Bundle]:
    """Prompts that three labelers rank twice each, with ratings and flags; so every prompt has
    something to say to every statistic, also when it stands alone."""
    chance = random.Random(seed)
    said = []
    for p in range(PROMPTS):
        uids = [f"{p}{c}" for c in "abcd"]
        rankings = tuple(
            _noisy(f"{p}{who}{seq}", who, seq, uids, chance)
            for who in LABELERS[:3]
            for seq in range(2)
        )
        prompt = Prompt(f"p{p}", (Message("user", "?"),))
        said.append(Bundle(prompt, tuple(Completion(u, u) for u in uids), rankings=rankings))
    return said


def _noisy(uid: str, who: str, seq: int, uids: list[str], chance: random.Random) -> Ranking:
    seen = {name: place + chance.choice([-1, 0, 0, 1, 2]) for place, name in enumerate(uids)}
    tiers = tuple(tuple(n for n in uids if seen[n] == s) for s in sorted(set(seen.values())))
    if len(tiers) == 1:
        tiers = ((uids[0],), tuple(uids[1:]))
    return Ranking(
        uid=uid,
        seq=seq,
        labeler=who,
        tiers=tiers,
        ratings=dict(zip(sorted(uids, key=seen.__getitem__), (7, 4, 2, 1), strict=True)),
        flags={name: ("opinion",) for name in uids if chance.random() < 0.4},
    )


def drawn(said: list[Bundle], times: list[int]) -> list[Bundle]:
    """Each prompt as often as it was drawn, every copy a prompt of its own."""
    return [
        _copy(bundle, f"{bundle.prompt.uid}:{i}")
        for bundle, n in zip(said, times, strict=True)
        for i in range(n)
    ]


def _copy(bundle: Bundle, name: str) -> Bundle:
    return replace(bundle, prompt=replace(bundle.prompt, uid=name))


def measured(name: str, said: list[Bundle], means: Means) -> dict[Path, Measured]:
    collector = Collector()
    for bundle in said:
        golden = [tuple((c.uid,) for c in bundle.completions)]
        collector.add(bundle, counted(bundle.rankings), gold=golden)
    found = plugins.statistics.get(name).compute(collector.units(), means)
    return dict(walk(found))


def resampled(name: str, said: list[Bundle], means: Means) -> list[dict[Path, Measured]]:
    """Draw prompts, and measure them like any other data."""
    draws = means.sums(np.eye(len(said))).round().astype(int)
    assert draws.sum(axis=1).tolist() == [len(said)] * means.replicates
    return [measured(name, drawn(said, times), Means(1, min_overlap=1)) for times in draws.tolist()]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", DEFINED)
def test_an_interval_is_the_middle_of_the_statistic_on_resampled_prompts(
    name: str, seed: int
) -> None:
    said, means = crowd(seed), Means(REPLICATES, seed=seed, min_overlap=1)
    found, again = measured(name, said, means), resampled(name, said, means)
    assert found
    for path, m in found.items():
        values = [each[path].value for each in again]
        assert None not in values
        low, high = np.percentile(np.array(values, dtype=float), [2.5, 97.5])
        wanted = (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))
        assert (m.low, m.high) == wanted, path
        assert low < high


def thin(seed: int) -> list[Bundle]:
    """Prompts with two completions that two of the labelers rank, often as a tie: what these two
    share is often undefined, or not there at all, in a resample."""
    chance = random.Random(seed)
    said = []
    for bundle in crowd(seed):
        a, b = bundle.completions[:2]
        rankings = tuple(
            Ranking(
                uid=f"{who}{a.uid}",
                labeler=who,
                tiers=chance.choice(
                    (((a.uid, b.uid),), ((a.uid,), (b.uid,)), ((b.uid,), (a.uid,)))
                ),
                ratings={a.uid: chance.choice((3, 5)), b.uid: chance.choice((3, 3, 5))},
            )
            for who in chance.sample(LABELERS[:3], 2)
        )
        said.append(replace(bundle, completions=(a, b), rankings=rankings))
    return said


@pytest.mark.parametrize("seed", range(3))
def test_resamples_in_which_kappa_is_undefined_are_left_out_unless_they_are_many(
    seed: int,
) -> None:
    said, means = thin(seed), Means(REPLICATES, seed=seed, min_overlap=1)
    found = measured("cohen-kappa", said, means)
    again = resampled("cohen-kappa", said, means)
    seen = set()
    for path, m in found.items():
        if m.value is None:
            continue
        values = [each[path].value if path in each else None for each in again]
        defined = [v for v in values if v is not None]
        enough = len(defined) >= 0.95 * REPLICATES
        seen.add((enough, len(defined) < REPLICATES))
        prompts = m.n // (2 if path[:1] == ("ratings_weighted",) else 1)
        if prompts < 2:
            assert (m.low, m.high, m.reason) == (None, None, FEW_PROMPTS), path
        elif enough:
            wanted = np.percentile(defined, [2.5, 97.5])
            assert [m.low, m.high] == pytest.approx(wanted.tolist(), abs=1e-5), path
        else:
            assert (m.low, m.high, m.reason) == (None, None, TOO_OFTEN_UNDEFINED), path
    assert seen == {(True, False), (True, True), (False, True)}
