"""From one bundle to the bytes of its rows, as JSON lines.

A row of a pair repeats its prompt and two of the completions, so each of them is encoded once and
rows are put together out of those pieces: byte for byte what encoding every row would give, for a
stage that quotes the two texts as they are (`Stage.quotes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import orjson

from labelkit.domain.asked import Asked
from labelkit.domain.beaten import Beaten, beaten
from labelkit.domain.models import Bundle
from labelkit.domain.pairs import Pair
from labelkit.services.export_options import PREFERENCE
from labelkit.services.export_rows import Books, Work

_WON, _LOST = "\ue000won\ue001", "\ue000lost\ue001"
_STAND_INS = {_WON: _WON, _LOST: _LOST}
"""What is put in the places of two completions, to see where a row quotes them."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Some rows of one prompt, encoded, in pieces: every line ends in a line break."""

    split: str
    prompt: str
    rows: int
    pieces: Sequence[bytes | memoryview]

    @property
    def data(self) -> bytes | memoryview:
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


class Writer:
    """Turns bundles into lines."""

    def __init__(self, work: Work) -> None:
        self.work = work
        options, how = work.options, work.options.pairs
        self._framed = options.format in PREFERENCE and work.stage.quotes
        self._plain = how.scheme == "all" and how.margin == "none" and not options.by_group

    def lines(self, bundle: Bundle, books: Books) -> Iterator[Lines]:
        """Yield a bundle's rows and keep the books."""
        if not self._framed:
            for split, prompt, row in self.work.rows(bundle, books):
                yield Lines(split, prompt, 1, (_line(row),))
        elif self._plain:
            if found := self._asked(bundle, books):
                asked, pairs = found
                rows = self._note(asked, pairs, books)
                yield Lines(asked.split, bundle.prompt.uid, rows, self._pieces(asked, pairs))
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

    def _note(self, asked: Asked, pairs: Beaten, books: Books) -> int:
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
        return len(sizes)

    def _pieces(self, asked: Asked, pairs: Beaten) -> list[bytes]:
        """Return the lines of one prompt's pairs."""
        frame = self._frame(asked)
        if frame is None:
            each = [_bare(chosen, uid) for chosen, rejected in pairs for uid in rejected]
            return self._own_pieces(asked, each)
        quoted = _quoted(asked)
        head, middle, tail = frame
        found: list[bytes] = []
        for chosen, rejected in pairs:
            start = head + quoted[chosen] + middle
            for uid in rejected:
                found += (start, quoted[uid], tail)
        return found

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


def _bare(chosen: str, rejected: str) -> Pair:
    """A pair that says no more than what beat what."""
    return Pair(chosen, rejected, None, (), "", 2, 1)


def _quoted(asked: Asked) -> dict[str, bytes]:
    """Encode every completion as it stands inside of a JSON string."""
    return {uid: orjson.dumps(text)[1:-1] for uid, text in asked.texts.items()}


def _line(row: dict[str, object]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
