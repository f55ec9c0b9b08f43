"""Active time: it stops by itself when nobody has touched anything for a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

IDLE_SECONDS = 60.0


@dataclass(slots=True)
class ActiveClock:
    """Counts seconds of work. `now` is any clock that only goes forward.

    >>> moments = iter([0, 10, 500, 505])
    >>> clock = ActiveClock(now=lambda: next(moments))
    >>> clock.touch(); clock.touch(); clock.seconds
    75.0
    """

    counted: float = 0.0
    now: Callable[[], float] = time.monotonic
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.now()

    def touch(self) -> None:
        """Somebody pressed a key."""
        now = self.now()
        self.counted += self._worked(now)
        self._last = now

    def pause(self, counted: float) -> None:
        """Start again from `counted`, as of this moment."""
        self.counted, self._last = counted, self.now()

    @property
    def seconds(self) -> float:
        """Active seconds up to this moment."""
        return self.counted + self._worked(self.now())

    def _worked(self, now: float) -> float:
        return min(now - self._last, IDLE_SECONDS)
