"""Lines of styled text of an exact width: what every part of the screen is made of.

A stored text gets here only as `SafeText`, and leaves as `Content`, which is never read as markup.
Clickable parts carry the key that they stand for, so that the mouse does what the key does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.style import Style

Part = str | Content | tuple[str, str]
Lines = list[Content]

BAR = "on $panel"
FAINT = "$foreground 65%"
STRONG = "bold"
KEY = "bold $accent"
WARN = "bold $warning"
HERE = "bold reverse"
EMPTY = Content("")


@dataclass(frozen=True, slots=True)
class Size:
    """Cells of the terminal."""

    width: int
    height: int


SMALLEST = Size(40, 12)
"""Under this nothing can be read."""


def line(*parts: Part) -> Content:
    """Put parts together: plain strings, (text, style) pairs and Content."""
    return Content.assemble(*parts, strip_control_codes=False)


def fit(content: Content, width: int, style: str = "") -> Content:
    """Cut or fill a line to exactly `width` cells; what was cut ends in an ellipsis."""
    width = max(width, 0)
    fitted = content.truncate(width, ellipsis=True, pad=True)
    return fitted.stylize_before(style) if style else fitted


def ends(left: Content, right: Content, width: int, style: str = "") -> Content:
    """A line with something at either end; the right end goes first when there is no room."""
    room = width - right.cell_length
    if room < left.cell_length + 1:
        return fit(left, width, style)
    return fit(line(fit(left, room), right), width, style)


def press(content: Content | str, key: str, style: str = "") -> Content:
    """Make a click on `content` do what `key` does."""
    made = Content.styled(content, style) if isinstance(content, str) else content
    return made.stylize(Style.from_meta({"press": key})) if key else made


def hints(pairs: Sequence[tuple[str, str, str]], width: int) -> Content:
    """A bar of (key to press, its name, what it does), as many as there is room for."""
    bar = Content(" ")
    for key, name, does in pairs:
        hint = press(line((name, KEY), (f" {does}", FAINT)), key)
        if bar.cell_length + hint.cell_length + 2 > width:
            break
        bar = line(bar, hint, "  ")
    return fit(bar, width, BAR)


def fill(lines: Lines, height: int, width: int) -> Lines:
    """Exactly `height` lines of `width` cells."""
    return [fit(x, width) for x in lines[:height]] + [fit(EMPTY, width)] * (height - len(lines))


def beside(left: Lines, right: Lines, gap: str = "│") -> Lines:
    """Two columns of the same height."""
    return [line(a, (gap, FAINT), b) for a, b in zip(left, right, strict=True)]


def rule(title: Content, width: int, style: str = FAINT) -> Content:
    """A horizontal line with a title in it."""
    shown = title.truncate(max(width - 3, 0), ellipsis=True)
    dashes = max(0, width - shown.cell_length - 3)
    return fit(line(("─ ", style), shown, (" " + "─" * dashes, style)), width)


def box(title: Content, body: Lines, width: int, foot: Content | None = None) -> Lines:
    """A frame around lines."""
    inner = width - 4
    shown = title.truncate(inner, ellipsis=True)
    top = line(
        ("╭─ ", "$accent"), shown, (" " + "─" * (inner - shown.cell_length - 1) + "╮", "$accent")
    )
    rows = [line(("│ ", "$accent"), fit(x, inner), (" │", "$accent")) for x in body]
    if foot is not None:
        rows.append(line(("│ ", "$accent"), fit(foot, inner), (" │", "$accent")))
    return [top, *rows, line(("╰" + "─" * (width - 2) + "╯", "$accent"))]


def over(base: Lines, dialog: Lines, size: Size) -> Lines:
    """Lay a dialog over the middle of a page, which fades behind it."""
    top = max(0, (size.height - len(dialog)) // 2)
    result = [x.stylize("dim") for x in base]
    for i, row in enumerate(dialog[: size.height]):
        left = max(0, (size.width - row.cell_length) // 2)
        result[top + i] = fit(row.pad_left(left), size.width)
    return result
