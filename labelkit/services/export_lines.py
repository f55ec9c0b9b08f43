"""From one bundle to the bytes of its rows, as JSON lines.

A row of a pair repeats its prompt and two of the completions, so in the plain case each of them is
encoded once and rows are put together out of those pieces: byte for byte what encoding every row
would give, for a stage that says which column speaks of what (`Stage.apart`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from labelkit.domain.asked import Asked
from labelkit.domain.beaten import Beaten, beaten
from labelkit.domain.models import Bundle
from labelkit.domain.pairs import Pair
from labelkit.plugins import Stage
from labelkit.services.export_options import PREFERENCE
from labelkit.services.export_rows import Books, Work


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
        self._pieces = Pieces.of(work)

    def lines(self, bundle: Bundle, books: Books) -> Iterator[Lines]:
        """Yield a bundle's rows and keep the books."""
        if self._pieces is None:
            for split, prompt, row in self.work.rows(bundle, books):
                data = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
                yield Lines(split, prompt, 1, data)
            return
        found = self._asked(bundle, books)
        if found:
            asked, pairs = found
            rows = self._note(asked, pairs, books)
            yield Lines(asked.split, bundle.prompt.uid, rows, self._pieces.encoded(asked, pairs))

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


@dataclass(frozen=True, slots=True)
class Pieces:
    """A stage's columns: the two that differ, and those before, between and after them."""

    stage: Stage
    chosen: str
    rejected: str
    before: Sequence[str]
    between: Sequence[str]
    after: Sequence[str]

    @classmethod
    def of(cls, work: Work) -> Pieces | None:
        """Return the pieces, or None where rows must be made one by one."""
        options, stage = work.options, work.stage
        how = options.pairs
        plain = how.scheme == "all" and how.margin == "none" and not options.by_group
        if options.format not in PREFERENCE or stage.apart is None or not plain:
            return None
        names = list(stage.columns)
        chosen, rejected = stage.apart
        first, second = names.index(chosen), names.index(rejected)
        after = [*names[second + 1 :], *(["prompt_id"] if stage.extras else [])]
        return cls(stage, chosen, rejected, names[:first], names[first + 1 : second], after)

    def encoded(self, asked: Asked, pairs: Beaten) -> bytes:
        """Return the lines of one prompt's pairs."""
        wins, losses, head, middle, tail = self._cells(asked, pairs)
        out: list[bytes] = []
        for chosen, rejected in pairs:
            start = head + wins[chosen] + middle
            out += (start, (tail + start).join([losses[uid] for uid in rejected]), tail)
        return b"".join(out)

    def _cells(
        self, asked: Asked, pairs: Beaten
    ) -> tuple[dict[str, bytes], dict[str, bytes], bytes, bytes, bytes]:
        """Encode every completion as what was chosen and as what was rejected, and the rest."""
        wins, losses = {}, {}
        row = {}
        for uid in {uid for chosen, rejected in pairs for uid in (chosen, *rejected)}:
            row = self.stage.row(asked, Pair(uid, uid, None, (), "", 2, 1))
            won, lost = row[self.chosen], row[self.rejected]
            wins[uid] = orjson.dumps(won)
            losses[uid] = wins[uid] if lost == won else orjson.dumps(lost)
        row["prompt_id"] = asked.prompt.name
        head = b"{" + _fields(row, self.before) + b'"%s":' % self.chosen.encode()
        middle = b"," + _fields(row, self.between) + b'"%s":' % self.rejected.encode()
        tail = b"".join([b"," + _fields(row, [name])[:-1] for name in self.after]) + b"}\n"
        return wins, losses, head, middle, tail


def _fields(row: dict[str, object], names: Sequence[str]) -> bytes:
    return b"".join([b"%s:%s," % (orjson.dumps(name), orjson.dumps(row[name])) for name in names])
