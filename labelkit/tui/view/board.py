"""The board: every completion in one column, in the order it stands in now."""

from __future__ import annotations

import re
from functools import lru_cache

from textual.content import Content

from labelkit.domain.safe_text import SafeText
from labelkit.tui.session import RankSession
from labelkit.tui.view.layout import Layout
from labelkit.tui.view.paper import FAINT, HERE, STRONG, WARN, Lines, fill, fit, line, press, rule
from labelkit.tui.wording import count
from labelkit.tui.work import RATE

_DECORATION = re.compile(r"[*_#`>\s-]+")
_MARGIN = 4


def board(session: RankSession, layout: Layout) -> Lines:
    """A title and a block of rows for each completion, the one in front always in sight."""
    blocks = _blocks(session, layout)
    room = layout.body - 1
    rows = [row for _, block in blocks for row in block]
    if len(rows) > room:
        blocks = [(letter, block[:1]) for letter, block in blocks]
        rows = [row for _, block in blocks for row in block]
    shown = _around(blocks, session.state.work.focus, room)
    title = rule(_title(session), layout.board)
    return [title, *fill(shown or rows, room, layout.board)]


def _around(blocks: list[tuple[str, Lines]], focus: str, room: int) -> Lines:
    """The rows that fit, with the completion in front among them."""
    rows: Lines = []
    at = 0
    for letter, block in blocks:
        if letter == focus:
            at = len(rows)
        rows += block
    start = max(0, min(at - room // 2, len(rows) - room))
    return rows[start : start + room]


def _title(session: RankSession) -> Content:
    state, k = session.state, session.view.k
    if state.work.step == RATE:
        return line(("Completions ", STRONG), f"{k - len(state.unrated)} of {k} rated")
    return line(("Ranking ", STRONG), _progress(session))


def _progress(session: RankSession) -> str:
    state = session.state
    if state.unplaced and not state.rules.partial:
        return f"{len(state.unplaced)} to place"
    if ties := len(state.work.unconfirmed):
        return f"{count(ties, 'tie')} to check"
    return "complete ✓"


def _blocks(session: RankSession, layout: Layout) -> list[tuple[str, Lines]]:
    state = session.state
    previews = _preview_rows(session, layout)
    blocks: list[tuple[str, Lines]] = []
    if state.work.step == RATE:
        marks = {x: "✓" if x in state.work.ratings else " " for x in session.letters}
        order = list(session.letters)
    else:
        marks, order = _places(session), state.order
    for letter in order:
        if state.work.step != RATE and letter in state.unplaced[:1]:
            left_out = "not ranked" if state.rules.partial else "to place"
            blocks.append(("", [line((f"── {left_out} ──", FAINT))]))
        blocks.append((letter, _block(session, letter, marks.get(letter, ""), layout, previews)))
    return blocks


def _places(session: RankSession) -> dict[str, str]:
    """The sign in front of each placed letter: its place, or that it is tied."""
    signs = {}
    for number, place in enumerate(session.state.work.places, 1):
        for n, letter in enumerate(place):
            checked = session.state.unconfirmed_with(letter) is None
            signs[letter] = str(number) if n == 0 else ("=" if checked else "=?")
    return signs


def _preview_rows(session: RankSession, layout: Layout) -> int:
    """How many rows of each text there is room for below its first line."""
    if not layout.tall or layout.board < 30:
        return 0
    return max(0, min(3, (layout.body - 1) // (session.view.k + 1) - 1))


def _block(session: RankSession, letter: str, mark: str, layout: Layout, previews: int) -> Lines:
    work = session.state.work
    here = letter == work.focus
    rating = work.ratings.get(letter)
    head = line(
        ("▸" if here else " ", STRONG),
        (f"{mark:>2} ", WARN if mark == "=?" else STRONG),
        (f"{letter} ", "bold $text-primary"),
        (str(rating) if rating is not None else "·", STRONG),
        ("⚑", WARN) if work.flags.get(letter) else " ",
        ("✎ ", WARN) if work.notes.get(letter) else "  ",
    )
    text = preview(session.text(letter))
    if not previews:
        row = fit(line(head, (text, FAINT)), layout.board)
        return [press(row.stylize(HERE) if here else row, letter.lower())]
    inner = layout.board - _MARGIN - 1
    rows = list(_wrapped(text, inner)[: previews + 1])
    if len(rows) > previews:
        rows = [*rows[: previews - 1], fit(line(rows[previews - 1].rstrip(), "…"), inner)]
    first = fit(head, layout.board)
    below = [fit(row.pad_left(_MARGIN).stylize(FAINT), layout.board) for row in rows]
    block = [first.stylize(HERE) if here else first, *below]
    return [press(row, letter.lower()) for row in block]


@lru_cache(maxsize=64)
def _wrapped(text: SafeText, width: int) -> tuple[Content, ...]:
    return tuple(Content(text, strip_control_codes=False).wrap(width))


@lru_cache(maxsize=64)
def preview(text: SafeText) -> SafeText:
    """The beginning of a text in one line, without Markdown's signs."""
    return SafeText(_DECORATION.sub(" ", text[:600]).strip())
