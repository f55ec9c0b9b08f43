"""How long a harness may go on, and a word now and then about how far it is."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field


@dataclass
class Budget:
    """Without `seconds` there is no end, and without `said_every` no word."""

    seconds: float | None = None
    said_every: float | None = None
    _began: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)

    def goes_on(self, done: int, of: int) -> bool:
        """Whether there is time for one more after `done` of them."""
        now = time.monotonic()
        if self.said_every is not None and now - self._said > self.said_every:
            self._said = now
            sys.stderr.write(f"  {done} of {of} in {now - self._began:.0f} s\n")
        return self.seconds is None or now - self._began < self.seconds
