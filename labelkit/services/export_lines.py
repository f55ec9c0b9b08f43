"""From one bundle to the bytes of its rows, as JSON lines.

A row of a pair repeats its prompt and two of the completions, so each of them is encoded once and
rows are put together out of those pieces: byte for byte what encoding every row would give, for a
stage that quotes the two texts as they are (`Stage.quotes`). Where rows become columns, not even
that is done: a line for every completion, and which of them make up the rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from labelkit.domain.asked import Asked
from labelkit.domain.beaten import Beaten, beaten
from labelkit.domain.models import Bundle, Message, Prompt
from labelkit.domain.pairs import Pair
from labelkit.plugins import Stage
from labelkit.services.export_options import PREFERENCE
from labelkit.services.export_piles import Lines
from labelkit.services.export_rows import Books, Work

_WON, _LOST = "\ue000won\ue001", "\ue000lost\ue001"
_STAND_INS = {_WON: _WON, _LOST: _LOST}
"""What is put in the places of two completions, to see where a row quotes them."""


class Writer:
    """Turns bundles into lines; with `picks`, all of them with picks where that is possible."""

    def __init__(self, work: Work, *, picks: bool = False) -> None:
        self.work = work
        options, how = work.options, work.options.pairs
        self._framed = options.format in PREFERENCE and work.stage.quotes
        self._plain = how.scheme == "all" and how.margin == "none" and not options.by_group
        split = rejected_columns(work.stage) is not None
        self._picks = picks and split and self._framed and self._plain

    def lines(self, bundle: Bundle, books: Books) -> Iterator[Lines]:
        """Yield a bundle's rows and keep the books."""
        if not self._framed:
            for split, prompt, row in self.work.rows(bundle, books):
                yield Lines(split, prompt, 1, (_line(row),))
        elif self._plain:
            if found := self._asked(bundle, books):
                asked, pairs = found
                made = self._of_pairs(asked, pairs)
                self._note(asked, pairs, books)  # texts know their bytes since they were encoded
                yield made
        else:
            for asked, items in groupby(self.work.items(bundle, books), key=itemgetter(0)):
                each = [pair for _, pair in items]
                books.rows[asked.split] += len(each)
                pieces = self._own_pieces(asked, each)
                yield Lines(asked.split, bundle.prompt.uid, len(each), pieces)

    def _asked(self, bundle: Bundle, books: Books) -> tuple[Asked, Beaten] | None:
        work = self.work
        begun = work.begun(bundle, books)
        if begun is None:
            return None
        split, bundle = begun
        judged = work.merger.merged(bundle) if work.merger else bundle
        pairs = beaten(judged, work.options.pairs, books.counts)
        asked = work.asked(judged, bundle.prompt.messages, split, books) if pairs else None
        return (asked, pairs) if asked else None

    def _note(self, asked: Asked, pairs: Beaten, books: Books) -> None:
        """Enter the rows and their lengths: the prompt and the longer of the two completions."""
        measure = self.work.measure
        prompt = asked.size(measure)
        size = {uid: prompt + measure(text) for uid, text in asked.texts.items()}
        sizes: list[int] = []
        for chosen, rejected in pairs:
            own = size[chosen]
            sizes += [other if (other := size[uid]) > own else own for uid in rejected]
        books.lengths.update(sizes)
        books.rows[asked.split] += len(sizes)

    def _of_pairs(self, asked: Asked, pairs: Beaten) -> Lines:
        """Return the lines of one prompt's pairs."""
        split, uid, frame = asked.split, asked.prompt.uid, self._frame(asked)
        rows = sum([len(rejected) for _, rejected in pairs])
        if frame is None:
            each = [_bare(chosen, uid) for chosen, rejected in pairs for uid in rejected]
            pieces = self._own_pieces(asked, each)
            itself = array("I", [line for line in range(rows) for _ in ("chosen", "rejected")])
            picked = (itself, rows) if self._picks else ()
            return Lines(split, uid, rows, pieces, *picked)
        if self._picks:
            return Lines(split, uid, rows, *frame.picked(_quoted(asked), pairs))
        return Lines(split, uid, rows, frame.joined(_quoted(asked), pairs))

    def _own_pieces(self, asked: Asked, pairs: Sequence[Pair]) -> list[bytes]:
        """Return the lines of pairs that have columns of their own at the end."""
        frame = self._frame(asked)
        if frame is None:
            return [_line(self.work.row(asked, pair)) for pair in pairs]
        quoted = _quoted(asked)
        head, middle, tail = frame
        found: list[bytes] = []
        for pair in pairs:
            found += (head, quoted[pair.chosen], middle, quoted[pair.rejected])
            if own := self.work.own_columns(asked, pair):
                found += (tail.removesuffix(b"}\n"), b",", _line(own)[1:])
            else:
                found.append(tail)
        return found

    def _frame(self, asked: Asked) -> Frame | None:
        """Return what stands around the two texts in every line of a prompt.

        None where it cannot be told, because the prompt itself holds a stand-in.
        """
        stand_in = Asked(asked.bundle, asked.messages, asked.split, _STAND_INS)
        line = _line(self.work.shaped(stand_in, _bare(_WON, _LOST)))
        head, *rest = line.split(_WON.encode())
        if len(rest) != 1 or len(rest := rest[0].split(_LOST.encode())) != 2:
            return None
        return Frame(head, *rest)


class Frame(NamedTuple):
    """A line without its two texts: what comes before, between and after them."""

    head: bytes
    middle: bytes
    tail: bytes

    def joined(self, quoted: Mapping[str, bytes], pairs: Beaten) -> list[bytes]:
        """Return a line for every pair, in pieces."""
        head, middle, tail = self
        found: list[bytes] = []
        for chosen, rejected in pairs:
            start = head + quoted[chosen] + middle
            found += (start, (tail + start).join([quoted[uid] for uid in rejected]), tail)
        return found

    def picked(
        self, quoted: Mapping[str, bytes], pairs: Beaten
    ) -> tuple[list[bytes], array[int], int]:
        """Return a line for every completion, on both sides of it, and the picks of the pairs."""
        head, middle, tail = self
        pieces = [b"".join((head, text, middle, text, tail)) for text in quoted.values()]
        place = {uid: i for i, uid in enumerate(quoted)}
        picks = array("I")
        for chosen, rejected in pairs:
            mine = place[chosen]
            picks.extend([line for uid in rejected for line in (mine, place[uid])])
        return pieces, picks, len(pieces)


def rejected_columns(stage: Stage) -> frozenset[str] | None:
    """Return the columns of a pair's row that speak of the rejected completion.

    None where one column speaks of both, or the stage does not quote them as they are.
    """
    if not stage.quotes:
        return None
    prompt = Prompt("", (Message("user", "?"),))
    asked = Asked(Bundle(prompt), prompt.messages, texts=_STAND_INS)
    row = stage.row(asked, _bare(_WON, _LOST))
    said = {name: _line(cell).decode() for name, cell in row.items()}
    if any(_WON in cell and _LOST in cell for cell in said.values()):
        return None
    return frozenset(name for name, cell in said.items() if _LOST in cell)


def _bare(chosen: str, rejected: str) -> Pair:
    """A pair that says no more than what beat what."""
    return Pair(chosen, rejected, None, (), "", 2, 1)


def _quoted(asked: Asked) -> dict[str, bytes]:
    """Encode every completion as it stands inside of a JSON string."""
    return {uid: orjson.dumps(text)[1:-1] for uid, text in asked.texts.items()}


def _line(row: Any) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
