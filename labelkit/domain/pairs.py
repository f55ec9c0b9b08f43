"""Rankings to comparisons to (chosen, rejected) pairs.

A ranking of K placed completions holds C(K, 2) comparisons. A tie is a comparison but never a
pair (InstructGPT, arXiv 2203.02155, C.2: "ties were dropped"). Completions whose texts are equal
after NFC and strip are one completion here, and blank ones are none: neither may reach a trainer.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

from labelkit.domain.models import Bundle, LabelerKind, Ranking, Tiers, current
from labelkit.domain.shuffle import shuffled
from labelkit.errors import UsageError

Scheme = Literal["all", "adjacent", "best-worst", "random"]
MarginRule = Literal["none", "rank", "rating", "votes"]
LabelRule = Literal["majority", "each"]
Kinds = Literal["human", "model", "all"]

Comparison = tuple[str, str, int]
"""(a, b, value) with a < b: +1 when a is better, -1 when b is, 0 for a tie."""


@dataclass(frozen=True, slots=True)
class PairOptions:
    """How rankings become pairs.

    `random_n` belongs to the scheme `random`. `min_majority` is the share of the labelers who
    preferred one side that must agree, compared to the nearest percent (so 0.67 admits 2 of 3).
    `rating_spans` gives the width of the rating scale by guideline, 6 (a 1-7 scale) if not there.
    """

    scheme: Scheme = "all"
    random_n: int = 0
    labels: LabelRule = "majority"
    min_majority: float = 0.0
    margin: MarginRule = "none"
    labelers: Kinds = "human"
    seed: str = ""
    rating_spans: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """One row for a reward model: `chosen` beat `rejected`.

    `margin` is 0 to 1, or None when no rule was asked for. `rankings` are the uids that voted
    for it. `k` completions were compared in its group, and `n_pairs` pairs came of them.
    """

    chosen: str
    rejected: str
    margin: float | None
    rankings: tuple[str, ...]
    k: int
    n_pairs: int


@dataclass(slots=True)
class _Votes:
    """What the labelers said about one pair (a, b): the rankings on each side."""

    a: list[Ranking] = field(default_factory=list)
    b: list[Ranking] = field(default_factory=list)
    ties: int = 0

    @property
    def margin(self) -> float:
        """Mean of +1, 0 and -1 over the labelers, from a's side."""
        return (len(self.a) - len(self.b)) / (len(self.a) + len(self.b) + self.ties)


def fold(text: str) -> str:
    """Return what makes two texts the same to a trainer: NFC, without outer white space.

    >>> fold(" caf\u0065\u0301\\n") == fold("caf\u00e9")
    True
    """
    return unicodedata.normalize("NFC", text.strip())


def comparisons(tiers: Tiers) -> Iterator[Comparison]:
    """Yield the C(K, 2) comparisons of a ranking, ties included.

    >>> list(comparisons((("c",), ("a", "b"))))
    [('a', 'c', -1), ('b', 'c', -1), ('a', 'b', 0)]
    """
    for better, worse in combinations(tiers, 2):
        for x in better:
            for y in worse:
                yield (x, y, 1) if x < y else (y, x, -1)
    for tier in tiers:
        for x, y in combinations(sorted(tier), 2):
            yield (x, y, 0)


def counted(rankings: Sequence[Ranking], kinds: Kinds = "human") -> list[Ranking]:
    """Return the current rankings by the wanted kind of labeler, in the order they were made."""
    wanted = current(rankings)
    if kinds == "all":
        return wanted
    return [r for r in wanted if (r.labeler_kind == LabelerKind.MODEL) == (kinds == "model")]


def expand(bundle: Bundle, options: PairOptions, counts: Counter[str]) -> list[Pair]:
    """Return the pairs of one prompt, sorted, and add what happened to `counts`.

    `counts` gains rankings, comparisons, ties, identical, empty, repeated, no_majority, not_chosen
    and pairs. With labels "each" every ranking makes its own pairs; with "majority" a pair goes the
    way more labelers chose, ties count for neither side, and a draw makes no pair.
    """
    rankings = _cleaned(bundle, counted(bundle.rankings, options.labelers), counts)
    if options.labels == "each":
        groups = [[ranking] for ranking in rankings]
    else:
        groups = [rankings] if rankings else []
    heard: set[tuple[str | None, str, str]] = set()
    pairs = [p for group in groups for p in _expand_group(bundle, group, options, heard, counts)]
    counts["pairs"] += len(pairs)
    return pairs


def _cleaned(bundle: Bundle, rankings: Iterable[Ranking], counts: Counter[str]) -> list[Ranking]:
    """Drop blank completions and all but the best placed of identical ones."""
    stand_in, blank = _representatives(bundle.texts())
    result = []
    for ranking in rankings:
        k = ranking.k
        counts["rankings"] += 1
        counts["comparisons"] += k * (k - 1) // 2
        if stand_in or blank:
            ranking = replace(ranking, tiers=_clean_tiers(ranking.tiers, stand_in, blank, counts))
        result.append(ranking)
    return result


def _representatives(texts: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """Map each copy to the first completion with its text, and collect the blank ones."""
    first: dict[str, str] = {}
    stand_in: dict[str, str] = {}
    blank = set()
    for uid, text in texts.items():
        folded = fold(text)
        if not folded:
            blank.add(uid)
        elif first.setdefault(folded, uid) != uid:
            stand_in[uid] = first[folded]
    return stand_in, blank


def _clean_tiers(
    tiers: Tiers, stand_in: Mapping[str, str], blank: set[str], counts: Counter[str]
) -> Tiers:
    placed: set[str] = set()
    result = []
    for tier in tiers:
        kept = []
        for uid in tier:
            name = stand_in.get(uid, uid)
            if uid in blank:
                counts["empty"] += 1
            elif name in placed:
                counts["identical"] += 1
            else:
                placed.add(name)
                kept.append(name)
        if kept:
            result.append(tuple(kept))
    return tuple(result)


def _expand_group(
    bundle: Bundle,
    group: list[Ranking],
    options: PairOptions,
    heard: set[tuple[str | None, str, str]],
    counts: Counter[str],
) -> list[Pair]:
    votes = _tally(group, heard, counts)
    winners = _winners(votes, options, counts)
    chosen = _select(winners, votes, bundle, group, options)
    counts["not_chosen"] += len(winners) - len(chosen)
    k = len({uid for pair in votes for uid in pair})
    return [
        Pair(
            chosen=x,
            rejected=y,
            margin=_margin(x, y, votes, options),
            rankings=tuple(sorted(r.uid for r in winners[x, y])),
            k=k,
            n_pairs=len(chosen),
        )
        for x, y in chosen
    ]


def _tally(
    group: list[Ranking], heard: set[tuple[str | None, str, str]], counts: Counter[str]
) -> dict[tuple[str, str], _Votes]:
    """Collect the votes on each pair; where a labeler judged a pair twice the first counts."""
    votes: dict[tuple[str, str], _Votes] = {}
    for ranking in group:
        for a, b, value in comparisons(ranking.tiers):
            if (ranking.labeler, a, b) in heard:
                counts["repeated"] += 1
                continue
            heard.add((ranking.labeler, a, b))
            vote = votes.setdefault((a, b), _Votes())
            if value > 0:
                vote.a.append(ranking)
            elif value < 0:
                vote.b.append(ranking)
            else:
                vote.ties += 1
                counts["ties"] += 1
    return votes


def _winners(
    votes: Mapping[tuple[str, str], _Votes], options: PairOptions, counts: Counter[str]
) -> dict[tuple[str, str], list[Ranking]]:
    """Map (chosen, rejected) to the rankings that say so, where there is a majority."""
    winners = {}
    for (a, b), vote in votes.items():
        most, least = max(len(vote.a), len(vote.b)), min(len(vote.a), len(vote.b))
        if not most:
            continue
        if most == least or round(most / (most + least), 2) < options.min_majority:
            counts["no_majority"] += 1
        elif len(vote.a) > len(vote.b):
            winners[a, b] = vote.a
        else:
            winners[b, a] = vote.b
    return winners


def _select(
    winners: Mapping[tuple[str, str], object],
    votes: Mapping[tuple[str, str], _Votes],
    bundle: Bundle,
    group: list[Ranking],
    options: PairOptions,
) -> list[tuple[str, str]]:
    ordered = sorted(winners)
    if options.scheme == "all":
        return ordered
    if options.scheme == "random":
        key = (options.seed, bundle.prompt.uid, group[0].uid if options.labels == "each" else "")
        return sorted(shuffled(ordered, "pairs", *key)[: options.random_n])
    place = {uid: i for i, tier in enumerate(consensus_tiers(votes)) for uid in tier}
    span = 1 if options.scheme == "adjacent" else max(place.values(), default=0)
    return [(x, y) for x, y in ordered if place[y] - place[x] == span]


def consensus_tiers(votes: Mapping[tuple[str, str], _Votes]) -> Tiers:
    """Order completions by their mean margin over the pairs they were judged in.

    For one ranking this is the ranking itself; for complete rankings it is Borda's order.
    """
    total: dict[str, float] = {}
    judged: Counter[str] = Counter()
    for (a, b), vote in votes.items():
        total[a] = total.get(a, 0.0) + vote.margin
        total[b] = total.get(b, 0.0) - vote.margin
        judged.update((a, b))
    by_score: dict[float, list[str]] = {}
    for uid in sorted(total):
        by_score.setdefault(round(total[uid] / judged[uid], 9), []).append(uid)
    return tuple(tuple(by_score[score]) for score in sorted(by_score, reverse=True))


def _margin(
    chosen: str, rejected: str, votes: Mapping[tuple[str, str], _Votes], options: PairOptions
) -> float | None:
    if options.margin == "none":
        return None
    vote = votes[min(chosen, rejected), max(chosen, rejected)]
    supporters, others = (vote.a, vote.b) if chosen < rejected else (vote.b, vote.a)
    if options.margin == "votes":
        return (len(supporters) - len(others)) / (len(supporters) + len(others) + vote.ties)
    if options.margin == "rank":
        gaps: list[float | None] = [_rank_gap(r, chosen, rejected) for r in supporters]
    else:
        spans = options.rating_spans
        gaps = [
            _rating_gap(r, chosen, rejected, spans.get(r.guideline or "", 6)) for r in supporters
        ]
    known = [g for g in gaps if g is not None]
    return round(sum(known) / len(known), 6) if known else None


def _rank_gap(ranking: Ranking, chosen: str, rejected: str) -> float:
    """Tiers between the two, as a share of the most there could be with K completions."""
    place = {uid: i for i, tier in enumerate(ranking.tiers) for uid in tier}
    return (place[rejected] - place[chosen]) / (ranking.k - 1)


def _rating_gap(ranking: Ranking, chosen: str, rejected: str, span: int) -> float | None:
    """Points between the two ratings as a share of the scale; 0 where they contradict the order."""
    high, low = ranking.ratings.get(chosen), ranking.ratings.get(rejected)
    if high is None or low is None:
        return None
    return min(1.0, max(0.0, (high - low) / span))


def parse_scheme(text: str) -> tuple[Scheme, int]:
    """Read `all`, `adjacent`, `best-worst` or `random:N`.

    >>> parse_scheme("random:3")
    ('random', 3)
    """
    if text in ("all", "adjacent", "best-worst"):
        return text, 0  # type: ignore[return-value]  # the test narrows it, mypy cannot see it
    name, _, number = text.partition(":")
    if name == "random" and number.isascii() and number.isdigit() and int(number) > 0:
        return "random", int(number)
    raise UsageError(
        f"not a way to choose pairs: {text!r}", hint="--pairs all|adjacent|best-worst|random:N"
    )
