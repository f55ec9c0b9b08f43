"""Bundles for statistics: drawn at random, with everything that can make a number go wrong."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from labelkit.agreement._collect import Collector
from labelkit.agreement._units import Units
from labelkit.domain.models import Bundle, Completion, Message, Prompt, Ranking
from labelkit.domain.pairs import counted

LABELERS = ("ana", "ben", "chloe", "dmitri")


@st.composite
def bundles(draw: st.DrawFn) -> list[Bundle]:
    """A few prompts with rankings, ties, ratings, flags, subsets and repeats."""
    chance = draw(st.randoms(use_true_random=False))
    return [_bundle(i, draw(st.integers(2, 5)), chance) for i in range(draw(st.integers(1, 4)))]


def _bundle(number: int, k: int, chance: random.Random) -> Bundle:
    uids = [f"{number}-{i}" for i in range(k)]
    rankings = tuple(
        _ranking(f"{number}:{i}", i, uids, chance) for i in range(chance.randint(0, 6))
    )
    prompt = Prompt(f"prompt {number}", (Message("user", "?"),))
    return Bundle(prompt, tuple(Completion(uid, uid) for uid in uids), rankings=rankings)


def _ranking(uid: str, seq: int, uids: list[str], chance: random.Random) -> Ranking:
    placed = sorted(chance.sample(uids, chance.randint(2, len(uids))))
    places: dict[int, list[str]] = {}
    for name in placed:
        places.setdefault(chance.randrange(len(placed)), []).append(name)
    return Ranking(
        uid=uid,
        seq=seq,
        labeler=chance.choice(LABELERS),
        tiers=tuple(tuple(places[p]) for p in sorted(places)),
        ratings={name: chance.randint(1, 7) for name in placed},
        flags={name: _flags(chance) for name in placed},
    )


def _flags(chance: random.Random) -> tuple[str, ...]:
    return tuple(flag for flag in ("opinion", "harmful") if chance.random() < 0.3)


def units_of(said: list[Bundle], gold: bool = True) -> Units:
    collector = Collector()
    for bundle in said:
        golden = [tuple((c.uid,) for c in bundle.completions)] if gold else []
        collector.add(bundle, counted(bundle.rankings), gold=golden)
    return collector.units()
