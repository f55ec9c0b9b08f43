"""From bundles to columns: read once, then every statistic and every group is cut from them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from labelkit.agreement._arrays import Bools, Ints
from labelkit.agreement._judging import judge
from labelkit.agreement._units import Answers, Flags, Rankings, Units
from labelkit.domain.models import Bundle, Ranking, Tiers

FlagsOf = Callable[[str | None], frozenset[str] | None]
"""The flags that a guideline has; None where nobody knows its text."""

UNRANKED = -1


class Columns:
    """Growing columns of whole numbers."""

    def __init__(self, *names: str) -> None:
        self._columns = {name: array("q") for name in names}

    def __getitem__(self, name: str) -> array[int]:
        return self._columns[name]

    def add(self, *row: int) -> None:
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def numpy(self) -> dict[str, Ints]:
        """Return the columns as arrays that share their memory."""
        return {name: np.frombuffer(c, dtype=np.int64) for name, c in self._columns.items()}


def no_flags(_: str | None) -> frozenset[str] | None:
    return None


@dataclass
class Collector:
    """Takes bundles in, each with the rankings that count, in the order they were made.

    Rankings by nobody in particular are left out and counted in `unnamed`. `flags_of` tells which
    flags a guideline asks for; where it does not know, those that were used under it.
    """

    flags_of: FlagsOf = no_flags
    labelers: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    unnamed: int = 0
    _flags: dict[str, int] = field(default_factory=dict)
    _guidelines: dict[str | None, int] = field(default_factory=dict)
    _item_prompt: array[int] = field(default_factory=lambda: array("q"))
    _rankings: Columns = field(
        default_factory=lambda: Columns("prompt", "labeler", "group", "guideline", "size")
    )
    _places: Columns = field(default_factory=lambda: Columns("item", "rank"))
    _ratings: Columns = field(default_factory=lambda: Columns("ranking", "item", "value"))
    _raised: Columns = field(default_factory=lambda: Columns("place", "flag"))
    _gold: Columns = field(default_factory=lambda: Columns("prompt", "size"))
    _gold_places: Columns = field(default_factory=lambda: Columns("item", "rank"))
    prompts: int = 0

    @property
    def rankings(self) -> int:
        return len(self._rankings)

    def add(
        self,
        bundle: Bundle,
        rankings: Sequence[Ranking],
        groups: Sequence[str] | None = None,
        gold: Sequence[Tiers] = (),
    ) -> None:
        """Add one prompt; `groups` names the group of each of the rankings."""
        named = [i for i, r in enumerate(rankings) if r.labeler is not None]
        self.unnamed += len(rankings) - len(named)
        if not named:
            return
        first = len(self._item_prompt)
        items = {c.uid: first + i for i, c in enumerate(bundle.completions)}
        self._item_prompt.extend([self.prompts] * len(items))
        for i in named:
            self._add(rankings[i], groups[i] if groups else "", items)
        for tiers in gold:
            self._gold.add(self.prompts, _place(self._gold_places, tiers, items))
        self.prompts += 1

    def _add(self, ranking: Ranking, group: str, items: dict[str, int]) -> None:
        place = len(self._places)
        size = _place(self._places, ranking.tiers, items)
        for uid in ranking.unranked:
            self._places.add(items[uid], UNRANKED)
        row = len(self._rankings)
        self._rankings.add(
            self.prompts,
            self.labelers.setdefault(str(ranking.labeler), len(self.labelers)),
            self.groups.setdefault(group, len(self.groups)),
            self._guidelines.setdefault(ranking.guideline, len(self._guidelines)),
            size + len(ranking.unranked),
        )
        self._ratings["ranking"].extend([row] * len(ranking.ratings))
        self._ratings["item"].extend([items[uid] for uid in ranking.ratings])
        self._ratings["value"].extend(ranking.ratings.values())
        if ranking.flags:
            order = [*(uid for tier in ranking.tiers for uid in tier), *ranking.unranked]
            for uid, flags in ranking.flags.items():
                for flag in flags:
                    code = self._flags.setdefault(flag, len(self._flags))
                    self._raised.add(place + order.index(uid), code)

    # -- out -------------------------------------------------------------------------------------

    def units(self, group: str | None = None) -> Units:
        """Return what the statistics are computed from: everything, or one group of it."""
        cut = _Cut(self, group)
        rankings = cut.rankings()
        pairs, repeats = judge(rankings, len(self.labelers))
        return Units(
            labelers=sorted(self.labelers),
            pairs=pairs,
            rankings=rankings,
            repeats=repeats,
            ratings=cut.ratings(),
            flags=cut.flags(),
            gold=judge(self._gold_rankings(), 1)[0],
        )

    def _gold_rankings(self) -> Rankings:
        gold, places = self._gold.numpy(), self._gold_places.numpy()
        return Rankings(
            prompt=gold["prompt"],
            labeler=np.zeros_like(gold["prompt"]),
            k=gold["size"],
            item=places["item"],
            rank=places["rank"],
            item_prompt=np.frombuffer(self._item_prompt, dtype=np.int64),
        )

    def asked(self) -> Bools:
        """Return which guideline asks for which flag: (guidelines, flags)."""
        table = np.zeros((len(self._guidelines), len(self._flags)), dtype=bool)
        raised = self._raised.numpy()
        rankings = self._rankings.numpy()
        of_place = np.repeat(rankings["guideline"], rankings["size"])
        table[of_place[raised["place"]], raised["flag"]] = True
        for name, row in self._guidelines.items():
            known = self.flags_of(name)
            if known is not None:
                table[row] = [flag in known for flag in self._flags]
        return table


def _place(places: Columns, tiers: Tiers, items: dict[str, int]) -> int:
    """Write down the places of a ranking and return how many there are."""
    placed = [items[uid] for tier in tiers for uid in tier]
    places["item"].extend(placed)
    places["rank"].extend([rank for rank, tier in enumerate(tiers) for _ in tier])
    return len(placed)


class _Cut:
    """The rows of one group, or all of them; labelers numbered by name."""

    def __init__(self, collector: Collector, group: str | None) -> None:
        self.collector = collector
        self.table = collector._rankings.numpy()
        self.places = collector._places.numpy()
        self.item_prompt = np.frombuffer(collector._item_prompt, dtype=np.int64)
        by_name = {name: i for i, name in enumerate(sorted(collector.labelers))}
        numbers = [by_name[name] for name in collector.labelers]
        self.labeler = np.array(numbers, dtype=np.int64)[self.table["labeler"]]
        self.kept = np.ones(len(self.labeler), dtype=bool)
        if group is not None:
            self.kept = self.table["group"] == collector.groups.get(group, -1)

    def rankings(self) -> Rankings:
        of_place = np.repeat(np.arange(len(self.labeler)), self.table["size"])
        placed = (self.places["rank"] != UNRANKED) & self.kept[of_place]
        k = np.bincount(of_place[placed], minlength=len(self.labeler))
        return Rankings(
            prompt=self.table["prompt"][self.kept],
            labeler=self.labeler[self.kept],
            k=k[self.kept],
            item=self.places["item"][placed],
            rank=self.places["rank"][placed],
            item_prompt=self.item_prompt,
        )

    def ratings(self) -> Answers:
        found = self.collector._ratings.numpy()
        rows = np.flatnonzero(self.kept[found["ranking"]])
        item, value = found["item"][rows], found["value"][rows]
        labeler = self.labeler[found["ranking"][rows]]
        first = self._first(item, labeler)
        return Answers(item[first], labeler[first], value[first], self.item_prompt)

    def flags(self) -> Flags:
        collector = self.collector
        of_place = np.repeat(np.arange(len(self.labeler)), self.table["size"])
        rows = np.flatnonzero(self.kept[of_place])
        item, labeler = self.places["item"][rows], self.labeler[of_place[rows]]
        first = self._first(item, labeler)
        raised = np.zeros((len(of_place), len(collector._flags)), dtype=bool)
        found = collector._raised.numpy()
        raised[found["place"], found["flag"]] = True
        names = sorted(collector._flags)
        order = [collector._flags[name] for name in names]
        guideline = self.table["guideline"][of_place[rows[first]]]
        return Flags(
            item=item[first],
            labeler=labeler[first],
            names=names,
            asked=collector.asked()[guideline][:, order],
            raised=raised[rows[first]][:, order],
            item_prompt=self.item_prompt,
        )

    def _first(self, item: Ints, labeler: Ints) -> Ints:
        """Return the rows of each (completion, labeler)'s first answer, sorted by the two."""
        key = item * max(1, len(self.collector.labelers)) + labeler
        rows: Ints = np.unique(key, return_index=True)[1]
        return rows
