"""Interleaved rounds: every candidate once per round, ratios within a round, medians over them.

Machines are noisy; two runs after each other are not comparable, two in one round nearly are.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rounds(work: Mapping[str, Callable[[], float]], n: int) -> dict[str, list[float]]:
    """Run every candidate once in each of `n` rounds; each returns its own seconds."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(n):
        for name, run in work.items():
            found[name].append(run())
    return found


def ratio(found: Mapping[str, list[float]], name: str, base: str) -> float:
    """Median of the per-round ratios of `name` to `base`."""
    return statistics.median(a / b for a, b in zip(found[name], found[base], strict=True))


def verdict(what: str, value: float, most: float, unit: str = "") -> bool:
    """Print one line of a report and say whether the goal is met."""
    met = value <= most
    print(f"{what:<62} {value:9.2f}{unit} of {most:g}{unit}  {'ok' if met else 'MISSED'}")
    return met
