"""Columns: the same comparisons as the domain's, each labeler once a pair, whatever the order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from typing import get_args

import numpy as np
from bundles import bundles, units_of
from hypothesis import given

from labelkit.agreement._collect import Collector
from labelkit.agreement._units import empty_units
from labelkit.domain.models import Bundle, Completion, Message, Prompt, Ranking
from labelkit.domain.pairs import comparisons, counted
from labelkit.plugins import UnitKind

Said = dict[tuple[str, str], dict[str, list[int]]]


def heard(bundles: list[Bundle]) -> Said:
    """What every labeler said about every pair, in order."""
    said: Said = defaultdict(lambda: defaultdict(list))
    for bundle in bundles:
        for ranking in counted(bundle.rankings):
            for a, b, value in comparisons(ranking.tiers):
                said[a, b][str(ranking.labeler)].append(value)
    return said


@given(bundles())
def test_judgements_are_the_first_comparisons_of_the_rankings(said: list[Bundle]) -> None:
    units, wanted = units_of(said), heard(said)
    names = [c.uid for b in said if b.rankings for c in b.completions]
    pairs = units.pairs
    found: Said = defaultdict(lambda: defaultdict(list))
    for unit, who, value in zip(pairs.unit, pairs.labeler, pairs.value, strict=True):
        a, b = pairs.pair[unit]
        found[names[a], names[b]][units.labelers[who]].append(int(value))
    firsts = {pair: {who: v[:1] for who, v in by.items()} for pair, by in wanted.items()}
    assert {pair: dict(by) for pair, by in found.items()} == firsts
    repeats = sum(len(v) - 1 for by in wanted.values() for v in by.values())
    again = [(v[0], later) for by in wanted.values() for v in by.values() for later in v[1:]]
    assert len(units.repeats.first) == repeats
    got = zip(units.repeats.first.tolist(), units.repeats.later.tolist(), strict=True)
    assert sorted(got) == sorted(again)


@given(bundles())
def test_two_labelers_are_crossed_on_what_they_share(said: list[Bundle]) -> None:
    units, wanted = units_of(said), heard(said)
    crossed = units.pairs.crossed
    for c, (a, b) in enumerate(crossed.cells):
        one, two = units.labelers[a], units.labelers[b]
        assert one < two
        table = np.zeros((3, 3))
        for by in wanted.values():
            if one in by and two in by:
                table[by[one][0] + 1, by[two][0] + 1] += 1
        assert np.array_equal(crossed.table[crossed.cell == c].sum(axis=0), table)
    turned = crossed.turned().table
    assert np.array_equal(turned, turned[:, ::-1, ::-1])
    assert np.array_equal(turned.sum(axis=(1, 2)), crossed.table.sum(axis=(1, 2)))


def bundle(*rankings: Ranking) -> Bundle:
    completions = tuple(Completion(uid, uid) for uid in "abc")
    return Bundle(Prompt("p", (Message("user", "?"),)), completions, rankings=rankings)


def test_ratings_and_flags_count_once_and_unranked_completions_count() -> None:
    said = bundle(
        Ranking(
            uid="1",
            labeler="ana",
            tiers=(("a",),),
            unranked=("b",),
            ratings={"a": 5, "b": 2},
            flags={"b": ("opinion",)},
        ),
        Ranking(uid="2", seq=1, labeler="ana", tiers=(("b",), ("a",)), ratings={"a": 1}),
    )
    collector = Collector()
    collector.add(said, counted(said.rankings))
    units = collector.units()
    assert units.ratings.value.tolist() == [5, 2]
    answers = units.flags.answers(0)
    assert (answers.unit.tolist(), answers.value.tolist()) == ([0, 1], [0, 1])
    assert len(units.pairs.unit) == 1


def test_flags_that_a_guideline_does_not_have_are_not_answered() -> None:
    asks = {"strict@1": frozenset({"opinion"}), "loose@1": frozenset[str]()}
    said = bundle(
        Ranking(uid="1", labeler="ana", guideline="strict@1", tiers=(("a",), ("b",))),
        Ranking(uid="2", labeler="ben", guideline="loose@1", tiers=(("a",), ("b",))),
        Ranking(uid="3", labeler="cy", tiers=(("a",), ("b",)), flags={"a": ("opinion",)}),
        Ranking(uid="4", labeler="di", guideline="lost@1", tiers=(("a",), ("b",))),
    )
    collector = Collector(lambda ref: asks.get(ref or ""))
    collector.add(said, said.rankings)
    units = collector.units()
    answers = units.flags.answers(0)
    assert {units.labelers[i] for i in answers.labeler} == {"ana", "cy"}
    assert answers.value.sum() == 1


def test_rankings_by_nobody_are_counted_and_left_out() -> None:
    said = bundle(
        Ranking(uid="1", tiers=(("a",), ("b",))), Ranking(uid="2", tiers=(("b",), ("a",)))
    )
    collector = Collector()
    collector.add(said, said.rankings)
    assert (collector.unnamed, collector.rankings, collector.prompts) == (2, 0, 0)
    assert len(collector.units().pairs.unit) == 0
    for uid in ("3", "4"):
        named = Ranking(uid=uid, labeler="ana", tiers=(("a",), ("b",)))
        collector.add(said, [*said.rankings, named])
    assert (collector.unnamed, collector.rankings, collector.prompts) == (6, 2, 2)


def test_units_of_nothing_have_the_columns_of_units() -> None:
    nothing, collected = empty_units(), Collector().units()
    for kind in get_args(UnitKind):
        empty, found = getattr(nothing, kind), getattr(collected, kind)
        for column in fields(found):
            one, other = getattr(empty, column.name), getattr(found, column.name)
            assert np.shape(one) == np.shape(other), (kind, column.name)
            if isinstance(other, np.ndarray):
                assert one.dtype == other.dtype, (kind, column.name)


def test_groups_cut_the_rows() -> None:
    one = Ranking(uid="1", labeler="ana", tiers=(("a",), ("b",)), ratings={"a": 3})
    two = Ranking(uid="2", labeler="ben", tiers=(("b",), ("a",), ("c",)), ratings={"b": 4})
    said = bundle(one, two)
    collector = Collector()
    collector.add(said, [one, two], ["x", "y"])
    assert collector.units("x").pairs.value.tolist() == [1]
    assert collector.units("y").pairs.value.tolist() == [-1, 1, 1]
    assert collector.units("y").ratings.value.tolist() == [4]
    assert collector.units("y").rankings.k.tolist() == [3]
    assert len(collector.units("neither").pairs.unit) == 0
    assert len(collector.units().pairs.unit) == 4
