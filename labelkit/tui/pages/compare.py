"""Two completions side by side, and which of them is better."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from labelkit.tui.bench import RankBench
from labelkit.tui.compare import difference
from labelkit.tui.view.paper import (
    BAR,
    FAINT,
    STRONG,
    WARN,
    Lines,
    Size,
    beside,
    ends,
    fill,
    hints,
    line,
    rule,
)
from labelkit.tui.view.reading import wrapped
from labelkit.tui.wording import count
from labelkit.tui.work import RANK


class ComparePage:
    """`<` left is better, `=` a tie, `>` right is better; a letter or Tab brings another one."""

    def __init__(self, bench: RankBench, left: str, right: str) -> None:
        self.bench = bench
        self.left, self.right = left, right
        self.marks = True
        self.top = 0
        better: dict[str, Callable[[], None]] = {
            "<": lambda: self._prefer(self.left, self.right),
            "left": lambda: self._prefer(self.left, self.right),
            ">": lambda: self._prefer(self.right, self.left),
            "right": lambda: self._prefer(self.right, self.left),
            "=": self._equal,
        }
        self._keys: dict[str, Callable[[], None]] = {
            **better,
            ",": better["<"],
            ".": better[">"],
            "tab": lambda: self._other(1),
            "shift+tab": lambda: self._other(-1),
            "w": self._toggle,
            "u": lambda: self._history(undo=True),
            "r": lambda: self._history(undo=False),
            **dict.fromkeys(("escape", "q", "v", "enter"), bench.pop),
        }

    def draw(self, size: Size) -> Lines:
        session = self.bench.session
        width = (size.width - 1) // 2
        found = difference(session.text(self.left), session.text(self.right))
        marked = self.marks and found.worth_marking
        columns = [
            list(wrapped(session.text(x), width - 2, spans if marked else ()))
            for x, spans in ((self.left, found.left), (self.right, found.right))
        ]
        room = size.height - 3
        self.top = max(0, min(self.top, max(map(len, columns)) - room))
        self._see(columns, room)
        bodies = [
            [
                self._title(x, width),
                *fill([r.pad_left(1) for r in c[self.top : self.top + room]], room, width),
            ]
            for x, c in zip((self.left, self.right), columns, strict=True)
        ]
        head = ends(self._verdict(), line((self._likeness(found.likeness), FAINT)), size.width, BAR)
        body = [x.pad_right(size.width - x.cell_length) for x in beside(bodies[0], bodies[1])]
        return [head, *body, self._hints(size.width)]

    def _see(self, columns: list[Lines], room: int) -> None:
        for letter, lines in zip((self.left, self.right), columns, strict=True):
            self.bench.session.state.saw(letter, (self.top + room) / max(1, len(lines)))

    def _title(self, letter: str, width: int) -> Content:
        session = self.bench.session
        rating = session.state.work.ratings.get(letter)
        said = count(session.words(letter), "word")
        said += f" · {rating}/{session.scale.most}" if rating is not None else ""
        return rule(line((f"Completion {letter} ", STRONG), said), width, "$accent")

    def _verdict(self) -> Content:
        if self.bench.message:
            return line((f" {self.bench.message}", WARN))
        ranks = self.bench.session.state.ranks()
        one, two = ranks.get(self.left), ranks.get(self.right)
        if one is None or two is None:
            return line((f" {self.left} ? {self.right}", STRONG), "  not ranked yet")
        if one == two:
            auto = self.bench.session.state.unconfirmed_with(self.left)
            return line(
                (f" {self.left} = {self.right}", STRONG),
                "  tied" + (", to be checked" if auto else ""),
            )
        sign, better = (">", self.left) if one < two else ("<", self.right)
        return line((f" {self.left} {sign} {self.right}", STRONG), f"  {better} is better")

    def _likeness(self, share: float) -> str:
        note = "" if self.marks else ", not marked"
        return f"{100 * share:.0f}% alike{note} "

    def _hints(self, width: int) -> Content:
        last = self.bench.session.letters[-1].lower()
        pairs = [
            ("<", "<", f"{self.left} better"),
            ("=", "=", "tie"),
            (">", ">", f"{self.right} better"),
            ("tab", f"Tab a–{last}", "other"),
            ("space", "Space", "page"),
            ("w", "w", "marks off" if self.marks else "marks on"),
            ("u", "u", "undo"),
            ("escape", "Esc", "back"),
        ]
        return hints(pairs, width)

    def press(self, key: str) -> None:
        letter = key.upper()
        page = max(1, self.bench.size.height - 4)
        moves = {"space": page, "pagedown": page, "pageup": -page, "backspace": -page}
        moves |= {"down": 1, "j": 1, "up": -1, "k": -1, "wheeldown": 3, "wheelup": -3}
        if len(key) == 1 and letter in self.bench.session.letters:
            if letter != self.left:
                self.right = letter
        elif key in moves:
            self.top += moves[key]
        elif key in self._keys:
            self._keys[key]()

    def _judging(self) -> bool:
        if self.bench.session.state.work.step == RANK:
            return True
        self.bench.message = "Rate all of them first; then this settles the order"
        return False

    def _prefer(self, winner: str, loser: str) -> None:
        if self._judging():
            self.bench.session.state.prefer(winner, loser)

    def _equal(self) -> None:
        if self._judging():
            self.bench.session.state.equal(self.left, self.right)

    def _other(self, by: int) -> None:
        letters = [x for x in self.bench.session.letters if x != self.left]
        self.right = letters[(letters.index(self.right) + by) % len(letters)]

    def _toggle(self) -> None:
        self.marks = not self.marks

    def _history(self, *, undo: bool) -> None:
        state = self.bench.session.state
        done = state.undo() if undo else state.redo()
        self.bench.message = ("Undone" if undo else "Made again") if done else "Nothing to undo"
