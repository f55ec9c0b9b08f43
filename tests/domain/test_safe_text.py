"""No code point reaches a terminal unseen or obeyed, and nothing else is touched."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.domain.safe_text import count_hidden, one_line, safe_text

OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]")
INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
PREPENDED = {*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}


def test_every_code_point() -> None:
    shown = 0
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        safe = safe_text(char)
        hidden = unicodedata.category(char) in INVISIBLE and code not in PREPENDED
        if hidden and char not in "\n\t":
            assert safe != char, hex(code)
            shown += 1
        assert all(
            unicodedata.category(c) not in INVISIBLE or ord(c) in PREPENDED
            for c in safe
            if c not in "\n\t"
        ), hex(code)
        assert safe == char or count_hidden(char) == 1, hex(code)
    assert shown > 2000


@pytest.mark.parametrize(
    "payload",
    [
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b[2J\x1b[H",
        "\x1b]0;title\x1b\\",
        "\x9b31m",
        "\x1bPq#0\x1b\\",
        "a\rb",
        "\u202eright to left\u202c",
        "pass\u200bword",
        "in\u2066visible\u2069",
        "\ufeffmark",
        "a\u200cb",
        "x\u2028y",
        "\U000e0041tag",
        "\x7f",
    ],
)
def test_payloads_are_shown_and_counted(payload: str) -> None:
    safe = safe_text(payload)
    assert not OBEYED.search(safe)
    assert "\x1b" not in safe
    assert count_hidden(payload) > 0


@pytest.mark.parametrize(
    "text",
    [
        "plain [bold]brackets[/bold] [/nope] [@click=app.quit]x[/]",
        "tabs\tand\nlines",
        "日本語 العربية עברית हिन्दी",
        "می\u200cخواهم",  # Persian, with its joiner
        "👩\u200d👩\u200d👧 family ❤\ufe0f",
        "क्\u200dष",
    ],
)
def test_honest_text_is_left_alone(text: str) -> None:
    assert safe_text(text) == text
    assert count_hidden(text) == 0


def test_line_ends_of_windows_are_line_ends() -> None:
    assert safe_text("a\r\nb") == "a\nb"
    assert safe_text("a\rb") == "a␍b"


@given(st.text())
def test_safe_text_is_stable_and_keeps_what_is_visible(text: str) -> None:
    safe = safe_text(text)
    assert safe_text(safe) == safe
    assert (count_hidden(text) == 0) == (safe == text.replace("\r\n", "\n"))


@given(st.text(max_size=300), st.integers(2, 60))
def test_previews_fit_on_a_line(text: str, width: int) -> None:
    line = one_line(text, width)
    assert len(line) <= width
    assert "\n" not in line
    assert not OBEYED.search(line)
