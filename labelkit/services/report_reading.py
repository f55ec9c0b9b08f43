"""What a report counts by itself: work by week, sizes by split and source, flags by model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from labelkit.agreement._collect import FlagsOf
from labelkit.agreement._effects import Effects
from labelkit.agreement._habits import Share
from labelkit.domain.lengths import estimated_tokens
from labelkit.domain.models import Bundle, Label, Ranking
from labelkit.domain.splits import SplitPlan, split_of
from labelkit.services.selection import NOT_SAID, Selection, week_of


@dataclass
class Size:
    """What one split holds from one source."""

    prompts: int = 0
    with_demonstrations: int = 0
    demonstrations: int = 0
    with_rankings: int = 0
    rankings: int = 0
    users: set[str] = field(default_factory=set)
    by_user: int = 0

    def add(self, other: Size) -> None:
        self.prompts += other.prompts
        self.with_demonstrations += other.with_demonstrations
        self.demonstrations += other.demonstrations
        self.with_rankings += other.with_rankings
        self.rankings += other.rankings
        self.users |= other.users
        self.by_user += other.by_user


@dataclass
class Read:
    """Everything in the store, counted once. Keys are as the store has them."""

    plan: SplitPlan
    flags_of: FlagsOf
    effects: Effects = field(default_factory=Effects)
    counts: Counter[str] = field(default_factory=Counter)
    weeks: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    skips: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sizes: dict[tuple[str, str], Size] = field(default_factory=lambda: defaultdict(Size))
    use_cases: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    lengths: dict[tuple[str, str], Counter[int]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    flags: dict[str, dict[str, Share]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Share))
    )
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    labelers: set[str] = field(default_factory=set)
    last: str = ""

    def add(self, bundle: Bundle, rankings: Sequence[Ranking], selection: Selection) -> None:
        """Count one prompt with the rankings of it that count."""
        demonstrations = selection.labels(bundle.demonstrations)
        skips = selection.labels(bundle.skips)
        self.counts["prompts"] += 1
        self.counts["completions"] += len(bundle.completions)
        self._add_work("rankings", rankings)
        self._add_work("demonstrations", demonstrations)
        self._seen("skips", skips)
        for skip in skips:
            self.skips[skip.reason][skip.labeler or NOT_SAID] += 1
        source = bundle.prompt.source or NOT_SAID
        self._add_size(bundle, source, len(demonstrations), len(rankings))
        use_case = self.use_cases[bundle.prompt.use_case or NOT_SAID]
        use_case.update(prompts=1, demonstrations=len(demonstrations), rankings=len(rankings))
        asked = "\n".join(m.content for m in bundle.prompt.messages)
        self.lengths["prompts", source][estimated_tokens(asked)] += 1
        for demonstration in demonstrations:
            self.lengths["demonstrations", source][estimated_tokens(demonstration.text)] += 1
        self._add_rankings(bundle, rankings)

    def _add_work(self, kind: str, labels: Sequence[Label]) -> None:
        self._seen(kind, labels)
        for label in labels:
            self.weeks[week_of(label.submitted_at)][kind] += 1

    def _seen(self, kind: str, labels: Sequence[Label]) -> None:
        self.counts[kind] += len(labels)
        self.labelers.update(x.labeler for x in labels if x.labeler)
        self.last = max([self.last, *(x.submitted_at or "" for x in labels)])

    def _add_size(self, bundle: Bundle, source: str, demonstrations: int, rankings: int) -> None:
        user = bundle.prompt.user
        self.sizes[split_of(bundle.prompt, self.plan), source].add(
            Size(
                prompts=1,
                with_demonstrations=demonstrations > 0,
                demonstrations=demonstrations,
                with_rankings=rankings > 0,
                rankings=rankings,
                users={user} if user else set(),
                by_user=user is not None,
            )
        )

    def _add_rankings(self, bundle: Bundle, rankings: Iterable[Ranking]) -> None:
        lengths = {c.uid: len(c.text) for c in bundle.completions}
        models = {c.uid: {s.model for s in c.sources if s.model} for c in bundle.completions}
        for ranking in rankings:
            self.effects.add(self.counts["prompts"], ranking, lengths)
            if ranking.seconds is not None and ranking.labeler:
                self.seconds[ranking.labeler].append(ranking.seconds)
            known = self.flags_of(ranking.guideline)
            for uid in ranking.judged:
                raised = ranking.flags.get(uid, ())
                for flag in known if known is not None else raised:
                    for model in models[uid]:
                        self.flags[model][flag].add(flag in raised)
