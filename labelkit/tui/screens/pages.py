"""Shows the top page of a bench until only the bottom one is left."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import ComposeResult

from labelkit.tui.bench import Bench
from labelkit.tui.keymap import Keymap
from labelkit.tui.screens.base import DeskScreen
from labelkit.tui.screens.sheet import Sheet
from labelkit.tui.view.paper import Size


class PageScreen(DeskScreen):
    """A sheet over an editor."""

    AUTO_FOCUS = None

    def __init__(self, bench: Bench[Any], keymap: Keymap) -> None:
        super().__init__()
        self._bench = bench
        self._reads = keymap

    def compose(self) -> ComposeResult:
        yield Sheet()

    def on_resize(self) -> None:
        self._draw()

    def on_screen_resume(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self.is_attached and len(self._bench.pages) > 1:
            size = Size(self.size.width, self.size.height)
            self.query_one(Sheet).show(self._bench.draw(size))

    def on_key(self, event: events.Key) -> None:
        key = self._reads.read(event.key, event.character)
        if key is not None:
            event.stop()
            event.prevent_default()
            self._press(key)

    def on_click(self, event: events.Click) -> None:
        if key := event.style.meta.get("press"):
            self._press(str(key))

    def on_mouse_scroll_down(self) -> None:
        self._press("wheeldown")

    def on_mouse_scroll_up(self) -> None:
        self._press("wheelup")

    def _press(self, key: str) -> None:
        if not self.is_current:
            return  # a click that came after the key that closed it
        self._bench.press(key)
        if len(self._bench.pages) > 1 and not self._bench.parting:
            self._draw()
        else:
            self.dismiss(None)
