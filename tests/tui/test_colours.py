"""The screen itself, in every theme and without colour, on every page and at every size."""

from __future__ import annotations

from typing import Any

import pytest
from desks import FakeDesk, a_view
from textual.color import Color

from labelkit.tui.app import RankApp
from labelkit.tui.screens.base import PAPER, THEMES

SIZES = [(80, 24), (120, 36), (160, 45), (200, 50)]
TEXTS = ["alpha " * 300, "beta " * 300, "潮の満ち引き" * 40, "\x1b[31mred\u202e [bold]"]
PAGES = {
    "5": "How good is A?",
    "p": "Prompt",
    "escape m": "Flags",
    "1 enter n": "Note on completion A",
    "o k escape ?": "Guideline",
    "escape enter 5 enter 3 enter 1 enter": "Ranking",
    "v": "alike",
    "escape w": "Markdown",
    "w s": "Skip this task",
    "escape right": "What would you like to do?",
    "escape = enter": "Enter submits",
}


def plain(app: RankApp) -> str:
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


async def walk(app: RankApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for keys, expected in PAGES.items():
            await pilot.press(*keys.split())
            await pilot.pause()
            assert expected in plain(app), keys


def an_app(theme: str) -> RankApp:
    desk: Any = FakeDesk([a_view(TEXTS)])
    return RankApp(desk, keys={}, theme=theme)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
async def test_every_page_without_colour(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    await walk(an_app("dark"), size)


@pytest.mark.parametrize("theme", THEMES)
async def test_every_page_in_every_theme(theme: str) -> None:
    await walk(an_app(theme), SIZES[0])


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in Color.parse(colour).normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["accent", "warning", "error", "success", "foreground"])
def test_the_light_theme_can_be_read(name: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 : 1 for text."""
    ink = luminance(getattr(PAPER, name))
    for ground in (PAPER.background, PAPER.surface, PAPER.panel):
        assert (luminance(str(ground)) + 0.05) / (ink + 0.05) >= 4.5
