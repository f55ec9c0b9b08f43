"""What both apps share: signals, failures, and a terminal left as it was found."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import time
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.theme import Theme

from labelkit.domain.tasks import LEASE_SECONDS
from labelkit.errors import LabelkitError, UsageError
from labelkit.tui.bench import FLOOD, Bench

# Textual's own light theme writes key names in an orange of 1.9 : 1; these are over 4.5 : 1.
PAPER = Theme(
    "labelkit-light",
    primary="#004578",
    secondary="#0178d4",
    accent="#8a4b00",
    warning="#9a3412",
    error="#b3261e",
    success="#2e6b3c",
    foreground="#1a1a1a",
    background="#fafafa",
    surface="#f0f0f0",
    panel="#e4e4e4",
    dark=False,
)
THEMES = {"dark": "textual-dark", "light": PAPER.name, "ansi": "ansi-dark"}
RENEW_AFTER = LEASE_SECONDS / 6
BREATH = 0.005
"""Seconds; keys that follow each other faster were not pressed one by one."""
PAUSE = 0.15
"""Seconds; more than a busy machine holds back a key of a flood, less than a second thought."""
PATIENCE = 2.0
"""Seconds that a key may take before the next one is dealt with all the same."""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
JOB_CONTROL = (signal.SIGTSTP, signal.SIGCONT)


class Keeper:
    """Holds the task for longer while there is activity, without making anybody wait."""

    def __init__(self, screen: Screen[Any], bench: Bench[Any]) -> None:
        self._screen = screen
        self._bench = bench
        self._renewed = time.monotonic()

    def touched(self) -> None:
        """Somebody is there. In a thread, because the store may be busy."""
        if time.monotonic() - self._renewed > RENEW_AFTER:
            self._renewed = time.monotonic()
            self._screen.run_worker(self._renew, thread=True, exclusive=True)

    def _renew(self) -> None:
        if trouble := self._bench.renew():
            self._bench.message = f"{trouble}; what you do is kept as a draft"


class DeskScreen(Screen[None]):
    """A screen that says when it can take keys."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = asyncio.Event()

    def on_mount(self) -> None:
        self.ready.set()

    def keep(self) -> None:
        """Hand over what was typed and nobody was told of yet."""


class DeskApp(App[None]):
    """An app that loses nothing, whatever ends it."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: $background; }"
    bench: Bench[Any]

    def __init__(self, theme: str) -> None:
        super().__init__()
        if theme not in THEMES:
            raise UsageError(f"there is no theme {theme!r}", hint=f"one of: {', '.join(THEMES)}")
        self.register_theme(PAPER)
        self.theme = THEMES[theme]
        self._ended_by: signal.Signals | None = None
        self._failure: Exception | None = None
        self._last_key = 0.0
        self._back_from_stop = False

    async def on_event(self, event: events.Event) -> None:
        """Part of Textual: let each key have its effect before the next one is looked at.

        Else what is typed ahead goes to the screen that a key before it has just left.
        """
        if isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded:
            if event.time < max(self.bench.acted, self._last_key + BREATH):
                self.bench.hurried = min(self.bench.hurried + 1, 2 * FLOOD - 1)
            elif event.time > self._last_key + PAUSE:
                self.bench.hurried //= 2
            if isinstance(event, events.Key | events.Paste):
                await self._typed(event)
                return
        await super().on_event(event)

    async def _typed(self, event: events.Key | events.Paste) -> None:
        top = self.screen
        if isinstance(top, DeskScreen) and not top.ready.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(top.ready.wait(), PATIENCE)
        self._last_key = event.time
        target = self.focused or top
        await super().on_event(event)
        await self._drained(target)
        if self.screen is not top:
            await self._drained(self.screen)
        self._keep()

    @staticmethod
    async def _drained(pump: MessagePump) -> None:
        """Wait until what was sent to a screen or an editor so far has been acted upon."""
        done = asyncio.Event()
        if pump.is_attached and pump.call_later(done.set):
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), PATIENCE)

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)
        if not self.is_headless:
            loop.add_signal_handler(signal.SIGTSTP, self._stop)
            loop.add_signal_handler(signal.SIGCONT, self._continue)
            self.set_interval(1.0, self._look_for_terminal)

    def _stop(self) -> None:
        """Leave the screen to the shell; paint it anew when somebody comes back to it."""
        with self.suspend():
            os.kill(os.getpid(), signal.SIGSTOP)
        self._back_from_stop = True

    def _continue(self) -> None:
        """After a stop that could not be seen coming, the terminal is whatever others made it."""
        if not self._back_from_stop:
            with self.suspend():
                pass
        self._back_from_stop = False

    def _look_for_terminal(self) -> None:
        """Without a session of its own nobody says that a terminal went: reading would spin."""
        poll = select.poll()
        poll.register(0, 0)
        if any(what & select.POLLHUP for _, what in poll.poll(0)):
            self._signalled(signal.SIGHUP)

    def _signalled(self, number: signal.Signals) -> None:
        """Textual alone would leave the terminal raw: end as if the labeler had left."""
        self._ended_by = number
        self._keep()
        self.exit()

    def _keep(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, DeskScreen) and screen.ready.is_set():
                screen.keep()

    def _fatal_error(self) -> None:
        # Textual's own report shows local variables, and with them texts nobody made safe.
        self._failure = self._exception
        self._close_messages_no_wait()

    def leave(self) -> None:
        """Save and end."""
        self._keep()
        if self.bench.session.open:
            self.bench.leave()
        self.exit()

    async def action_quit(self) -> None:
        self.leave()

    def action_help_quit(self) -> None:
        self.leave()

    def run_to_the_end(self) -> None:
        """Run; then let a signal or a failure that ended it have its usual effect."""
        before: dict[signal.Signals, Any] = {
            n: signal.getsignal(n) for n in (*SIGNALS, *JOB_CONTROL)
        }
        try:
            self.run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._ended_by is not None:
            signal.raise_signal(self._ended_by)
        if isinstance(self._failure, LabelkitError):
            raise self._failure
        if self._failure is not None:
            raise LabelkitError(
                f"the screen failed ({type(self._failure).__name__}: {self._failure})",
                hint="start again: your work is kept; --plain does without the screen",
            ) from self._failure
