"""Time commands against each other: fresh processes in turn, A B C A B C, ratios round by round.

Machines are noisy and get slower and faster while one measures, so only ratios within a round are
compared, and their median is what counts.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians over the rounds: seconds of wall and CPU, MiB of peak memory, ratios to the first."""

    wall: float
    cpu: float
    rss: float
    wall_ratio: float
    cpu_ratio: float


def _run(argv: Sequence[str]) -> tuple[float, float, float]:
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(argv[0], list(argv), os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    os.close(null)
    if status:
        raise RuntimeError(f"exit {os.waitstatus_to_exitcode(status)}: {' '.join(argv)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def rounds(commands: Mapping[str, Sequence[str]], n: int = 9) -> dict[str, Timing]:
    """Run every command `n` times in turn, after one round that does not count."""
    for argv in commands.values():
        _run(argv)
    runs = [{name: _run(argv) for name, argv in commands.items()} for _ in range(n)]
    first = next(iter(commands))
    return {
        name: Timing(
            wall=statistics.median(r[name][0] for r in runs),
            cpu=statistics.median(r[name][1] for r in runs),
            rss=max(r[name][2] for r in runs),
            wall_ratio=statistics.median(r[name][0] / r[first][0] for r in runs),
            cpu_ratio=statistics.median(r[name][1] / r[first][1] for r in runs),
        )
        for name in commands
    }


def table(found: Mapping[str, Timing]) -> str:
    """Return the timings as a Markdown table."""
    lines = ["| command | wall ms | CPU ms | MiB | x wall | x CPU |", "|---|---|---|---|---|---|"]
    for name, t in found.items():
        cells = f"{t.wall * 1e3:.0f} | {t.cpu * 1e3:.0f} | {t.rss:.0f}"
        lines.append(f"| {name} | {cells} | {t.wall_ratio:.2f} | {t.cpu_ratio:.2f} |")
    return "\n".join(lines)
