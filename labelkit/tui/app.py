"""The ranking screen as a Textual app: keys and the mouse in, lines out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual import events
from textual.app import ComposeResult

from labelkit.tui.bench import RankBench
from labelkit.tui.desk import RankDesk
from labelkit.tui.keymap import Keymap
from labelkit.tui.pages.rank import first_pages
from labelkit.tui.screens.base import DeskApp, DeskScreen, Keeper
from labelkit.tui.screens.sheet import Sheet
from labelkit.tui.session import RankSession
from labelkit.tui.view.paper import Size


class RankScreen(DeskScreen):
    """Shows the bench, and passes keys on to it."""

    AUTO_FOCUS = None

    def __init__(self, bench: RankBench, keymap: Keymap) -> None:
        super().__init__()
        self.bench = bench
        self._keymap = keymap
        self._keeper = Keeper(self, bench)

    def compose(self) -> ComposeResult:
        yield Sheet()

    def on_mount(self) -> None:
        """Open the first task before anything is painted: what comes later waits for a frame."""
        self.bench.size = Size(*self.app.size)
        if not self.bench.start():
            self._after_key()
        self.draw()
        self.set_interval(1.0, self.draw)
        super().on_mount()

    def on_resize(self, event: events.Resize) -> None:
        self.bench.size = Size(*event.size)
        self.draw()

    def draw(self) -> None:
        """Bring the sheet up to date."""
        if self.bench.pages and not self.bench.parting and self.is_attached:
            self.query_one(Sheet).show(self.bench.draw(self.bench.size))

    def on_key(self, event: events.Key) -> None:
        key = self._keymap.read(event.key, event.character)
        if key is not None:
            event.stop()
            event.prevent_default()
            self.press(key)

    def on_click(self, event: events.Click) -> None:
        if key := event.style.meta.get("press"):
            self.press(str(key))

    def on_mouse_scroll_down(self) -> None:
        self.press("wheeldown")

    def on_mouse_scroll_up(self) -> None:
        self.press("wheelup")

    def press(self, key: str) -> None:
        """Do what a key means, and what follows from it."""
        if not self.bench.pages or self.bench.parting:
            return
        self.bench.press(key)
        self._after_key()
        self.draw()

    def _after_key(self) -> None:
        if self.bench.parting is not None:
            self.app.exit()
        elif self.bench.note is not None:
            from labelkit.tui.screens.note import NoteScreen

            self.app.push_screen(NoteScreen(self.bench), lambda _: self.draw())
        else:
            self._keeper.touched()


class RankApp(DeskApp):
    """Ranks until the labeler leaves or nothing is left."""

    def __init__(self, desk: RankDesk, *, keys: Mapping[str, Any], theme: str) -> None:
        super().__init__(theme)
        self._reads = Keymap(keys)
        self.bench = RankBench(RankSession(desk, "screen"), Size(80, 24), first_pages)

    def get_default_screen(self) -> RankScreen:
        """Part of Textual's App: the screen that everything else lies on."""
        return RankScreen(self.bench, self._reads)
