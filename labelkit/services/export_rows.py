"""From one bundle to rows: pure, so that any range of prompts can be worked on anywhere.

What is counted on the way adds up whatever the cut: counters, and a digest that is a sum.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from labelkit.domain import units
from labelkit.domain.asked import Asked, Measure, fitted
from labelkit.domain.decisions import in_words, settled
from labelkit.domain.leaks import leak_key, prompt_text
from labelkit.domain.lengths import estimated_tokens
from labelkit.domain.models import Bundle, current
from labelkit.domain.pairs import Judged, Pair, counted, expand
from labelkit.domain.splits import SplitPlan, split_of
from labelkit.domain.withheld import UNDECIDED, withheld
from labelkit.plugins import Stage
from labelkit.services.export_options import RANKED, ExportOptions

_DIGEST_SPACE = 1 << 256
_ALL = SplitPlan()


@dataclass(slots=True)
class Books:
    """What an export counted. Two of them add up.

    `undecided` names the prompts that were left out because of PII hints nobody decided about.
    """

    counts: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    flattened: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    labelers: Counter[tuple[str, str]] = field(default_factory=Counter)
    guidelines: Counter[str] = field(default_factory=Counter)
    seconds: Counter[int] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    digest: int = 0

    def add(self, other: Books) -> None:
        for name in self.__slots__:
            if name != "digest":
                getattr(self, name).update(getattr(other, name))
        self.digest = (self.digest + other.digest) % _DIGEST_SPACE


class BundleMerger(Protocol):
    """Puts one consensus in place of a bundle's rankings, and knows whose it is."""

    def merged(self, bundle: Bundle) -> Bundle: ...

    def credited(self, bundle: Bundle, pair: Pair) -> Pair: ...


@dataclass(frozen=True, slots=True)
class Work:
    """One export's way from a bundle to rows.

    `twins` maps the leak key of a prompt that is in the store more than once, and would fall into
    different splits, to the split that keeps it.
    """

    options: ExportOptions
    stage: Stage
    twins: Mapping[int, str] = field(default_factory=dict)
    measure: Measure = estimated_tokens
    merger: BundleMerger | None = None

    def rows(self, bundle: Bundle, books: Books) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield (split, prompt uid, row) and keep the books."""
        uid = bundle.prompt.uid
        for asked, item in self.items(bundle, books):
            books.rows[asked.split] += 1
            yield asked.split, uid, self.row(asked, item)

    def items(self, bundle: Bundle, books: Books) -> Iterator[tuple[Asked, Any]]:
        """Yield what becomes a row: the prompt as it is asked, and what is said to it."""
        begun = self.begun(bundle, books)
        if begun is None:
            return
        split, bundle = begun
        if self.options.format == "records":
            for name in ("completions", "demonstrations", "rankings", "skips"):
                books.counts[name] += len(getattr(bundle, name))
            yield Asked(bundle, bundle.prompt.messages, split), bundle
            return
        judged = self.merger.merged(bundle) if self.merger else bundle
        for asked, items in self._units(judged, split, books):
            for item in items:
                if self.merger and isinstance(item, Pair):
                    item = self.merger.credited(bundle, item)
                books.lengths[self._length(asked, item)] += 1
                yield asked, item

    def begun(self, bundle: Bundle, books: Books) -> tuple[str, Bundle] | None:
        """Enter a prompt in the books and return its split and what rows are made of.

        None where the prompt is left out.
        """
        books.digest = (books.digest + _identity(bundle)) % _DIGEST_SPACE
        split = self._split(bundle, books)
        if split is None:
            return None
        books.counts["prompts"] += 1
        if self.options.format in RANKED:
            self._note_labelers(bundle, books)
        if self.options.format != "records" and bundle.prompt.decisions:
            bundle = replace(bundle, prompt=settled(bundle.prompt))
        return split, bundle

    def _split(self, bundle: Bundle, books: Books) -> str | None:
        prompt = settled(bundle.prompt)
        split = split_of(prompt, self.options.split or _ALL)
        if self.options.format == "records":
            return split
        if (why := withheld(prompt, split, allow_pii=self.options.allow_pii)) is not None:
            books.counts[why] += 1
            if why == UNDECIDED:
                books.undecided[prompt.name] += 1
            return None
        if self.twins and self.twins.get(leak_key(prompt_text(prompt.messages)), split) != split:
            books.counts["twins"] += 1
            return None
        return split

    def _note_labelers(self, bundle: Bundle, books: Books) -> None:
        for ranking in counted(bundle.rankings, self.options.pairs.labelers):
            books.labelers[ranking.labeler or "", str(ranking.labeler_kind)] += 1
            books.guidelines[ranking.guideline or ""] += 1
            if ranking.seconds is not None:
                books.seconds[round(ranking.seconds)] += 1

    def _units(
        self, bundle: Bundle, split: str, books: Books
    ) -> Iterator[tuple[Asked, Iterable[Any]]]:
        """Yield each prompt a row can hold with the items that become its rows."""
        if self.options.format == "sft":
            examples = units.examples(bundle, books.counts)
            for messages, example in examples:
                if asked := self.asked(bundle, messages, split, books):
                    yield asked, [example]
            if examples:
                return
        items = self._items(bundle, books)
        if items and (asked := self.asked(bundle, bundle.prompt.messages, split, books)):
            yield asked, items

    def asked(self, bundle: Bundle, messages: Any, split: str, books: Books) -> Asked | None:
        """Return a prompt as its rows quote it, or None where they cannot say it."""
        if (why := units.unfit_prompt(messages, self.options.pairs)) is not None:
            books.counts[why] += 1
            return None
        carries, flatten = self.stage.carries, self.options.flatten
        fit, reasons = fitted(messages, carries, flatten=flatten)
        if reasons:
            (books.refused if fit is None else books.flattened).update(reasons)
        return None if fit is None else Asked(bundle, fit, split)

    def _items(self, bundle: Bundle, books: Books) -> list[Any]:
        how, counts = self.options.pairs, books.counts
        match self.options.format:
            case "sft":
                return units.answers(bundle, how, self.options.answers, counts)
            case "kto":
                return units.judged(bundle, how, self.options.kto_rule, counts)
            case "prompts":
                return [None]
            case "rankings":
                ties, flatten = self.stage.carries.ties, self.options.flatten
                return list(units.rankings(bundle, how, counts, ties=ties, flatten=flatten))
        return expand(bundle, how, counts)

    def row(self, asked: Asked, item: Any) -> dict[str, Any]:
        """Return the row of one item, with the columns that every dialect may be given."""
        row = self.shaped(asked, item)
        return row | self.own_columns(asked, item) if isinstance(item, Pair) else row

    def shaped(self, asked: Asked, item: Any) -> dict[str, Any]:
        """Return what the stage makes of an item, and whose it is."""
        row = self.stage.row(asked, item)
        if self.stage.extras:
            row["prompt_id"] = asked.prompt.name
            if self.options.format == "rankings":
                row["ranking_id"] = item.uid
        return row

    def own_columns(self, asked: Asked, pair: Pair) -> dict[str, Any]:
        """Return what only this one of a prompt's pairs says, beside its texts."""
        if not self.stage.extras:
            return {}
        margin = {} if pair.margin is None else {"margin": pair.margin}
        return margin | group_columns(asked, pair) if self.options.by_group else margin

    def _length(self, asked: Asked, item: Any) -> int:
        """The prompt and the longest text that is learned from with it."""
        prompt = asked.size(self.measure)
        if item is None:
            return prompt
        if isinstance(item, Pair):
            return prompt + max(
                asked.size_of(item.chosen, self.measure),
                asked.size_of(item.rejected, self.measure),
            )
        if isinstance(item, Judged):
            return prompt + asked.size_of(item.completion, self.measure)
        if isinstance(item, units.Answer):
            return prompt + self.measure(item.text)
        return prompt + max(asked.size_of(c, self.measure) for tier in item.tiers for c in tier)


def group_columns(asked: Asked, pair: Pair) -> dict[str, Any]:
    """What a listwise loss needs to know about the pairs that came of one group of rankings."""
    return {
        "pair_id": units.pair_id(asked.prompt.uid, pair),
        "ranking_id": pair.group,
        "k": pair.k,
        "n_pairs": pair.n_pairs,
        "weight": pair.weight,
    }


def _identity(bundle: Bundle) -> int:
    """A number made of the uids of everything that could have shaped a row."""
    labels = [x.uid for x in (*current(bundle.rankings), *current(bundle.demonstrations))]
    names = [bundle.prompt.uid, *[c.uid for c in bundle.completions], *sorted(labels)]
    names += in_words(bundle.prompt)
    return int.from_bytes(hashlib.sha256("\n".join(names).encode()).digest(), "big")
