"""The labeling state machine: rate, rank, change one's mind. It knows no terminal and no store.

The screen, the line mode, JSONL and the tests all drive this one class, so a rule that holds here
holds everywhere. Completions are named by their letters, in the order they are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from labelkit.domain.grammar import LETTERS
from labelkit.domain.models import K_LEAST
from labelkit.tui import places as p
from labelkit.tui.places import Place, Places
from labelkit.tui.work import (
    RANK,
    Change,
    Work,
    change,
    from_plain,
    to_plain,
    work_from_plain,
)

HISTORY = 500


class Tied(StrEnum):
    """What the tie key did."""

    CONFIRMED = "confirmed"
    UNTIED = "untied"
    TIED = "tied"
    TOP = "top"
    UNPLACED = "unplaced"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a task asks for: how many completions, the scale, and what may be left out."""

    k: int
    least: int = 1
    most: int = 7
    partial: bool = False
    seed_ratings: bool = True

    @property
    def letters(self) -> str:
        return LETTERS[: self.k]


@dataclass(slots=True)
class RankState:
    """Work on one task, with its history."""

    rules: Rules
    work: Work = field(init=False)
    read: dict[str, float] = field(default_factory=dict)
    revisions: int = 0
    _past: list[Change] = field(default_factory=list)
    _future: list[Change] = field(default_factory=list)
    _typing: str | None = None

    def __post_init__(self) -> None:
        self.work = Work(self.rules.letters[0], p.empty(self.rules.k))

    # -- history ---------------------------------------------------------------------------------

    def _do(self, typing: str | None = None, **news: Any) -> bool:
        """Change some fields, in a way that can be undone; `typing` joins one text's keys."""
        after = replace(self.work, **news)
        if after == self.work:
            return False
        if typing is None or typing != self._typing:
            self._past.append({})
            del self._past[:-HISTORY]
        where = {"focus": self.work.focus, "step": self.work.step}
        self._past[-1] = where | change(self.work, after) | self._past[-1]
        self._future.clear()
        self.work, self._typing = after, typing
        return True

    def undo(self) -> bool:
        """Take the last change back; False when there is none."""
        if not self._step(self._past, self._future):
            return False
        self.revisions += 1
        return True

    def redo(self) -> bool:
        """Make the change again that was taken back last; False when there is none."""
        return self._step(self._future, self._past)

    def _step(self, source: list[Change], target: list[Change]) -> bool:
        if not source:
            return False
        other = replace(self.work, **source.pop())
        target.append(change(self.work, other) | {"focus": other.focus})
        self.work, self._typing = other, None
        return True

    # -- looking around --------------------------------------------------------------------------

    def show(self, letter: str) -> None:
        """Bring a completion up. Not a change: nothing to undo."""
        self.work = replace(self.work, focus=letter)
        self._typing = None

    def to_step(self, step: str) -> None:
        self.work = replace(self.work, step=step)
        self._typing = None

    def saw(self, letter: str, share: float) -> None:
        """Remember the furthest point read, 0 to 1."""
        self.read[letter] = max(self.read.get(letter, 0.0), round(min(share, 1.0), 2))

    # -- judging one completion ------------------------------------------------------------------

    def rate(self, letter: str, rating: int | None) -> None:
        """Rate a completion, or take its rating back."""
        old = self.work.ratings.get(letter)
        ratings = {k: v for k, v in self.work.ratings.items() if k != letter}
        if rating is not None:
            ratings[letter] = rating
        if self._do(ratings=dict(sorted(ratings.items()))) and old is not None:
            self.revisions += 1

    def bump(self, letter: str, by: int) -> None:
        """Change a rating a little, within the scale; an unrated completion stays unrated."""
        if letter in self.work.ratings:
            rating = self.work.ratings[letter] + by
            self.rate(letter, max(self.rules.least, min(self.rules.most, rating)))

    def flag(self, letter: str, key: str) -> None:
        """Set a flag, or take it back."""
        found = set(self.work.flags.get(letter, ())) ^ {key}
        rest = {k: v for k, v in self.work.flags.items() if k != letter}
        self._do(flags=rest | ({letter: tuple(sorted(found))} if found else {}))

    def mark(self, key: str) -> None:
        """Set a mark on the prompt, or take it back."""
        self._do(marks=tuple(sorted(set(self.work.marks) ^ {key})))

    def write_note(self, letter: str | None, text: str) -> None:
        """Set the note on a completion, or on the task. Keys typed in a row are one change."""
        if letter is None:
            self._do("note", note=text)
            return
        rest = {k: v for k, v in self.work.notes.items() if k != letter}
        self._do(f"note {letter}", notes=rest | ({letter: text} if text else {}))

    # -- ranking ---------------------------------------------------------------------------------

    def begin_ranking(self) -> None:
        """Go to the second step; the first time, ratings give the first order."""
        if self.rules.seed_ratings and not self.work.seeded and not self.tiers:
            self.seed()
        else:
            self.to_step(RANK)

    def seed(self) -> None:
        """Order the completions by their ratings; ties that makes are to be checked."""
        ratings = self.work.ratings
        values = sorted(set(ratings.values()), reverse=True)
        groups = [tuple(x for x in self.rules.letters if ratings.get(x) == v) for v in values]
        self._do(
            places=p.of_tiers(groups, self.rules.k),
            unconfirmed=tuple(group for group in groups if len(group) > 1),
            chosen=(),
            seeded=True,
            step=RANK,
        )

    def place(self, letter: str, index: int) -> None:
        """Put a completion at a place; whoever is there is tied with it."""
        self._rank(p.put(self.work.places, letter, index), letter)

    def take_out(self, letter: str) -> None:
        """Leave a completion out of the ranking."""
        self._rank(p.take(self.work.places, letter), letter)

    def move(self, letter: str, *, up: bool) -> None:
        """Move a completion one step; out of a tie, to a place of its own."""
        moved = p.move(self.work.places, letter, up=up)
        if moved != self.work.places:
            self._rank(moved, letter)

    def tie(self, letter: str) -> Tied:
        """Confirm an automatic tie, else leave a tie, else tie with the one above."""
        at = p.where(self.work.places, letter)
        if at is None:
            return Tied.UNPLACED
        if group := self.unconfirmed_with(letter):
            self.confirm(group)
            return Tied.CONFIRMED
        if len(self.work.places[at]) > 1:
            self._rank(p.insert(self.work.places, letter, at + 1), letter)
            return Tied.UNTIED
        above = p.above(self.work.places, letter)
        if above is None:
            return Tied.TOP
        self._rank(p.put(self.work.places, letter, above), letter)
        return Tied.TIED

    def confirm(self, group: Place) -> None:
        """Say that an automatic tie is meant."""
        self._do(unconfirmed=tuple(x for x in self.work.unconfirmed if x != group))

    def prefer(self, winner: str, loser: str) -> None:
        """Say that one is better than the other."""
        moved = p.prefer(self.work.places, winner, loser)
        if moved != self.work.places:
            self._rank(moved, winner)

    def equal(self, one: str, other: str) -> None:
        """Say that two are equally good."""
        if (at := p.where(self.work.places, other)) is not None:
            self._rank(p.put(self.work.places, one, at), one)
        elif (at := p.where(self.work.places, one)) is not None:
            self._rank(p.put(self.work.places, other, at), other)
        else:
            places = p.insert(self.work.places, other, 0)
            self._rank(p.put(places, one, 0), one)

    def set_order(self, tiers: Iterable[Iterable[str]]) -> None:
        """Set the whole ranking at once: it was typed, so it is meant."""
        places = p.of_tiers(tiers, self.rules.k)
        if self.work.chosen and places != self.work.places:
            self.revisions += 1
        chosen = tuple(sorted(x for place in places for x in place))
        self._do(places=places, unconfirmed=(), chosen=chosen, step=RANK)

    def _rank(self, places: Places, letter: str) -> None:
        """Take over places in which `letter` was moved by hand."""
        if not self._left_in(places):
            places = p.compact(places)
        if letter in self.work.chosen and places != self.work.places:
            self.revisions += 1
        chosen = tuple(sorted({*self.work.chosen, letter}))
        ties = _still_together(self.work.unconfirmed, places, letter)
        self._do(places=places, unconfirmed=ties, chosen=chosen)

    # -- what there is to know -------------------------------------------------------------------

    @property
    def order(self) -> list[str]:
        """The letters as the board lists them: by place, then those without one."""
        placed = [x for place in self.work.places for x in place]
        return placed + self.unplaced if self.work.step == RANK else list(self.rules.letters)

    @property
    def tiers(self) -> Places:
        return p.tiers(self.work.places)

    @property
    def unplaced(self) -> list[str]:
        return self._left_in(self.work.places)

    def _left_in(self, places: Places) -> list[str]:
        return [x for x in self.rules.letters if p.where(places, x) is None]

    @property
    def unrated(self) -> list[str]:
        return [x for x in self.rules.letters if x not in self.work.ratings]

    def unconfirmed_with(self, letter: str) -> Place | None:
        """The automatic tie a letter is in, or None."""
        return next((group for group in self.work.unconfirmed if letter in group), None)

    def ranks(self) -> dict[str, int]:
        """Map placed letters to ranks from 1."""
        return {x: rank for rank, place in enumerate(self.tiers, 1) for x in place}

    def contradictions(self) -> list[tuple[str, str]]:
        """Pairs (higher, lower) in which the higher one was rated lower."""
        ranks, ratings = self.ranks(), self.work.ratings
        both = [x for x in ranks if x in ratings]
        return [
            (x, y) for x in both for y in both if ranks[x] < ranks[y] and ratings[x] < ratings[y]
        ]

    def obstacles(self) -> list[str]:
        """What still keeps this from being submitted, in words; empty when it may go."""
        found = []
        placed = self.rules.k - len(self.unplaced)
        if self.unplaced and not self.rules.partial:
            found.append(f"to be placed: {', '.join(self.unplaced)}")
        elif placed < K_LEAST:
            found.append(f"{K_LEAST} completions or more must be placed")
        found += [
            f"to be checked: {' = '.join(group)}, a tie of equal ratings"
            for group in self.work.unconfirmed
        ]
        return found

    # -- drafts ----------------------------------------------------------------------------------

    def to_draft(self) -> dict[str, Any]:
        """Everything, as JSON knows it."""
        return {
            "work": to_plain(self.work),
            "past": list(self._past),
            "future": list(self._future),
            "read": dict(self.read),
            "revisions": self.revisions,
        }

    @classmethod
    def from_draft(cls, rules: Rules, draft: Mapping[str, Any]) -> RankState:
        """Read what `to_draft` made. Raises KeyError, TypeError or ValueError."""
        state = cls(rules)
        state.work = work_from_plain(draft["work"])
        placed = [x for place in state.work.places for x in place]
        if len(state.work.places) != rules.k or not set(placed) <= set(rules.letters):
            raise ValueError("a draft of another task")
        state.read = dict(draft["read"])
        state.revisions = int(draft["revisions"])
        state._past = [from_plain(c) for c in draft["past"]]
        state._future = [from_plain(c) for c in draft["future"]]
        return state


def _still_together(groups: tuple[Place, ...], places: Places, moved: str) -> tuple[Place, ...]:
    """Automatic ties that are left after one letter was placed by hand."""
    rest = (tuple(x for x in group if x != moved) for group in groups)
    return tuple(group for group in rest if len(group) > 1)
