"""Numbers as people read them."""

from __future__ import annotations

from labelkit.plugins import Measured

_TRACK = 24


def share(value: float | None, *, percent: bool = True) -> str:
    """A number as people read it; what is undefined is said."""
    if value is None:
        return "undefined"
    return f"{100 * value:.1f} %" if percent else f"{value:.3f}"


def span(found: Measured, *, percent: bool = False) -> str:
    """An interval as people read it."""
    if found.low is None or found.high is None:
        return ""
    scale, places = (100, 1) if percent else (1, 3)
    return f"{scale * found.low:.{places}f} to {scale * found.high:.{places}f}"


def track(found: Measured, least: float, most: float, line: float | None = None) -> str:
    """Draw a value in its interval on a line from `least` to `most`, in text.

    >>> track(Measured(value=0.5, low=0.25, high=0.75), 0, 1, line=0.1)
    '··┊···━━━━━━●━━━━━━·····'
    """
    if found.value is None:
        return ""
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    cells = ["·"] * _TRACK
    if line is not None:
        cells[_cell(line, least, most)] = "┊"
    for at in range(_cell(low, least, most), _cell(high, least, most) + 1):
        cells[at] = "━"
    cells[_cell(found.value, least, most)] = "●"
    return "".join(cells)


def _cell(value: float, least: float, most: float) -> int:
    return min(_TRACK - 1, max(0, int((value - least) / (most - least) * _TRACK)))
