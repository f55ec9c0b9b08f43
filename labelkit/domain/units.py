"""What a bundle holds for each training stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from labelkit.domain.asked import few_shot_examples
from labelkit.domain.canonical import uid_of
from labelkit.domain.models import K_LEAST, Bundle, Message, PromptKind, Ranking, Tiers
from labelkit.domain.pairs import (
    Judged,
    Pair,
    PairOptions,
    cleaned,
    consensus_tiers,
    counted,
    fold,
    group_id,
    unfit_text,
    vote_groups,
)
from labelkit.domain.template_tokens import has_template_tokens

AnswerRule = Literal["demonstrations", "best", "both"]
KtoRule = Literal["best-worst", "halves"]


class Answer(NamedTuple):
    """One completion to learn from. `labels` are the uids of the labels that speak for it.

    `completion` is its uid where it is one of the prompt's completions.
    """

    text: str
    origin: Literal["demonstration", "best", "example"]
    labels: tuple[str, ...] = ()
    completion: str | None = None


def answers(
    bundle: Bundle, options: PairOptions, rule: AnswerRule, counts: Counter[str]
) -> list[Answer]:
    """Return the texts to learn from: demonstrations, the best-ranked completion, or both.

    `both` takes the best-ranked completion only where there is no demonstration.
    """
    found = [] if rule == "best" else list(_demonstrations(bundle, options, counts))
    if rule == "best" or (rule == "both" and not found):
        found = _best(bundle, options, counts)
    return found


def _demonstrations(bundle: Bundle, options: PairOptions, counts: Counter[str]) -> Iterator[Answer]:
    """Yield the current demonstrations, each text once."""
    seen: set[str] = set()
    for demonstration in counted(bundle.demonstrations, options.labelers):
        counts["demonstrations"] += 1
        folded = fold(demonstration.text)
        if why := unfit_text(demonstration.text, options):
            counts[why] += 1
        elif folded in seen:
            counts["duplicates"] += 1
        else:
            seen.add(folded)
            yield Answer(demonstration.text, "demonstration", (demonstration.uid,))


def _best(bundle: Bundle, options: PairOptions, counts: Counter[str]) -> list[Answer]:
    """The completion at the top of all rankings together; of a tie, the better rated, then one."""
    merged = replace(options, labels="majority")
    for rankings, votes in vote_groups(bundle, merged, Counter()):
        tiers = consensus_tiers(votes)
        if len(tiers) > 1:
            best = min(tiers[0], key=lambda uid: (-_mean_rating(uid, rankings), uid))
            counts["best"] += 1
            labels = tuple(sorted(r.uid for r in rankings))
            return [Answer(bundle.texts()[best], "best", labels, best)]
    return []


def _mean_rating(uid: str, rankings: Sequence[Ranking]) -> float:
    ratings = [r.ratings[uid] for r in rankings if uid in r.ratings]
    return sum(ratings) / len(ratings) if ratings else 0.0


def examples(bundle: Bundle, counts: Counter[str]) -> list[tuple[list[Message], Answer]]:
    """Return the K examples of a few-shot prompt that asks nothing: (messages, answer) each."""
    prompt = bundle.prompt
    if prompt.kind != PromptKind.FEW_SHOT or prompt.messages[-1].role != "assistant":
        return []
    found = few_shot_examples(prompt.messages)
    counts["examples"] += len(found)
    return [(messages, Answer(text, "example")) for messages, text in found]


def judged(
    bundle: Bundle, options: PairOptions, rule: KtoRule, counts: Counter[str]
) -> list[Judged]:
    """Return single completions as wanted or unwanted, sorted, by their tier.

    `best-worst` takes the first tier as wanted, the last as unwanted and leaves the rest out;
    `halves` takes every tier, above the middle or below it, and leaves out the one in the middle.
    With labels "each", a completion that one ranking wants and another does not is left out unless
    contradictions are kept.
    """
    found = []
    for rankings, votes in vote_groups(bundle, options, counts):
        tiers = consensus_tiers(votes)
        if len(tiers) < 2:
            counts["undecided"] += 1
            continue
        uids, group = tuple(sorted(r.uid for r in rankings)), group_id(rankings)
        labels = _labels(tiers, rule)
        found += [Judged(c, label, uids, group) for c, label in sorted(labels.items())]
    if not options.keep_contradictions:
        said = {(j.completion, j.label) for j in found}
        clean = [j for j in found if (j.completion, not j.label) not in said]
        counts["contradictory"] += len(found) - len(clean)
        found = clean
    for j in found:
        counts["desirable" if j.label else "undesirable"] += 1
    return found


def _labels(tiers: Tiers, rule: KtoRule) -> dict[str, bool]:
    if rule == "best-worst":
        tiers = (tiers[0], tiers[-1])
    middle = (len(tiers) - 1) / 2
    return {uid: i < middle for i, tier in enumerate(tiers) if i != middle for uid in tier}


def rankings(
    bundle: Bundle, options: PairOptions, counts: Counter[str], *, ties: bool, flatten: bool
) -> Iterator[Ranking]:
    """Yield the rankings that still place two completions, without silent repeats.

    Where `ties` cannot be said, a ranking with one is left out, or keeps one completion of each
    tier when flattening was asked for.
    """
    for ranking in cleaned(bundle, options, counts):
        if ranking.repeat:
            counts["repeated"] += 1
            continue
        tied = ranking.k > len(ranking.tiers)
        if tied and not ties:
            counts["ties_flattened" if flatten else "ties_refused"] += 1
            if not flatten:
                continue
            ranking = replace(ranking, tiers=tuple((min(tier),) for tier in ranking.tiers))
        if ranking.k < K_LEAST:
            counts["too_few"] += 1
        else:
            yield ranking


def unfit_prompt(messages: Sequence[Message], options: PairOptions) -> str | None:
    """Return the count under which a prompt that no trainer may see is left out, or None."""
    if options.keep_template_tokens or not any(has_template_tokens(m.content) for m in messages):
        return None
    return "prompts_with_template_tokens"


def pair_id(prompt: str, pair: Pair) -> str:
    """Name a pair by its prompt and what beat what, whoever said so."""
    return uid_of("pair", [prompt, pair.chosen, pair.rejected])
