"""How results are put: Markdown tables, goals beside figures, and how cost grows."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

FULL = os.environ.get("SIZE", "quick") == "full"
"""`make bench SIZE=full` takes the sizes that the goals speak of; quick takes a few minutes."""


class Goals:
    """A table of figures, each beside what it should be at most."""

    def __init__(self) -> None:
        self.missed = 0
        print("\n| figure | measured | goal |  |\n|---|---|---|---|")

    def most(self, what: str, value: float, most: float, unit: str = "") -> None:
        """One figure that should not be over `most`."""
        self._row(what, value, f"at most {most:g}{unit}", unit, met=value <= most)

    def least(self, what: str, value: float, least: float, unit: str = "") -> None:
        """One figure that should not be under `least`."""
        self._row(what, value, f"at least {least:g}{unit}", unit, met=value >= least)

    def _row(self, what: str, value: float, goal: str, unit: str, *, met: bool) -> None:
        self.missed += not met
        print(f"| {what} | {value:.2f}{unit} | {goal} | {'met' if met else '**missed**'} |")


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the exponent of growth: 1 where twice the size costs twice as much.

    >>> round(slope([1, 2, 4], [3, 6, 12]), 6)
    1.0
    """
    x, y = [math.log(s) for s in sizes], [math.log(c) for c in costs]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    up = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return up / sum((a - mx) ** 2 for a in x)


def growth(what: str, sizes: Sequence[int], costs: Sequence[float]) -> None:
    """Print the costs of three sizes, the cost of starting taken off, and their slope."""
    costs = [max(cost, 0.01) for cost in costs]
    told = ", ".join(f"{s:,}: {c:.2f} s" for s, c in zip(sizes, costs, strict=True))
    print(f"\nCost of {what} by size: {told} of CPU; slope {slope(sizes, costs):.2f}.")
