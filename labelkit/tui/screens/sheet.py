"""One widget that shows lines of Content and repaints only the lines that changed."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from labelkit.tui.view.paper import Lines


class Sheet(Widget):
    """A page of text. Few bytes per key matter to those who work over ssh."""

    DEFAULT_CSS = "Sheet { width: 100%; height: 100%; background: $background; }"
    ALLOW_SELECT = False

    def __init__(self, name: str | None = None) -> None:
        super().__init__(id=name)
        self._lines: Lines = []

    def show(self, lines: Lines) -> None:
        """Replace the lines."""
        old, self._lines = self._lines, lines
        if len(old) != len(lines):
            self.refresh()
            return
        changed = [y for y, line in enumerate(lines) if not line.is_same(old[y])]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """Part of Textual's line API."""
        width = self.size.width
        line = self._lines[y] if y < len(self._lines) else Content("")
        strips = Visual.to_strips(self, line, width, 1, self.visual_style)
        # Without colour Textual reads the style of every segment, so none may be without one.
        style = self.rich_style
        return strips[0].adjust_cell_length(width, style) if strips else Strip.blank(width, style)
