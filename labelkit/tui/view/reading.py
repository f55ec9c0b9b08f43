"""Texts to be read: wrapped to lines, aligned, differences marked, or rendered as Markdown."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING

from textual.content import Content

from labelkit.domain.safe_text import SafeText
from labelkit.tui.view.paper import Lines

if TYPE_CHECKING:
    from labelkit.tui.compare import Spans

MOST_READABLE = 92
"""Cells; wider lines of text are hard to read."""

DIFFERENT = "bold underline $warning"
_RTL = frozenset(["R", "AL"])


@lru_cache(maxsize=64)
def wrapped(text: SafeText, width: int, marked: Spans = ()) -> tuple[Content, ...]:
    """Wrap a text; `marked` are (start, end) ranges that differ from another text.

    A paragraph that begins in a right-to-left script stands at the right edge.
    """
    width = max(4, min(width, MOST_READABLE))
    content = Content(text, strip_control_codes=False)
    for start, end in marked:
        content = content.stylize(DIFFERENT, start, end)
    lines: Lines = []
    for paragraph in content.split("\n", allow_blank=True):
        rtl = begins_rtl(paragraph.plain)
        lines += paragraph.wrap(width, align="right" if rtl else "left") or [paragraph]
    return tuple(lines)


def begins_rtl(text: str) -> bool:
    """Whether the first letter with a direction runs from right to left.

    >>> begins_rtl("1. שלום"), begins_rtl("ok שלום")
    (True, False)
    """
    strong = (unicodedata.bidirectional(c) for c in text)
    return next((d in _RTL for d in strong if d in _RTL or d == "L"), False)


@lru_cache(maxsize=64)
def rendered(text: SafeText, width: int) -> tuple[Content, ...]:
    """Render a text as Markdown. Links show their address; no link can be followed."""
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.text import Text

    width = max(4, min(width, MOST_READABLE))
    console = Console(width=width, file=StringIO(), color_system="truecolor", force_terminal=True)
    lines = console.render_lines(Markdown(text, hyperlinks=False), pad=False)
    return tuple(
        Content.from_rich_text(
            Text.assemble(*((s.text, s.style or "") for s in found if not s.control))
        )
        for found in lines
    )
