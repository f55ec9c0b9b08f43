"""Keys as the pages know them, whatever keyboard they were pressed on.

Letters count in either case. `[keys]` in labelkit.toml says which key stands for which, so that
keyboards without these letters, or with digits behind Shift, can do everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelkit.errors import UsageError

NAMED = frozenset(
    [
        *("space", "tab", "shift+tab", "enter", "escape", "backspace", "ctrl+p"),
        *("pageup", "pagedown", "home", "end", "up", "down", "left", "right"),
        *("shift+up", "shift+down"),
    ]
)
SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789=+-<>,.?")


class Keymap:
    """Turns what the terminal reports into the key that the pages act on."""

    def __init__(self, table: Mapping[str, Any] | None = None, origin: str = "[keys]") -> None:
        """Raises UsageError for a key that nothing answers to."""
        self._table: dict[str, str] = {}
        for pressed, meant in (table or {}).items():
            if not isinstance(meant, str) or meant.lower() not in NAMED | SIGNS:
                raise UsageError(
                    f"{origin}: {pressed!r} = {meant!r}: there is no such key to stand for",
                    hint="a letter, a digit, one of =+-<>?, or a name such as space or ctrl+p",
                )
            self._table[pressed.lower()] = meant.lower()

    def read(self, name: str, character: str | None) -> str | None:
        """The key that was meant; None when the pages have no use for it.

        >>> Keymap().read("upper_a", "A"), Keymap().read("f5", None)
        ('a', None)
        >>> Keymap({"f5": "?", "&": "1"}).read("f5", None)
        '?'
        """
        sign = (character or "").lower()
        for pressed in (name.lower(), sign):
            if pressed and pressed in self._table:
                return self._table[pressed]
        if name in NAMED:
            return name
        return sign if sign in SIGNS and sign else None
