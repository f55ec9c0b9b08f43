"""Who beat whom, as short as rows without a margin and without group columns need it.

The same answer as `pairs.expand` gives, without an object for every pair. One ranking of a prompt,
or several by different labelers under `majority`, are worked out here; anything else is handed on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, groupby

from labelkit.domain.models import Bundle, Ranking
from labelkit.domain.pairs import PairOptions, cleaned, counted, expand

Beaten = list[tuple[str, list[str]]]
"""(chosen, what it beat) in the order of the rows; no list is empty.

With labels "each" a completion may be chosen in several groups of rankings."""


def beaten(bundle: Bundle, options: PairOptions, counts: Counter[str]) -> Beaten:
    """Return the pairs of one prompt by what was chosen; `counts` gains what `expand` counts.

    Only for scheme `all` without a margin: anything else needs its pairs one by one.
    """
    labels = counted(bundle.rankings, options.labelers)
    if not _plain(labels, options):
        pairs = groupby(expand(bundle, options, counts), key=lambda pair: pair.chosen)
        return [(chosen, [pair.rejected for pair in each]) for chosen, each in pairs]
    rankings = cleaned(bundle, options, counts)
    if len(rankings) == 1:
        found = _of_one(rankings[0], counts)
    else:
        found = _of_many(rankings, options.min_majority, counts)
    counts["pairs"] += sum([len(worse) for _, worse in found])
    return found


def _plain(labels: Sequence[Ranking], options: PairOptions) -> bool:
    """Whether the rankings count together and nobody could have judged a pair twice."""
    if len(labels) == 1:
        return True
    return options.labels == "majority" and len({r.labeler for r in labels}) == len(labels)


def _of_one(ranking: Ranking, counts: Counter[str]) -> Beaten:
    place = {}
    for i, tier in enumerate(ranking.tiers):
        if (n := len(tier)) > 1:
            counts["ties"] += n * (n - 1) // 2
        for uid in tier:
            place[uid] = i
    order = sorted(place)
    last = len(ranking.tiers) - 1
    return [
        (uid, [other for other in order if place[other] > mine])
        for uid in order
        if (mine := place[uid]) < last
    ]


def _of_many(rankings: Sequence[Ranking], least: float, counts: Counter[str]) -> Beaten:
    places = [{uid: i for i, tier in enumerate(r.tiers) for uid in tier} for r in rankings]
    won: dict[str, list[str]] = {uid: [] for uid in sorted(set().union(*places))}
    for a, b in combinations(won, 2):
        steps = [place[b] - place[a] for place in places if a in place and b in place]
        for_a, for_b = sum([step > 0 for step in steps]), sum([step < 0 for step in steps])
        counts["ties"] += len(steps) - for_a - for_b
        most, cast = max(for_a, for_b), for_a + for_b
        if cast and (for_a == for_b or round(most / cast, 2) < least):
            counts["no_majority"] += 1
        elif for_a > for_b:
            won[a].append(b)
        elif for_b:
            won[b].append(a)
    return [(chosen, worse) for chosen, worse in won.items() if worse]
