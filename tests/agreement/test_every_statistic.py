"""What holds for every statistic in the folder, found by listing it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest
from bundles import LABELERS, bundles, units_of
from helpers import at_most
from hypothesis import given
from hypothesis import strategies as st

from labelkit import plugins
from labelkit.agreement._bootstrap import Means
from labelkit.agreement._collect import Collector
from labelkit.agreement._units import Units, empty_units
from labelkit.domain.models import Bundle, Completion, Message, Prompt, Ranking
from labelkit.domain.pairs import counted
from labelkit.plugins import Finding, Measured, Statistic, UnitKind

NAMES = plugins.statistics.names()
KINDS = frozenset(get_args(UnitKind))
FEW = 100


def values(
    found: Finding, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Measured]]:
    parts: Mapping[str, Finding] = found.parts if isinstance(found, Measured) else found
    if isinstance(found, Measured):
        yield path, found
    for name, part in parts.items():
        yield from values(part, (*path, name))


def flat(found: Finding) -> dict[tuple[str, ...], tuple[float | None, int]]:
    return {
        path: (None if m.value is None else round(m.value, 9), m.n) for path, m in values(found)
    }


def compute(name: str, units: Units) -> Finding:
    return plugins.statistics.get(name).compute(units, Means(FEW, min_overlap=1))


def test_there_are_statistics() -> None:
    assert len(NAMES) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    statistic = plugins.statistics.get(name)
    assert isinstance(statistic, Statistic)
    assert statistic.title
    assert "n counts" in statistic.rule
    assert statistic.rule.endswith(".")
    assert set(statistic.units) <= KINDS
    assert statistic.units


@pytest.mark.parametrize("name", NAMES)
@given(bundles())
@at_most(25)
def test_numbers_are_bounded_and_what_is_undefined_has_a_reason(
    name: str, said: list[Bundle]
) -> None:
    for path, m in values(compute(name, units_of(said))):
        assert isinstance(m.n, int)
        assert m.n >= 0
        if m.value is None:
            assert (m.low, m.high) == (None, None)
            assert m.reason, path
            continue
        assert -1e9 < m.value <= 1 + 1e-9
        if m.low is None or m.high is None:
            assert (m.low, m.high) == (None, None)
            assert m.reason, path
        else:
            assert m.low <= m.high <= 1 + 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_without_any_label_everything_is_undefined(name: str) -> None:
    for _, m in values(compute(name, empty_units())):
        assert (m.value, m.n) == (None, 0)
        assert m.reason


@pytest.mark.parametrize("name", NAMES)
@given(bundles(), st.randoms(use_true_random=False))
@at_most(25)
def test_naming_and_listing_change_nothing(
    name: str, said: list[Bundle], chance: random.Random
) -> None:
    """Other uids in another order, rankings and tiers listed differently, prompts as well."""
    other = [_renamed(bundle, chance) for bundle in said]
    chance.shuffle(other)
    assert flat(compute(name, units_of(other, gold=False))) == flat(
        compute(name, units_of(said, gold=False))
    )


def _renamed(bundle: Bundle, chance: random.Random) -> Bundle:
    uids = [c.uid for c in bundle.completions]
    other = dict(zip(uids, chance.sample(uids, len(uids)), strict=True))
    rankings = [
        replace(
            r,
            tiers=tuple(tuple(sorted(other[u] for u in tier)) for tier in r.tiers),
            ratings={other[u]: v for u, v in r.ratings.items()},
            flags={other[u]: v for u, v in r.flags.items()},
        )
        for r in bundle.rankings
    ]
    chance.shuffle(rankings)
    completions = chance.sample(bundle.completions, len(uids))
    return replace(bundle, completions=tuple(completions), rankings=tuple(rankings))


@pytest.mark.parametrize("name", NAMES)
@given(bundles())
@at_most(25)
def test_other_names_for_labelers_change_nothing_but_the_names(
    name: str, said: list[Bundle]
) -> None:
    to = dict(zip(LABELERS, reversed(LABELERS), strict=True))
    other = [
        replace(b, rankings=tuple(replace(r, labeler=to[str(r.labeler)]) for r in b.rankings))
        for b in said
    ]
    back = {
        tuple(sorted(to.get(part, part) for part in path)): m
        for path, m in flat(compute(name, units_of(other))).items()
    }
    assert back == {
        tuple(sorted(path)): m for path, m in flat(compute(name, units_of(said))).items()
    }


@pytest.mark.parametrize("name", NAMES)
@given(bundles())
@at_most(15)
def test_a_labelers_second_word_counts_only_as_a_repeat(name: str, said: list[Bundle]) -> None:
    """The same rankings once more, later: nothing changes but intra-labeler agreement."""
    twice = [
        replace(
            b,
            rankings=(
                *b.rankings,
                *(replace(r, uid=f"{r.uid} again", seq=r.seq + 100) for r in b.rankings),
            ),
        )
        for b in said
    ]
    if "repeats" not in plugins.statistics.get(name).units:
        assert flat(compute(name, units_of(twice))) == flat(compute(name, units_of(said)))


@pytest.mark.parametrize("name", NAMES)
@given(bundles())
@at_most(15)
def test_it_reads_the_units_that_it_names_and_no_others(name: str, said: list[Bundle]) -> None:
    units, statistic = units_of(said), plugins.statistics.get(name)
    others: set[Any] = set(KINDS) - set(statistic.units)
    assert flat(compute(name, units.without(others))) == flat(compute(name, units))
    emptied = units.without(set(statistic.units))
    assert all(m.value is None for _, m in values(compute(name, emptied)))


@pytest.mark.parametrize("name", NAMES)
def test_identical_rankings_give_one(name: str) -> None:
    said = []
    for i in range(3):
        uids = [f"{i}{c}" for c in "abcd"]
        tiers = ((uids[1],), (uids[0], uids[3]), (uids[2],))
        rankings = tuple(
            Ranking(
                uid=f"{i}{who}{seq}",
                labeler=who,
                seq=seq,
                tiers=tiers,
                ratings=dict(zip(uids, (3, 6, 1, 3), strict=True)),
                flags={uids[2]: ("opinion",)},
            )
            for who in LABELERS[:3]
            for seq in (0, 1)
        )
        prompt = Prompt(f"p{i}", (Message("user", "?"),))
        said.append(Bundle(prompt, tuple(Completion(u, u) for u in uids), rankings=rankings))
    collector = Collector()
    for bundle in said:
        collector.add(bundle, counted(bundle.rankings), gold=[bundle.rankings[0].tiers])
    found = list(values(compute(name, collector.units())))
    assert found
    for path, m in found:
        assert m.value == pytest.approx(1.0), path
        assert (m.low, m.high) == (pytest.approx(1.0), pytest.approx(1.0)), path
