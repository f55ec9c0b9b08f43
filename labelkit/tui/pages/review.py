"""The whole answer once more, before it is submitted."""

from __future__ import annotations

from textual.content import Content

from labelkit.domain.safe_text import safe_text
from labelkit.tui.bench import RankBench
from labelkit.tui.view.paper import EMPTY, FAINT, STRONG, WARN, Lines, Size, box, line, over, press
from labelkit.tui.wording import contradiction, rating_words

_WIDTH = 76


class ReviewPage:
    """Enter submits, Esc goes back."""

    def __init__(self, bench: RankBench) -> None:
        self.bench = bench
        self.top = 0

    def draw(self, size: Size) -> Lines:
        session = self.bench.session
        rows = [*self._places(), *self._rest()]
        room = size.height - 3
        self.top = max(0, min(self.top, len(rows) - room))
        title = line(("Your answer: ", FAINT), (session.order_text, STRONG))
        foot = line(
            press("Enter submits", "enter", STRONG),
            (" · ", FAINT),
            press("Esc goes back", "escape", FAINT),
            (f"  {self.bench.message}", WARN),
        )
        dialog = box(title, rows[self.top : self.top + room], min(_WIDTH, size.width - 2), foot)
        return over(self.bench.pages[0].draw(size), dialog, size)

    def _places(self) -> Lines:
        state = self.bench.session.state
        rows = []
        for rank, place in enumerate(state.tiers, 1):
            for n, letter in enumerate(place):
                rows.append(line((f"{rank if n == 0 else '=':>2} ", STRONG), self._row(letter)))
        rows += [line((" – ", FAINT), self._row(letter)) for letter in state.unplaced]
        return rows

    def _row(self, letter: str) -> Content:
        session = self.bench.session
        work = session.state.work
        rating = work.ratings.get(letter)
        said = "not rated" if rating is None else rating_words(session.scale, rating)
        row = line((f"{letter}  ", "bold $text-primary"), f"{said:<20}")
        if flags := work.flags.get(letter):
            row = line(row, (" ⚑ " + ", ".join(flags), WARN))
        if note := work.notes.get(letter):
            row = line(row, (" ✎ " + " ".join(safe_text(note).split()), FAINT))
        return row

    def _rest(self) -> Lines:
        work, state = self.bench.session.state.work, self.bench.session.state
        rows: Lines = []
        if state.unplaced:
            rows.append(
                line((f"not ranked, compared with nothing: {', '.join(state.unplaced)}", FAINT))
            )
        if work.marks:
            rows.append(line(("prompt: ", FAINT), ", ".join(work.marks)))
        if work.note:
            rows.append(line(("note: ", FAINT), " ".join(safe_text(work.note).split())))
        rows += [line((f"! {contradiction(*pair)}", WARN)) for pair in state.contradictions()]
        return [EMPTY, *rows] if rows else []

    def press(self, key: str) -> None:
        if key == "enter":
            if self.bench.meant():
                self.bench.pop()
                self.bench.submit()
        elif key in ("down", "j", "wheeldown", "space"):
            self.top += 1
        elif key in ("up", "k", "wheelup"):
            self.top -= 1
        elif key in ("escape", "q", "backspace", "left"):
            self.bench.pop()
