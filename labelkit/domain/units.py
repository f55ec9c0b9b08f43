"""What a bundle holds for each training stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from labelkit.domain.models import K_LEAST, Bundle, Demonstration, Ranking, current
from labelkit.domain.pairs import PairOptions, counted, fold


def demonstrations(bundle: Bundle, counts: Counter[str]) -> Iterator[Demonstration]:
    """Yield the current demonstrations, each text once."""
    seen: set[str] = set()
    for demonstration in current(bundle.demonstrations):
        counts["demonstrations"] += 1
        folded = fold(demonstration.text)
        if not folded:
            counts["empty"] += 1
        elif folded in seen:
            counts["duplicates"] += 1
        else:
            seen.add(folded)
            yield demonstration


def rankings(bundle: Bundle, options: PairOptions, counts: Counter[str]) -> Iterator[Ranking]:
    """Yield the current rankings that place two completions or more, without silent repeats."""
    for ranking in counted(bundle.rankings, options.labelers):
        counts["rankings"] += 1
        if ranking.repeat:
            counts["repeated"] += 1
        elif ranking.k < K_LEAST:
            counts["too_few"] += 1
        else:
            yield ranking
