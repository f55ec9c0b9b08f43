"""Text that came from a model or a file, made inert for a terminal and nothing hidden.

Escape sequences, bidirectional overrides and invisible characters are shown instead of obeyed
(Trojan Source, CVE-2021-42574; CWE-150). What comes out still must be displayed as plain text,
never as markup: brackets are left as they are.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NewType

SafeText = NewType("SafeText", str)
"""A string that `safe_text` made: the only kind a screen takes."""

_KEPT_CONTROLS = "\n\t"
# Format characters that draw something of their own (Unicode, Prepended_Concatenation_Mark).
_VISIBLE_FORMATS = frozenset(
    [*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD]
)
# Letters and marks by category, but blank on a screen.
_BLANKS = frozenset([0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0])
_SELECTORS = frozenset([*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
_SHOWN_CATEGORIES = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])

# Joiners are part of emoji, Persian and Indic spelling; next to ASCII they only hide things.
_JOINER = r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])"
_EMOJI_SELECTOR = r"(?<=[^\x00-\x1f\u180b-\u180f\ufe00-\ufe0f])[\ufe0e\ufe0f](?![\ufe00-\ufe0f])"
_KEPT_IN_CONTEXT = re.compile(f"{_JOINER}|{_EMOJI_SELECTOR}")


def _is_noncharacter(code: int) -> bool:
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def _must_show(code: int) -> bool:
    if chr(code) in _KEPT_CONTROLS or code in _VISIBLE_FORMATS:
        return False
    if code in _BLANKS or code in _SELECTORS or _is_noncharacter(code):
        return True
    return unicodedata.category(chr(code)) in _SHOWN_CATEGORIES


def _picture(code: int) -> str:
    """A control picture for C0, a code point in angle brackets for the rest."""
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"⟨U+{code:04X}⟩"


class _Translation(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = _picture(code) if _must_show(code) else chr(code)
        return self[code]


_TRANSLATION = _Translation()


def safe_text(text: str) -> SafeText:
    r"""Return `text` with every control, bidi and invisible character made visible.

    Line feeds and tabs stay; CR LF becomes LF.

    >>> safe_text("red \x1b[31m alert\u202e")
    'red ␛[31m alert⟨U+202E⟩'
    >>> safe_text("[bold]not markup[/bold]")
    '[bold]not markup[/bold]'
    """
    text = text.replace("\r\n", "\n")
    pieces, start = [], 0
    for kept in _KEPT_IN_CONTEXT.finditer(text):
        pieces += [text[start : kept.start()].translate(_TRANSLATION), kept.group()]
        start = kept.end()
    return SafeText("".join([*pieces, text[start:].translate(_TRANSLATION)]))


def count_hidden(text: str) -> int:
    r"""Count the characters of `text` that `safe_text` has to show.

    >>> count_hidden("a\x00b\u200bc\n")
    2
    """
    plain = _KEPT_IN_CONTEXT.sub("", text.replace("\r\n", "\n"))
    return sum(_TRANSLATION[ord(c)] != c for c in plain)


def one_line(text: str, width: int = 80) -> SafeText:
    r"""Return a safe, single-line preview of at most `width` characters.

    >>> one_line("first line\nsecond line", 15)
    'first line sec…'
    """
    line = " ".join(text[: width * 8].split())
    safe = safe_text(line)
    return SafeText(safe if len(safe) <= width else safe[: width - 1] + "…")
