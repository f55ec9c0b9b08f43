"""An editor for a note, over the page below."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from labelkit.tui.bench import Bench
from labelkit.tui.screens.editor import Editor


class NoteScreen(ModalScreen[None]):
    """Every key goes to the bench, which keeps it."""

    BINDINGS: ClassVar = [Binding("escape,ctrl+s", "close", "Close", priority=True)]
    DEFAULT_CSS = """
    NoteScreen { align: center middle; background: $background 60%; }
    NoteScreen > Vertical { width: 76; max-width: 96%; height: 14; max-height: 90%;
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
        with Vertical() as frame:
            frame.border_title = Content(note.title)
            yield Editor(note.text)
            yield Static(Content("Esc closes · every key is saved"))

    def on_mount(self) -> None:
        editor = self.query_one(Editor)
        editor.focus()
        editor.move_cursor(editor.document.end)

    def on_text_area_changed(self, event: Editor.Changed) -> None:
        self._bench.write_note(event.text_area.text)

    def action_close(self) -> None:
        self._bench.end_note()
        self.dismiss(None)
