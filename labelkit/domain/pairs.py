"""Rankings to comparisons to (chosen, rejected) pairs.

A ranking of K placed completions holds C(K, 2) comparisons. A tie is a comparison but never a
pair (InstructGPT, arXiv 2203.02155, C.2: "ties were dropped"). Completions whose texts are equal
after NFC and strip are one completion here; blank ones, and those that hold a chat template's own
tokens, are none: neither may reach a trainer.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal, NamedTuple

from labelkit.domain.canonical import uid_of
from labelkit.domain.models import AnyLabel, Bundle, LabelerKind, Ranking, Tiers, current
from labelkit.domain.shuffle import shuffled
from labelkit.domain.template_tokens import has_template_tokens

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
    With labels `each`, what two rankings say in opposite directions is left out both ways unless
    `keep_contradictions` is set. A completion that holds one of the `markers` is left out.
    """

    scheme: Scheme = "all"
    random_n: int = 0
    labels: LabelRule = "majority"
    min_majority: float = 0.0
    margin: MarginRule = "none"
    labelers: Kinds = "human"
    seed: str = ""
    rating_spans: Mapping[str, int] = field(default_factory=dict)
    keep_contradictions: bool = False
    keep_template_tokens: bool = False
    markers: tuple[str, ...] = ()


class Pair(NamedTuple):
    """One row for a reward model: `chosen` beat `rejected`.

    `margin` is 0 to 1, or None when no rule was asked for. `rankings` are the uids that voted
    for it. `k` completions were compared in its `group`, and `n_pairs` pairs came of them.
    """

    chosen: str
    rejected: str
    margin: float | None
    rankings: tuple[str, ...]
    group: str
    k: int
    n_pairs: int

    @property
    def weight(self) -> float:
        """InstructGPT's normaliser 1 / C(K, 2) (arXiv 2203.02155, equation 1)."""
        return round(2 / (self.k * (self.k - 1)), 9)


class Judged(NamedTuple):
    """One completion that stands on its own: wanted or not, by its tier in its `group`."""

    completion: str
    label: bool
    rankings: tuple[str, ...]
    group: str


@dataclass(slots=True)
class Votes:
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
    bare = text.strip()
    return bare if bare.isascii() else unicodedata.normalize("NFC", bare)


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


def counted(labels: Sequence[AnyLabel], kinds: Kinds = "human") -> list[AnyLabel]:
    """Return the current labels by the wanted kind of labeler, in the order they were made."""
    wanted = current(labels)
    if kinds == "all":
        return wanted
    return [x for x in wanted if (x.labeler_kind == LabelerKind.MODEL) == (kinds == "model")]


def expand(bundle: Bundle, options: PairOptions, counts: Counter[str]) -> list[Pair]:
    """Return the pairs of one prompt, sorted, and add what happened to `counts`.

    `counts` gains rankings, comparisons, ties, identical, empty, template_tokens, marker, repeated,
    no_majority, contradictory, not_chosen, no_margin (no ratings to make one of) and pairs. With
    labels "each" every ranking makes its own pairs; with "majority" a pair goes the way more
    labelers chose, ties count for neither side, and a draw makes no pair.
    """
    groups = vote_groups(bundle, options, counts)
    winners = [_winners(votes, options, counts) for _, votes in groups]
    if not options.keep_contradictions and len(groups) > 1:
        winners = _without_contradictions(winners, counts)
    pairs = [
        pair
        for (rankings, votes), won in zip(groups, winners, strict=True)
        for pair in _pairs_of_group(bundle, rankings, votes, won, options, counts)
    ]
    counts["pairs"] += len(pairs)
    return pairs


Group = tuple[list[Ranking], dict[tuple[str, str], Votes]]


def vote_groups(bundle: Bundle, options: PairOptions, counts: Counter[str]) -> list[Group]:
    """Return the rankings that count together, with their votes on each pair (a, b), a < b."""
    rankings = cleaned(bundle, options, counts)
    if options.labels == "each":
        groups = [[ranking] for ranking in rankings]
    else:
        groups = [rankings] if rankings else []
    heard: set[tuple[str | None, str, str]] = set()
    return [(group, _tally(group, heard, counts)) for group in groups]


def group_id(rankings: Sequence[Ranking]) -> str:
    """Name a group: the ranking's own uid, or one made from those of all its rankings."""
    if len(rankings) == 1:
        return rankings[0].uid
    return uid_of("group", sorted(r.uid for r in rankings))


def cleaned(bundle: Bundle, options: PairOptions, counts: Counter[str]) -> list[Ranking]:
    """The rankings that count, without completions that no trainer may see."""
    unfit = unfit_texts(bundle.texts(), options)
    result = []
    for ranking in counted(bundle.rankings, options.labelers):
        k = ranking.k
        counts["rankings"] += 1
        counts["comparisons"] += k * (k - 1) // 2
        if unfit:
            ranking = replace(ranking, tiers=_clean_tiers(ranking.tiers, unfit, counts))
        result.append(ranking)
    return result


class Unfit(NamedTuple):
    """Why a completion may not stay, and which one, if any, stands for it."""

    why: Literal["identical", "empty", "template_tokens", "marker"]
    stand_in: str | None = None


def unfit_texts(texts: Mapping[str, str], options: PairOptions) -> dict[str, Unfit]:
    """Map each completion that no trainer may see to the reason; copies go to the first of them."""
    first: dict[str, str] = {}
    unfit = {}
    for uid, text in texts.items():
        if why := unfit_text(text, options):
            unfit[uid] = Unfit(why)
        elif (same := first.setdefault(fold(text), uid)) != uid:
            unfit[uid] = Unfit("identical", same)
    return unfit


def unfit_text(
    text: str, options: PairOptions
) -> Literal["empty", "template_tokens", "marker"] | None:
    """Return what keeps one text from every trainer, or None."""
    if not text.strip():
        return "empty"
    if not options.keep_template_tokens and has_template_tokens(text):
        return "template_tokens"
    if options.markers and any(mark in text for mark in options.markers):
        return "marker"
    return None


def _clean_tiers(tiers: Tiers, unfit: Mapping[str, Unfit], counts: Counter[str]) -> Tiers:
    """Every reason is counted, but for a copy that is the only one of its kind in the ranking."""
    placed: set[str] = set()
    result = []
    for tier in tiers:
        kept = []
        for uid in tier:
            found = unfit.get(uid)
            name = found.stand_in if found else uid
            if name is None or name in placed:
                counts[found.why if found else "identical"] += 1
            else:
                placed.add(name)
                kept.append(name)
        if kept:
            result.append(tuple(kept))
    return tuple(result)


def _pairs_of_group(
    bundle: Bundle,
    group: list[Ranking],
    votes: Mapping[tuple[str, str], Votes],
    winners: Mapping[tuple[str, str], list[Ranking]],
    options: PairOptions,
    counts: Counter[str],
) -> list[Pair]:
    selected = _select(winners, votes, bundle, group, options)
    counts["not_chosen"] += len(winners) - len(selected)
    margins = {pair: _margin(*pair, votes, options) for pair in selected}
    if options.margin != "none":
        chosen = [pair for pair in selected if margins[pair] is not None]
        counts["no_margin"] += len(selected) - len(chosen)
        selected = chosen
    if not selected:
        return []
    k = len({uid for pair in votes for uid in pair})
    name = group_id(group)
    return [
        Pair(
            chosen=x,
            rejected=y,
            margin=margins[x, y],
            rankings=tuple(sorted(r.uid for r in winners[x, y])),
            group=name,
            k=k,
            n_pairs=len(selected),
        )
        for x, y in selected
    ]


def _tally(
    group: list[Ranking], heard: set[tuple[str | None, str, str]], counts: Counter[str]
) -> dict[tuple[str, str], Votes]:
    """Collect the votes on each pair; where a labeler judged a pair twice the first counts."""
    votes: dict[tuple[str, str], Votes] = {}
    for ranking in group:
        for a, b, value in comparisons(ranking.tiers):
            if (ranking.labeler, a, b) in heard:
                counts["repeated"] += 1
                continue
            heard.add((ranking.labeler, a, b))
            vote = votes.setdefault((a, b), Votes())
            if value > 0:
                vote.a.append(ranking)
            elif value < 0:
                vote.b.append(ranking)
            else:
                vote.ties += 1
                counts["ties"] += 1
    return votes


def _winners(
    votes: Mapping[tuple[str, str], Votes], options: PairOptions, counts: Counter[str]
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


def _without_contradictions(
    winners: Sequence[dict[tuple[str, str], list[Ranking]]], counts: Counter[str]
) -> list[dict[tuple[str, str], list[Ranking]]]:
    """Leave out, both ways, what one group says one way and another the other way."""
    said = {pair for won in winners for pair in won}
    clean = [{(x, y): w for (x, y), w in won.items() if (y, x) not in said} for won in winners]
    counts["contradictory"] += sum(map(len, winners)) - sum(map(len, clean))
    return clean


def _select(
    winners: Mapping[tuple[str, str], object],
    votes: Mapping[tuple[str, str], Votes],
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


def consensus_tiers(votes: Mapping[tuple[str, str], Votes]) -> Tiers:
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
    chosen: str, rejected: str, votes: Mapping[tuple[str, str], Votes], options: PairOptions
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
