"""The bars around the texts: header, prompt, question, keys."""

from __future__ import annotations

from textual.content import Content

from labelkit.domain.safe_text import safe_text
from labelkit.domain.tasks import TaskView
from labelkit.tui.session import RankSession
from labelkit.tui.view.paper import (
    BAR,
    EMPTY,
    FAINT,
    HERE,
    KEY,
    STRONG,
    WARN,
    Lines,
    Size,
    ends,
    fit,
    hints,
    line,
    press,
)
from labelkit.tui.view.reading import wrapped
from labelkit.tui.wording import contradiction, count, minutes, prompt_blocks, task_title
from labelkit.tui.work import RANK, RATE

_BAR_CELLS = 12


def header(session: RankSession, size: Size, trouble: str) -> Content:
    """Which task, which step, how long, and whether everything is saved."""
    view, step = session.view, session.state.work.step
    tabs = line(
        press(" 1 Rate ", "escape", HERE if step == RATE else FAINT),
        ("›", FAINT),
        press(" 2 Rank ", "enter", HERE if step == RANK else FAINT),
    )
    title = line((f" {task_title(view)} ", STRONG), *_progress(view), "  ", tabs)
    state = (f"! {safe_text(trouble)}", WARN) if trouble else ("✓ saved", FAINT)
    right = line((minutes(session.clock.seconds), FAINT), "  ", state, "  ")
    right = line(right, press(line(("?", KEY), (" help ", FAINT)), "?"))
    return ends(title, right, size.width, BAR)


def _progress(view: TaskView) -> list[tuple[str, str]]:
    if view.revises:
        return []
    filled = round(_BAR_CELLS * view.done / view.total)
    return [("━" * filled, "$success"), ("─" * (_BAR_CELLS - filled), FAINT)]


def prompt_lines(view: TaskView, width: int) -> Lines:
    """The whole prompt, wrapped, its kind and its turns headed."""
    lines: Lines = []
    for heading, text in prompt_blocks(view):
        if lines:
            lines.append(EMPTY)
        if heading:
            lines.append(Content.styled(heading, "bold $accent"))
        lines += wrapped(text, width) if text else ()
    return lines


def prompt_strip(view: TaskView, width: int, room: int) -> Lines:
    """The prompt's first rows, and how many more there are."""
    lines = prompt_lines(view, width - 3)
    shown = lines[:room]
    if len(lines) > room:
        more = line((f" … {count(len(lines) - room, 'more line')}: ", FAINT), ("p", KEY))
        kept = shown[-1].truncate(max(0, width - 3 - more.cell_length))
        shown[-1] = line(kept.rstrip(), more)
    return [press(fit(line(("▌ ", "$accent"), x), width, "on $surface"), "p") for x in shown]


def question(session: RankSession, width: int, message: str, *, strip: bool) -> Lines:
    """The two rows that ask for something, or say what just happened."""
    if session.state.work.step == RATE:
        first, second = _ask_rating(session), _rated(session, width, message, strip=strip)
    else:
        first, second = _ask_ranking(session, message)
    return [fit(line(" ", row), width, "on $surface") for row in (first, second)]


def _ask_rating(session: RankSession) -> Content:
    letter, scale = session.state.work.focus, session.scale
    rating = session.state.work.ratings.get(letter)
    buttons = [
        press(f" {n} ", str(n), HERE if n == rating else STRONG)
        for n in range(scale.least, scale.most + 1)
    ]
    names = [scale.labels.get(n, "") for n in (scale.least, scale.most)]
    poles = f"{scale.least} {names[0]} – {scale.most} {names[1]}"
    said = poles if rating is None else scale.labels.get(rating, "")
    return line((f"How good is {letter}? ", STRONG), *buttons, (f"  {safe_text(said)}", FAINT))


def _rated(session: RankSession, width: int, message: str, *, strip: bool) -> Content:
    work = session.state.work
    letter = work.focus
    said = line((message, WARN)) if message else _said_of(session, letter)
    if not strip:
        return said
    cells = []
    for x in session.letters:
        style = HERE if x == letter else ("" if x in work.ratings else FAINT)
        cells.append(press(f" {x}{work.ratings.get(x, '·')} ", x.lower(), style))
    return ends(said, line(*cells), width - 1)


def _said_of(session: RankSession, letter: str) -> Content:
    """Flags and note of a completion, in one line."""
    work = session.state.work
    flags, note = work.flags.get(letter, ()), work.notes.get(letter, "")
    parts: list[tuple[str, str]] = [("⚑ " + ", ".join(flags) + "  ", WARN)] if flags else []
    if note:
        parts.append(("✎ " + " ".join(safe_text(note).split()), FAINT))
    return line(*parts)


def _ask_ranking(session: RankSession, message: str) -> tuple[Content, Content]:
    state, letter = session.state, session.state.work.focus
    order = line((session.order_text, STRONG))
    if message:
        return line((message, WARN)), order
    if group := state.unconfirmed_with(letter):
        tie = (" = ".join(group), STRONG)
        how = line(
            tie, " have the same rating.  ", ("=", KEY), " keep the tie   ", ("k j", KEY),
            f" move {letter} up, down   ", ("v", KEY), " compare",
        )  # fmt: skip
        return how, order
    if letter in state.unplaced:
        way = f"1 best – {session.view.k} worst; the same place is a tie"
        if state.rules.partial:
            way += "; or leave it unranked"
        return line((f"Which place for {letter}?  ", STRONG), (way, FAINT)), order
    return order, _last_word(session)


def _last_word(session: RankSession) -> Content:
    state = session.state
    if found := state.contradictions():
        return line((f"! {contradiction(*found[0])}", WARN))
    if obstacles := state.obstacles():
        return line((f"still {obstacles[0]}", WARN))
    return line(("Enter", KEY), (" to review and submit", FAINT))


def keys(session: RankSession, width: int) -> Content:
    """What the keys do here; as many as there is room for, the most needed first."""
    k = session.view.k
    last = session.letters[-1].lower()
    if session.state.work.step == RATE:
        scale = session.scale
        onward = "next" if session.state.unrated else "to ranking"
        pairs = [
            ("", f"{scale.least}–{scale.most}", "rate"),
            ("space", "Space", "page"),
            ("enter", "Enter", onward),
            ("", f"a–{last}", "show"),
            ("m", "m", "flag"),
            ("n", "n", "note"),
            ("right", "→", "more"),
            ("q", "q", "quit"),
            ("u", "u", "undo"),
            ("s", "s", "skip"),
            ("v", "v", "compare"),
            ("x", "x", "prompt marks"),
            ("t", "t", "task note"),
            ("w", "w", "Markdown"),
        ]
    else:
        pairs = [
            ("", "↑↓", "choose"),
            ("", f"1–{k}", "place"),
            ("", "k j", "move"),
            ("=", "=", "tie"),
            ("v", "v", "compare"),
            ("enter", "Enter", "submit"),
            ("right", "→", "more"),
            ("u", "u", "undo"),
            ("escape", "Esc", "back"),
            ("q", "q", "quit"),
            ("m", "m", "flag"),
            ("n", "n", "note"),
            ("s", "s", "skip"),
            ("", "+ -", "rating"),
            ("z", "z", "hide board"),
        ]
    return hints(pairs, width)
