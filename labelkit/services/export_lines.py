"""From one bundle to the bytes of its rows, as JSON lines.

A row of a pair repeats its prompt and two of the completions, so in the plain case each of them is
encoded once and rows are put together out of those pieces: byte for byte what encoding every row
would give, for a stage that quotes the two texts as they are (`Stage.quotes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    """Some rows of one prompt, encoded: every line ends in a line break."""

    split: str
    prompt: str
    rows: int
    data: bytes | memoryview


class Writer:
    """Turns bundles into lines."""

    def __init__(self, work: Work) -> None:
        self.work = work
        options, how = work.options, work.options.pairs
        plain = how.scheme == "all" and how.margin == "none" and not options.by_group
        self._in_pieces = plain and options.format in PREFERENCE and work.stage.quotes

    def lines(self, bundle: Bundle, books: Books) -> Iterator[Lines]:
        """Yield a bundle's rows and keep the books."""
        if not self._in_pieces:
            for split, prompt, row in self.work.rows(bundle, books):
                yield Lines(split, prompt, 1, _line(row))
            return
        found = self._asked(bundle, books)
        if found:
            asked, pairs = found
            rows = self._note(asked, pairs, books)
            yield Lines(asked.split, bundle.prompt.uid, rows, self._encoded(asked, pairs))

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

    def _encoded(self, asked: Asked, pairs: Beaten) -> bytes:
        """Return the lines of one prompt's pairs."""
        frame = self._frame(asked)
        if frame is None:
            return b"".join([_line(self._row(asked, x, y)) for x, worse in pairs for y in worse])
        # A text inside of a JSON string is its own encoding without the quotes.
        quoted = {uid: orjson.dumps(text)[1:-1] for uid, text in asked.texts.items()}
        head, middle, tail = frame
        out: list[bytes] = []
        for chosen, rejected in pairs:
            start = head + quoted[chosen] + middle
            out += (start, (tail + start).join([quoted[uid] for uid in rejected]), tail)
        return b"".join(out)

    def _frame(self, asked: Asked) -> Frame | None:
        """Return what stands around the two texts in every line of a prompt.

        None where it cannot be told, because the prompt itself holds a stand-in.
        """
        stand_in = Asked(asked.bundle, asked.messages, asked.split, _STAND_INS)
        line = _line(self._row(stand_in, _WON, _LOST))
        head, *rest = line.split(_WON.encode())
        if len(rest) != 1 or len(rest := rest[0].split(_LOST.encode())) != 2:
            return None
        return Frame(head, *rest)

    def _row(self, asked: Asked, chosen: str, rejected: str) -> dict[str, object]:
        return self.work.row(asked, Pair(chosen, rejected, None, (), "", 2, 1))


class Frame(NamedTuple):
    """A line without its two texts: what comes before, between and after them."""

    head: bytes
    middle: bytes
    tail: bytes


def _line(row: dict[str, object]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
