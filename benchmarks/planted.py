"""Planted orders: how well does each consensus method find a truth that labelers see through noise?

Labelers differ: each sees the true worth of a completion plus noise of a size of their own. A
method gets what labelers said about each prompt, and is scored by tau-b with the planted order.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

import numpy as np

from labelkit import plugins
from labelkit.agreement._collect import Collector
from labelkit.agreement._consensus_of_others import half_agreement, others
from labelkit.agreement.kendall_tau_b import kendall_tau_b
from labelkit.consensus._merge import consensus_tiers
from labelkit.consensus.bradley_terry import weights_of
from labelkit.domain.models import Bundle, Completion, Message, Prompt, Ranking, Tiers

NOISE = {"low": 0.5, "medium": 1.0, "high": 2.0}
SEEDS = range(12)
PROMPTS, LABELERS, OVERLAP = 300, 12, 5
UNWEIGHTED = "bradley-terry, unweighted"
TIE_WITHIN = 0.15


@dataclass(frozen=True)
class World:
    """Prompts with rankings, and the order that was planted in each."""

    bundles: list[Bundle]
    truth: list[dict[str, float]]


def world(noise: float, seed: int) -> World:
    chance = random.Random(seed)
    sizes = [noise * chance.lognormvariate(0, 0.8) for _ in range(LABELERS)]
    bundles, truth = [], []
    for p in range(PROMPTS):
        worth = {f"{p}-{i}": chance.gauss(0, 1) for i in range(chance.randint(4, 9))}
        who = chance.sample(range(LABELERS), OVERLAP)
        rankings = tuple(_ranking(f"{p}:{w}", w, worth, sizes[w], chance) for w in who)
        completions = tuple(Completion(uid, uid) for uid in worth)
        prompt = Prompt(f"p{p}", (Message("user", "?"),))
        bundles.append(Bundle(prompt, completions, rankings=rankings))
        truth.append(worth)
    return World(bundles, truth)


def _ranking(
    uid: str, who: int, worth: Mapping[str, float], size: float, chance: random.Random
) -> Ranking:
    seen = {name: value + chance.gauss(0, size) for name, value in worth.items()}
    order = sorted(seen, key=seen.__getitem__, reverse=True)
    tiers = [[order[0]]]
    for better, worse in pairwise(order):
        if seen[better] - seen[worse] < TIE_WITHIN:
            tiers[-1].append(worse)
        else:
            tiers.append([worse])
    return Ranking(uid=uid, labeler=f"labeler-{who}", tiers=tuple(map(tuple, tiers)))


def reliability(bundles: list[Bundle]) -> dict[str, float]:
    collector = Collector()
    for bundle in bundles:
        collector.add(bundle, bundle.rankings)
    units = collector.units()
    rows, consensus = others(units.pairs)
    who = units.pairs.labeler[rows]
    agree = np.bincount(who, half_agreement(units.pairs.value[rows], consensus))
    found = zip(agree.tolist(), np.bincount(who).tolist(), strict=True)
    return weights_of(dict(zip(units.labelers, found, strict=True)))


def tau(tiers: Tiers | None, worth: Mapping[str, float]) -> float:
    place = {uid: i for i, tier in enumerate(tiers or ()) for uid in tier}
    found = kendall_tau_b([-place[uid] for uid in worth], list(worth.values()))
    return found or 0.0


def scores(noise: float, seed: int) -> dict[str, float]:
    """Return each method's mean tau-b over the prompts of one world."""
    made = world(noise, seed)
    weights = reliability(made.bundles)
    pairs = list(zip(made.bundles, made.truth, strict=True))
    methods = {name: plugins.consensus.get(name) for name in plugins.consensus.names()}
    found = {
        name: fmean(tau(consensus_tiers(b.rankings, method, weights), t) for b, t in pairs)
        for name, method in methods.items()
    }
    plain = methods["bradley-terry"]
    found[UNWEIGHTED] = fmean(tau(consensus_tiers(b.rankings, plain), t) for b, t in pairs)
    found["one labeler"] = fmean(tau(b.rankings[0].tiers, t) for b, t in pairs)
    return found


def table() -> list[str]:
    """Return the report, line by line, and who wins by how much."""
    lines = [
        f"tau-b with the planted order; {PROMPTS} prompts of K 4-9, {OVERLAP} of {LABELERS} "
        f"labelers each, {len(SEEDS)} seeds; ± is the standard error of the mean over seeds"
    ]
    for level, noise in NOISE.items():
        runs = [scores(noise, seed) for seed in SEEDS]
        means = {name: fmean(r[name] for r in runs) for name in runs[0]}
        lines += ["", f"{level} noise"]
        for name in sorted(means, key=means.__getitem__, reverse=True):
            error = stdev(r[name] for r in runs) / len(runs) ** 0.5
            lines.append(f"  {name:28} {means[name]:.3f} ± {error:.3f}")
        lines.append("  " + _verdict(runs, means))
    return lines


def _verdict(runs: list[dict[str, float]], means: dict[str, float]) -> str:
    """The weighted method against the best unweighted one, seed by seed."""
    plain = {n: m for n, m in means.items() if n not in ("bradley-terry", "one labeler")}
    rival = max(plain, key=plain.__getitem__)
    gains = [r["bradley-terry"] - r[rival] for r in runs]
    wins = sum(g > 0 for g in gains)
    error = stdev(gains) / len(gains) ** 0.5
    return (
        f"weighting gains {fmean(gains):+.3f} ± {error:.3f} over the best unweighted method "
        f"({rival}); better on {wins} of {len(runs)} seeds"
    )


if __name__ == "__main__":
    print("\n## Consensus of planted orders\n\n```text", *table(), "```", sep="\n")
