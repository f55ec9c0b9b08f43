"""A text area that takes only what a terminal can be shown."""

from __future__ import annotations

import re
from typing import Any

from textual.document._edit import Edit
from textual.widgets import TextArea

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def editable(text: str) -> str:
    r"""Text without control and bidi characters, which an editor would pass on to the terminal.

    >>> editable("a\x1b]52;c;x\x07b\r\nc")
    'a]52;c;xb\nc'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", re.sub("[\u2028\u2029]", "\n", lines))


class Editor(TextArea):
    """Typed, pasted or loaded: everything goes through `editable`."""

    def __init__(self, text: str, **options: Any) -> None:
        super().__init__(editable(text), soft_wrap=True, tab_behavior="focus", **options)

    def edit(self, edit: Edit) -> Any:
        edit.text = editable(edit.text)
        return super().edit(edit)
