"""Many rankings of a prompt to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from labelkit import plugins
from labelkit.agreement._collect import Collector
from labelkit.agreement._consensus_of_others import half_agreement, others
from labelkit.consensus._merge import (
    Support,
    Weights,
    consensus_ranking,
    consensus_tiers,
    support,
    supporters,
)
from labelkit.consensus.bradley_terry import weights_of
from labelkit.domain.models import Bundle, LabelerKind, Ranking, Tiers
from labelkit.domain.pairs import Kinds, Pair
from labelkit.plugins import ConsensusMethod
from labelkit.services.project import opened
from labelkit.services.selection import Progress, Selection, selected
from labelkit.store.bundles import Parts
from labelkit.store.core import Store

SCHEMA = "labelkit.consensus/1"
DEFAULT = "mean-margin"

_PLACES = Parts(aliases=False, texts=False, sources=False, details=False, skips=False)
"""Rankings are merged by their places alone."""


@dataclass(frozen=True, slots=True)
class Merger:
    """Makes one ranking of a prompt's many, by one method."""

    name: str
    method: ConsensusMethod
    selection: Selection
    weights: Weights

    def tiers(self, rankings: Sequence[Ranking]) -> Tiers | None:
        return consensus_tiers(rankings, self.method, self.weights)

    def merged(self, bundle: Bundle) -> Bundle:
        """Return the bundle with its consensus in place of its rankings, or with none."""
        rankings = self.selection.rankings(bundle)
        tiers = self.tiers(rankings)
        if tiers is None:
            return replace(bundle, rankings=())
        kind = LabelerKind.MODEL if self.selection.kinds == "model" else LabelerKind.HUMAN
        return replace(bundle, rankings=(consensus_ranking(rankings, self.name, tiers, kind),))

    def credited(self, bundle: Bundle, pair: Pair) -> Pair:
        """Return a pair with the rankings that say the same in place of the consensus."""
        voted = supporters(self.selection.rankings(bundle), pair.chosen, pair.rejected)
        return pair._replace(rankings=voted)


def merger(store: Store, name: str, selection: Selection) -> Merger:
    """Return what merges by the method `name`; weighs labelers first where the method wants it."""
    method = plugins.consensus.get(name)
    weights = reliability(store, selection) if method.weighted else {}
    return Merger(name, method, selection, weights)


def export_merger(store: Store, name: str, kinds: Kinds) -> Merger:
    """Return what `export --labels consensus:NAME` merges with."""
    return merger(store, name, Selection(kinds))


def reliability(store: Store, selection: Selection) -> dict[str, float]:
    """Weigh each labeler by leave-one-out agreement with the others, over the whole store."""
    collector = Collector()
    for bundle, rankings in selected(store, selection, parts=_PLACES):
        collector.add(bundle, rankings)
    units = collector.units()
    rows, consensus = others(units.pairs)
    who = units.pairs.labeler[rows]
    agree = np.bincount(
        who, half_agreement(units.pairs.value[rows], consensus), minlength=len(units.labelers)
    )
    n = np.bincount(who, minlength=len(units.labelers))
    found = zip(units.labelers, zip(agree.tolist(), n.tolist(), strict=True), strict=True)
    return weights_of(dict(found))


@dataclass(frozen=True, slots=True)
class PromptConsensus:
    """One prompt's consensus; `tiers` has completions by name, `models` says who wrote them."""

    prompt: str
    uid: str
    tiers: Tiers
    completions: Mapping[str, str]
    labelers: int
    rankings: int
    support: Support

    def text(self) -> str:
        """The consensus in the ranking grammar, by the names that files gave the completions."""
        return " > ".join(" = ".join(tier) for tier in self.named())

    def named(self) -> list[list[str]]:
        """The tiers by those names."""
        return [sorted(self.completions[uid] for uid in tier) for tier in self.tiers]

    def as_json(self) -> dict[str, Any]:
        return {
            "prompt_id": self.prompt,
            "uid": self.uid,
            "tiers": self.named(),
            "labelers": self.labelers,
            "rankings": self.rankings,
            "support": {
                "value": self.support.share,
                "agree": self.support.agree,
                "n": self.support.n,
            },
        }


@dataclass(frozen=True, slots=True)
class ConsensusReport:
    """What `labelkit consensus` says."""

    name: str
    method: ConsensusMethod
    prompts: Sequence[PromptConsensus]
    weights: Weights
    counts: Counter[str]

    def remarks(self) -> list[str]:
        found = []
        if not self.counts["ranked"]:
            found.append("there are no rankings to merge: labelkit rank --as NAME")
        if beyond := self.counts["beyond"]:
            found.append(
                f"left out, with more than the {self.method.most} ranked completions that "
                f"{self.name} can take (try --method ranked-pairs): {beyond:,}"
            )
        if single := self.counts["single"]:
            found.append(f"prompts with one labeler, whose ranking is the consensus: {single:,}")
        return found

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "method": self.name,
            "title": self.method.title,
            "rule": self.method.rule,
            "remarks": self.remarks(),
            "weights": dict(sorted(self.weights.items())),
            "prompts": [p.as_json() for p in self.prompts],
        }


def consensus(
    store: Path,
    method: str = DEFAULT,
    selection: Selection | None = None,
    prompt: str | None = None,
    progress: Progress | None = None,
) -> ConsensusReport:
    """Merge the rankings of every prompt, or of one. Raises UsageError for an unknown method."""
    selection = selection or Selection()
    counts: Counter[str] = Counter()
    with opened(store) as opened_store:
        how = merger(opened_store, method, selection)
        found = list(_each(opened_store, how, prompt, counts, progress))
    return ConsensusReport(method, how.method, found, how.weights, counts)


def _each(
    store: Store, how: Merger, prompt: str | None, counts: Counter[str], progress: Progress | None
) -> Iterator[PromptConsensus]:
    parts = replace(_PLACES, sources=True, aliases=prompt is not None)
    for bundle, rankings in selected(store, how.selection, progress, parts):
        names = (bundle.prompt.uid, bundle.prompt.name, *bundle.prompt.aliases)
        if not rankings or (prompt is not None and prompt not in names):
            continue
        counts["ranked"] += 1
        tiers = how.tiers(rankings)
        if tiers is None:
            placed = {uid for r in rankings for tier in r.tiers for uid in tier}
            counts["beyond"] += how.method.most is not None and len(placed) > how.method.most
            continue
        labelers = len({r.labeler or r.uid for r in rankings})
        counts["single"] += labelers == 1
        yield PromptConsensus(
            prompt=bundle.prompt.name,
            uid=bundle.prompt.uid,
            tiers=tiers,
            completions={c.uid: c.name for c in bundle.completions},
            labelers=labelers,
            rankings=len(rankings),
            support=support(rankings, tiers),
        )
