"""The bar that comes late: nothing for what is quick, rate and time left for what is not."""

from __future__ import annotations

import io

import pytest

from labelkit.cli import _out


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Tty:
    """Not a fixture: pytest puts its own stderr in place after fixtures ran."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("sys.stderr", stderr := Tty())
    return stderr


def test_nothing_shows_in_the_first_second(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = terminal(monkeypatch)
    bar = _out._LateBar("exporting", "prompts")
    bar.update(1, 10)
    bar.stop()
    assert stderr.getvalue() == ""


def test_then_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = terminal(monkeypatch)
    bar = _out._LateBar("exporting", "prompts")
    monkeypatch.setattr(bar, "_start", bar._start - 10)
    bar.update(250_000, 1_000_000)
    bar.stop()
    shown = stderr.getvalue()
    assert "exporting" in shown
    assert "25 %" in shown
    assert "25 kprompts/s" in shown or "24.9 kprompts/s" in shown
    assert "-:--:--" in shown or "0:00" in shown


@pytest.mark.parametrize(
    ("rate", "short"),
    [(0, "0 "), (999, "999 "), (12_345, "12.3 k"), (4.5e6, "4.5 M"), (2e9, "2 G")],
)
def test_rates_are_short(rate: float, short: str) -> None:
    assert _out._short(rate) == short
