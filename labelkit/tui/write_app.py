"""The screen for demonstrations: the prompt beside an editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container

from labelkit.tui.bench import WriteBench
from labelkit.tui.desk import WriteDesk
from labelkit.tui.keymap import Keymap
from labelkit.tui.pages.write import EditPage, first_pages
from labelkit.tui.screens.base import DeskApp, DeskScreen, Keeper
from labelkit.tui.screens.editor import Editor, editable
from labelkit.tui.screens.note import NoteScreen
from labelkit.tui.screens.pages import PageScreen
from labelkit.tui.screens.sheet import Sheet
from labelkit.tui.session import WriteSession
from labelkit.tui.view.layout import NORMAL
from labelkit.tui.view.paper import Size


class WriteScreen(DeskScreen):
    """Prompt and editor; side by side where there is room."""

    BINDINGS: ClassVar = [
        Binding("ctrl+s", "meant('ctrl+s')", priority=True),
        Binding("ctrl+p", "meant('ctrl+p')", priority=True),
        Binding("escape", "meant('escape')", priority=True),
        Binding("f1", "meant('?')", priority=True),
    ]
    DEFAULT_CSS = """
    WriteScreen #head { height: 1; }
    WriteScreen #foot { height: 2; }
    WriteScreen #desk { height: 1fr; layout: vertical; }
    WriteScreen #prompt { height: 40%; }
    WriteScreen Editor, WriteScreen Editor:focus { height: 1fr; border: none;
        border-top: solid $accent; padding: 0 1; background: $surface; }
    WriteScreen.side #desk { layout: horizontal; }
    WriteScreen.side #prompt { width: 45%; height: 100%; }
    WriteScreen.side Editor { width: 1fr; height: 100%; }
    """

    def __init__(self, bench: WriteBench, keymap: Keymap) -> None:
        super().__init__()
        self.bench = bench
        self._reads = keymap
        self._keeper = Keeper(self, bench)
        self._shown = ""

    def compose(self) -> ComposeResult:
        yield Sheet("head")
        with Container(id="desk"):
            yield Sheet("prompt")
            yield Editor("")
        yield Sheet("foot")

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Editor))
        self.set_interval(1.0, self.draw)
        super().on_mount()

    def on_resize(self, event: events.Resize) -> None:
        self.bench.size = Size(event.size.width, event.size.height)
        self.set_class(event.size.width >= NORMAL, "side")
        if not self.bench.pages and not self.bench.start():
            self.app.exit()
        if self.bench.parting is not None:
            return
        self._load()
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Bring everything around the editor up to date."""
        if not self.is_attached or self.bench.parting or not self.bench.pages:
            return
        page = self.bench.pages[0]
        assert isinstance(page, EditPage)
        prompt = self.query_one("#prompt", Sheet)
        self.query_one("#head", Sheet).show([page.header(self.size.width)])
        prompt.show(page.prompt(Size(prompt.size.width, max(2, prompt.size.height))))
        self.query_one("#foot", Sheet).show(page.foot(self.size.width))

    def _load(self) -> None:
        """Bring a newly opened task into the editor."""
        if self.bench.parting is None and not self._in_editor():
            self._shown = self._handle()
            editor = self.query_one(Editor)
            editor.load_text(editable(self.bench.session.text))
            editor.move_cursor(editor.document.end)

    def on_text_area_changed(self) -> None:
        self.keep()
        self.draw()

    def keep(self) -> None:
        """The editor's text is the demonstration, once a task is in it."""
        text = self.query_one(Editor).text
        if self._in_editor() and text != editable(self.bench.session.text):
            self.bench.session.text = text
            self.bench.message = ""
            self.bench.session.clock.touch()
            self.bench.save()
            self._keeper.touched()

    def _in_editor(self) -> bool:
        """Whether the task at hand is the one in the editor."""
        return self.bench.session.open and self._handle() == self._shown

    def _handle(self) -> str:
        view = self.bench.session.view
        return view.handle + (view.revises or "")

    def on_click(self, event: events.Click) -> None:
        if key := event.style.meta.get("press"):
            self.action_meant(str(key))

    def action_meant(self, key: str) -> None:
        """Do what a key means outside of the text."""
        self.keep()
        self.bench.press(key)
        self._after_key()

    def _after_key(self, _: object = None) -> None:
        """Show what a key led to: the end, a note, another page, or another task."""
        if self.bench.parting is not None:
            self.app.exit()
        elif self.bench.note is not None:
            self.app.push_screen(NoteScreen(self.bench), self._after_key)
        elif len(self.bench.pages) > 1:
            self.app.push_screen(PageScreen(self.bench, self._reads), self._after_key)
        else:
            self._load()
            self.draw()


class WriteApp(DeskApp):
    """Writes until the labeler leaves or nothing is left."""

    def __init__(self, desk: WriteDesk, *, keys: Mapping[str, Any], theme: str) -> None:
        super().__init__(theme)
        self._reads = Keymap(keys)
        self.bench = WriteBench(WriteSession(desk, "screen"), Size(80, 24), first_pages)

    def get_default_screen(self) -> WriteScreen:
        """Part of Textual's App: the screen that everything else lies on."""
        return WriteScreen(self.bench, self._reads)
