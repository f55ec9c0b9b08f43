"""The main page: rate each completion alone, then rank them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from labelkit.domain.grammar import LETTERS
from labelkit.tui.bench import Page, RankBench
from labelkit.tui.state import RankState, Tied
from labelkit.tui.view import bars
from labelkit.tui.view.board import board
from labelkit.tui.view.layout import Layout, layout, prompt_room
from labelkit.tui.view.paper import FAINT, STRONG, WARN, Lines, Size, beside, fill, fit, line, rule
from labelkit.tui.view.reading import rendered, wrapped
from labelkit.tui.wording import count, listed
from labelkit.tui.work import RANK, RATE

# The first screen is drawn without these: each page loads what it opens, when it opens it.
if TYPE_CHECKING:
    from labelkit.tui.compare import Spans

_OPENS = ("m", "x", "p", "?", "right", "s")


def first_pages(bench: RankBench) -> list[Page]:
    """The pages a task begins with: a prompt that does not fit is read first."""
    page = RankPage(bench)
    if page.prompt_is_cut and not bench.session.resumed and not bench.session.view.revises:
        from labelkit.tui.pages.reading import PromptPage

        return [page, PromptPage(bench, first=True)]
    return [page]


class RankPage:
    """Board, reader and neighbour, and the keys that work on them."""

    def __init__(self, bench: RankBench) -> None:
        self.bench = bench
        self.session = bench.session
        self.looks = bench.session.looks
        self._keys: dict[str, Callable[[], None]] = {
            "tab": lambda: self._go(1),
            "shift+tab": lambda: self._go(-1),
            "space": lambda: self._page(1),
            "pagedown": lambda: self._page(1),
            "pageup": lambda: self._page(-1),
            "backspace": lambda: self._page(-1),
            "home": lambda: self._scroll(-(10**6)),
            "end": lambda: self._scroll(10**6),
            "up": lambda: self._vertical(-1),
            "down": lambda: self._vertical(1),
            "wheelup": lambda: self._scroll(-3),
            "wheeldown": lambda: self._scroll(3),
            "k": lambda: self._move_or_scroll(-1),
            "j": lambda: self._move_or_scroll(1),
            "shift+up": lambda: self._move(up=True),
            "shift+down": lambda: self._move(up=False),
            "=": self._tie,
            "+": lambda: self.state.bump(self.focus, 1),
            "-": lambda: self.state.bump(self.focus, -1),
            "enter": self._enter,
            "escape": lambda: self.state.to_step(RATE),
            "n": lambda: bench.ask_note(self.focus),
            "t": lambda: bench.ask_note(None),
            "v": self._compare,
            "u": lambda: self._say(self.state.undo(), "Undone", "Nothing to undo"),
            "r": lambda: self._say(self.state.redo(), "Made again", "Nothing to redo"),
            "w": lambda: self._toggle("markdown"),
            "z": lambda: self._toggle("board_hidden"),
            "y": self._pin,
            "ctrl+p": bench.previous,
            "q": bench.leave,
            **{key: partial(self._open, key) for key in _OPENS},
        }

    # -- what there is to see --------------------------------------------------------------------

    @property
    def state(self) -> RankState:
        return self.session.state

    @property
    def focus(self) -> str:
        return self.state.work.focus

    @property
    def prompt_is_cut(self) -> bool:
        """Whether the prompt has to be read on a page of its own."""
        size = self.bench.size
        room = prompt_room(size, self.state.work.step)
        many = len(self.session.view.messages) > 1
        return many or len(bars.prompt_lines(self.session.view, size.width - 3)) > room

    def draw(self, size: Size) -> Lines:
        session = self.session
        step = self.state.work.step
        prompt = bars.prompt_strip(session.view, size.width, prompt_room(size, step))
        lay = self._layout(size, len(prompt))
        self._see(lay)
        return [
            bars.header(session, size, self.bench.trouble),
            *prompt,
            *self._body(lay),
            *bars.question(session, size.width, self.bench.message, strip=lay.strip),
            bars.keys(session, size.width),
        ]

    def _layout(self, size: Size, prompt: int) -> Layout:
        hidden = bool(self.looks.get("board_hidden"))
        return layout(size, self.state.work.step, prompt, board_hidden=hidden)

    def _now(self) -> Layout:
        size = self.bench.size
        room = prompt_room(size, self.state.work.step)
        rows = len(bars.prompt_strip(self.session.view, size.width, room))
        return self._layout(size, rows)

    def _body(self, lay: Layout) -> Lines:
        marked, other_marked = self._marked(lay)
        body = self._pane(self.focus, lay.reader, lay, marked, self._title(self.focus, lay))
        if lay.second and (other := self.neighbour()):
            title = line((f"Completion {other} ", STRONG), (self._relation(other), FAINT))
            body = beside(body, self._pane(other, lay.second, lay, other_marked, title))
        elif lay.second:
            body = beside(body, fill([], lay.body, lay.second))
        return beside(board(self.session, lay), body) if lay.board else body

    def _pane(self, letter: str, width: int, lay: Layout, marked: Spans, title: Content) -> Lines:
        lines = self._lines(letter, width, marked)
        top = self._top(letter, lay, len(lines))
        style = "$accent" if letter == self.focus else FAINT
        rows = [fit(x.pad_left(1), width) for x in lines[top : top + lay.rows]]
        return [rule(title, width, style), *fill(rows, lay.rows, width)]

    def _lines(self, letter: str, width: int, marked: Spans = ()) -> Lines:
        text = self.session.text(letter)
        found = rendered(text, width - 2) if self.looks.get("markdown") else None
        return list(found if found is not None else wrapped(text, width - 2, marked))

    def _marked(self, lay: Layout) -> tuple[Spans, Spans]:
        other = self.neighbour() if lay.second else None
        if other is None:
            return (), ()
        from labelkit.tui.compare import difference

        found = difference(self.session.text(self.focus), self.session.text(other))
        return (found.left, found.right) if found.worth_marking else ((), ())

    def _title(self, letter: str, lay: Layout) -> Content:
        session, rating = self.session, self.state.work.ratings.get(letter)
        parts = ["Markdown"] if self.looks.get("markdown") else []
        parts.append(count(session.words(letter), "word"))
        if rating is not None:
            parts.append(f"{rating}/{session.scale.most}")
        parts.append(self._how_far(letter, lay))
        title = line((f"Completion {letter} ", STRONG), " · ".join(filter(None, parts)))
        if hidden := session.hidden(letter):
            title = line(title, (f" · ⚠ {count(hidden, 'hidden character')}", WARN))
        return title

    def _how_far(self, letter: str, lay: Layout) -> str:
        total = len(self._lines(letter, lay.reader))
        if total <= lay.rows:
            return ""
        bottom = self._top(letter, lay, total) + lay.rows
        if bottom >= total:
            return "end"
        pages = -(-total // lay.rows)
        return f"{100 * bottom // total}% of {pages} pages ▼"

    def _relation(self, other: str) -> str:
        ranks = self.state.ranks()
        if other == self.looks.get("pinned"):
            return "pinned, y: no more"
        mine, its = ranks.get(self.focus), ranks.get(other)
        if mine is None or its is None:
            return ""
        return (
            "tied with it" if mine == its else ("just above it" if its < mine else "just below it")
        )

    def neighbour(self) -> str | None:
        """The completion to be read beside the one in front: pinned, or next in the ranking."""
        pinned = self.looks.get("pinned")
        if pinned and pinned in self.session.letters and pinned != self.focus:
            return str(pinned)
        order = [x for tier in self.state.tiers for x in tier]
        if self.focus not in order or len(order) < 2:
            return None
        at = order.index(self.focus)
        return order[at - 1] if at else order[1]

    # -- reading ---------------------------------------------------------------------------------

    def _top(self, letter: str, lay: Layout, total: int) -> int:
        """The first line in sight."""
        wanted = int(self.looks.get("tops", {}).get(letter, 0))
        return max(0, min(wanted, total - lay.rows))

    def _see(self, lay: Layout) -> None:
        """Remember how far the text in front has been read."""
        total = len(self._lines(self.focus, lay.reader))
        bottom = self._top(self.focus, lay, total) + lay.rows
        self.state.saw(self.focus, bottom / max(1, total))

    def _scroll(self, by: int) -> None:
        lay = self._now()
        tops = self.looks.setdefault("tops", {})
        for letter in (self.focus, self.neighbour() if lay.second else None):
            if letter:
                total = len(self._lines(letter, lay.reader))
                top = self._top(letter, lay, total) + by
                tops[letter] = max(0, min(top, total - lay.rows))

    def _page(self, by: int) -> None:
        lay = self._now()
        total = len(self._lines(self.focus, lay.reader))
        at_end = self._top(self.focus, lay, total) + lay.rows >= total
        if by < 0 or not at_end:
            self._scroll(by * max(1, lay.rows - 1))
        elif self.state.work.step == RATE and self.focus in self.state.work.ratings:
            self._enter()
        elif self.state.work.step == RATE:
            self.bench.message = f"The end of {self.focus}: rate it, then Space or Enter goes on"

    # -- keys ------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        letter = key.upper()
        if len(key) == 1 and letter in self.session.letters:
            self.state.show(letter)
        elif key.isdecimal():
            self._digit(int(key))
        elif key in self._keys:
            self._keys[key]()

    def _digit(self, n: int) -> None:
        if self.state.work.step == RATE:
            scale = self.session.scale
            if scale.least <= n <= scale.most:
                self.state.rate(self.focus, n)
            elif n == 0:
                self.state.rate(self.focus, None)
        elif n == 0:
            self.state.take_out(self.focus)
        elif n <= self.session.view.k:
            self.state.place(self.focus, n - 1)
            if self.state.unplaced:
                self.state.show(self.state.unplaced[0])

    def _go(self, by: int) -> None:
        order = self.state.order
        self.state.show(order[(order.index(self.focus) + by) % len(order)])

    def _vertical(self, by: int) -> None:
        if self.state.work.step == RANK:
            self._go(by)
        else:
            self._scroll(by)

    def _move_or_scroll(self, by: int) -> None:
        if self.state.work.step == RANK:
            self._move(up=by < 0)
        else:
            self._scroll(by)

    def _move(self, *, up: bool) -> None:
        if self.state.work.step == RANK:
            self.state.move(self.focus, up=up)

    def _tie(self) -> None:
        if self.state.work.step != RANK:
            return
        done = self.state.tie(self.focus)
        if done is Tied.CONFIRMED and self.state.work.unconfirmed:
            self.state.show(self.state.work.unconfirmed[0][0])
        elif done is Tied.TOP:
            self.bench.message = "At the top: there is nothing above to tie it with"
        elif done is Tied.UNPLACED:
            self.bench.message = f"Give {self.focus} a place first"

    def _enter(self) -> None:
        if self.state.work.step == RATE:
            self._next_to_rate()
        else:
            self._review()

    def _next_to_rate(self) -> None:
        unrated = self.state.unrated
        if self.focus in unrated:
            scale = self.session.scale
            self.bench.message = f"Rate {self.focus} with {scale.least} to {scale.most} first"
        elif unrated:
            later = [x for x in unrated if x > self.focus]
            self.state.show((later or unrated)[0])
        else:
            self.state.begin_ranking()
            ties = self.state.work.unconfirmed
            self.state.show(ties[0][0] if ties else self.state.order[0])

    def _review(self) -> None:
        state = self.state
        if state.unplaced and not state.rules.partial:
            state.show(state.unplaced[0])
            self.bench.message = f"Still to be placed: {listed(state.unplaced)}"
        elif state.work.unconfirmed:
            state.show(state.work.unconfirmed[0][0])
        elif obstacles := state.obstacles():
            self.bench.message = obstacles[0]
        else:
            from labelkit.tui.pages.review import ReviewPage

            self.bench.push(ReviewPage(self.bench))

    def _open(self, key: str) -> None:
        from labelkit.tui.pages import choose, reading

        pages: dict[str, Callable[[RankBench], Page]] = {
            "m": choose.FlagsPage,
            "x": choose.MarksPage,
            "p": reading.PromptPage,
            "?": reading.HelpPage,
            "right": choose.RankMenu,
            "s": choose.SkipPage,
        }
        self.bench.push(pages[key](self.bench))

    def _compare(self) -> None:
        from labelkit.tui.pages.compare import ComparePage

        other = self.neighbour() or next(x for x in LETTERS if x != self.focus)
        self.bench.push(ComparePage(self.bench, self.focus, other))

    def _pin(self) -> None:
        self.looks["pinned"] = None if self.looks.get("pinned") == self.focus else self.focus

    def _toggle(self, name: str) -> None:
        self.looks[name] = not self.looks.get(name)

    def _say(self, done: bool, yes: str, no: str) -> None:
        self.bench.message = yes if done else no
