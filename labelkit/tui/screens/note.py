"""An editor for a note, below the page that it is about."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from labelkit.tui.bench import Bench
from labelkit.tui.screens.base import DeskScreen
from labelkit.tui.screens.editor import Editor, editable
from labelkit.tui.screens.sheet import Sheet
from labelkit.tui.view.paper import Size


class NoteScreen(DeskScreen):
    """Every key goes to the bench, which keeps it."""

    BINDINGS: ClassVar = [Binding("escape,ctrl+s", "close", "Close", priority=True)]
    DEFAULT_CSS = """
    NoteScreen { layers: below above; background: $background; }
    NoteScreen > Sheet { layer: below; }
    NoteScreen > Vertical { layer: above; dock: bottom; width: 100%; height: 9; max-height: 90%;
        border: round $accent; background: $surface; border-title-style: bold; }
    NoteScreen Editor, NoteScreen Editor:focus { height: 1fr; border: none; padding: 0 1; }
    NoteScreen Static { height: 1; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, bench: Bench[Any]) -> None:
        super().__init__()
        self._bench = bench

    def compose(self) -> ComposeResult:
        note = self._bench.note
        assert note is not None
        yield Sheet()
        with Vertical() as frame:
            frame.border_title = Content(note.title)
            yield Editor(note.text)
            yield Static(Content("Esc closes · every key is saved"))

    def on_mount(self) -> None:
        editor = self.query_one(Editor)
        self.set_focus(editor)
        editor.move_cursor(editor.document.end)
        super().on_mount()

    def on_resize(self) -> None:
        """What the note is about stays in sight."""
        size = Size(self.size.width, self.size.height)
        below = [line.stylize("dim") for line in self._bench.draw(size)]
        self.query_one(Sheet).show(below)

    def on_text_area_changed(self) -> None:
        self.keep()

    def keep(self) -> None:
        note = self._bench.note
        text = self.query_one(Editor).text
        if note is not None and text != editable(self._bench.session.note_on(note.letter)):
            self._bench.write_note(text)

    def action_close(self) -> None:
        if not self.is_current:
            return
        self.keep()
        self._bench.end_note()
        self.dismiss(None)
