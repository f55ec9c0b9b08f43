"""The short way to pairs gives what the long way gives, counts included."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

import pytest
from helpers import at_most, ranking, record, records
from hypothesis import given
from hypothesis import strategies as st

from labelkit.domain.beaten import beaten
from labelkit.domain.pairs import PairOptions, expand
from labelkit.domain.records import RecordError, from_record

options = st.builds(
    PairOptions,
    labels=st.sampled_from(["majority", "each"]),
    min_majority=st.sampled_from([0.0, 0.5, 0.67, 1.0]),
    labelers=st.sampled_from(["human", "all"]),
    keep_contradictions=st.booleans(),
)


@given(records(), options)
@at_most(400)
def test_as_expand_says(record: dict, how: PairOptions) -> None:
    try:
        bundle = from_record(record).bundle
    except RecordError:
        return
    long, short = Counter(), Counter()
    pairs = expand(bundle, how, long)
    wanted = [
        (chosen, [pair.rejected for pair in each])
        for chosen, each in groupby(pairs, key=lambda pair: pair.chosen)
    ]
    assert beaten(bundle, how, short) == wanted
    assert +short == +long


BUNDLES = {
    "one": [ranking("ana", "b > a = d > c")],
    "all tied": [ranking("ana", "a = b = c = d")],
    "three of one mind": [ranking(who, "a > b > c = d") for who in ("ana", "ben", "chloe")],
    "two of three": [
        ranking("ana", "a > b > c > d"),
        ranking("ben", "a > c = b > d"),
        ranking("chloe", "d > b > a", unranked=["c"]),
    ],
    "one against one": [ranking("ana", "a > b > c = d"), ranking("ben", "d > c > b = a")],
    "twice by one": [
        ranking("ana", "a > b", among=["a", "b"]),
        ranking("ana", "c > d", among=["c", "d"]),
    ],
    "a model too": [
        ranking("ana", "a > b > c > d"),
        ranking("gpt", "d > c > b > a", labeler_kind="model"),
    ],
}
HOWS = {
    "majority": PairOptions(),
    "most of them": PairOptions(min_majority=0.67),
    "all of them": PairOptions(min_majority=1.0),
    "each": PairOptions(labels="each"),
    "each, both ways": PairOptions(labels="each", keep_contradictions=True),
    "models too": PairOptions(labelers="all"),
}


@pytest.mark.parametrize("how", HOWS.values(), ids=HOWS)
@pytest.mark.parametrize("rankings", BUNDLES.values(), ids=BUNDLES)
def test_as_expand_says_of_small_cases(rankings: list[dict], how: PairOptions) -> None:
    bundle = from_record(record(rankings=rankings)).bundle
    long, short = Counter({"ties": 5}), Counter({"ties": 5})
    pairs = expand(bundle, how, long)
    found = beaten(bundle, how, short)
    assert [(won, lost) for won, worse in found for lost in worse] == [
        (pair.chosen, pair.rejected) for pair in pairs
    ]
    assert all(worse for _, worse in found)
    assert short == long


def test_who_beat_whom_and_what_was_left_out() -> None:
    bundle = from_record(record(rankings=BUNDLES["two of three"])).bundle
    name = {c.uid: c.name for c in bundle.completions}
    counts: Counter[str] = Counter()
    found = beaten(bundle, PairOptions(min_majority=0.67), counts)
    assert {(name[won], name[lost]) for won, worse in found for lost in worse} == {
        *(("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")),
    }
    assert counts == {"rankings": 3, "comparisons": 15, "pairs": 6, "ties": 1}
    found = beaten(bundle, PairOptions(min_majority=1.0), counts)
    assert {(name[won], name[lost]) for won, worse in found for lost in worse} == {
        *(("a", "c"), ("b", "c"), ("c", "d")),
    }
    assert counts == {
        "rankings": 6,
        "comparisons": 30,
        "pairs": 9,
        "ties": 2,
        "no_majority": 3,
    }
