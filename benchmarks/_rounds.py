"""Time commands against each other: fresh processes in turn, A B C A B C, ratios round by round.

Machines are noisy and get slower and faster while one measures, so only ratios within a round are
compared, and their median is what counts.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FINE = (0, 4)
"""4 is labelkit's "nothing was done": all that a look at the first task does."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians over the rounds: seconds of wall and CPU, ratios to the first; MiB at most."""

    wall: float
    cpu: float
    rss: float
    wall_ratio: float
    cpu_ratio: float


def _run(argv: Sequence[str]) -> tuple[float, float]:
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(argv[0], list(argv), os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    os.close(null)
    if os.waitstatus_to_exitcode(status) not in _FINE:
        raise RuntimeError(f"exit {os.waitstatus_to_exitcode(status)}: {' '.join(argv)}")
    return wall, usage.ru_utime + usage.ru_stime


def in_all(argv: Sequence[str]) -> float:
    """Run once and return the most memory that a command and its processes held, in MiB.

    Shared pages count once (PSS), as it was seen every few ms. (The kernel's own peak, ru_maxrss,
    begins with that of the process that started the command.)
    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    most = 0.0
    while process.poll() is None:
        most = max(most, sum(_pss(pid) for pid in _family(process.pid)))
        time.sleep(0.005)
    if process.returncode not in _FINE:
        raise RuntimeError(f"exit {process.returncode}: {' '.join(argv)}")
    return most / 1024


def _family(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return [pid]
    return [pid, *(each for child in found for each in _family(int(child)))]


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def rounds(
    commands: Mapping[str, Sequence[str]], n: int = 9, before: Callable[[], None] = lambda: None
) -> dict[str, Timing]:
    """Run every command `n` times in turn, after one round that only looks at their memory.

    `before` is called before each run and is not timed.
    """

    def once(argv: Sequence[str], run: Callable[[Sequence[str]], Any]) -> Any:
        before()
        return run(argv)

    memory = {name: once(argv, in_all) for name, argv in commands.items()}
    runs = [{name: once(argv, _run) for name, argv in commands.items()} for _ in range(n)]
    first = next(iter(commands))
    return {
        name: Timing(
            wall=statistics.median(r[name][0] for r in runs),
            cpu=statistics.median(r[name][1] for r in runs),
            rss=memory[name],
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
