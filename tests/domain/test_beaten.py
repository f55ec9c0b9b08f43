"""The short way to pairs gives what the long way gives, counts included."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from helpers import at_most, records
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
