"""One ranking out of a prompt's many, ready to stand in for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labelkit.consensus._votes import votes_of
from labelkit.domain.canonical import uid_of
from labelkit.domain.models import K_LEAST, Ranking, Tiers
from labelkit.domain.pairs import comparisons
from labelkit.plugins import ConsensusMethod

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Support:
    """How many of the labelers' preferences go the way of the consensus: `agree` of `n`."""

    agree: int
    n: int

    @property
    def share(self) -> float | None:
        return self.agree / self.n if self.n else None


def consensus_tiers(
    rankings: Sequence[Ranking], method: ConsensusMethod, weights: Weights | None = None
) -> Tiers | None:
    """Return the consensus of rankings of one prompt, given in the order they were made.

    None where they place fewer than two completions, or more than the method can take.
    """
    votes = votes_of(rankings, weights if method.weighted else None)
    k = len(votes.items)
    if k < K_LEAST or (method.most is not None and k > method.most):
        return None
    return tuple(tuple(sorted(tier)) for tier in method.order(votes))


def support(rankings: Sequence[Ranking], tiers: Tiers) -> Support:
    """Count the preferences that `tiers` follow, over pairs that they put in an order."""
    ordered = {(a, b): value for a, b, value in comparisons(tiers) if value}
    agree = n = 0
    for ranking in rankings:
        for a, b, value in comparisons(ranking.tiers):
            if value and (a, b) in ordered:
                n += 1
                agree += value == ordered[a, b]
    return Support(agree, n)


def consensus_ranking(
    rankings: Sequence[Ranking], method_name: str, tiers: Tiers, kind: str
) -> Ranking:
    """Return `tiers` as a ranking that names, by its uid, the method and what it was made from."""
    made_from = sorted(ranking.uid for ranking in rankings)
    uid = uid_of("consensus", [method_name, made_from])
    return Ranking(uid=uid, labeler_kind=kind, tiers=tiers, origin=f"consensus:{method_name}")


def supporters(rankings: Sequence[Ranking], chosen: str, rejected: str) -> tuple[str, ...]:
    """Return the uids of the rankings that put `chosen` above `rejected`."""
    found = []
    for ranking in rankings:
        place = {uid: i for i, tier in enumerate(ranking.tiers) for uid in tier}
        if {chosen, rejected} <= place.keys() and place[chosen] < place[rejected]:
            found.append(ranking.uid)
    return tuple(sorted(found))
