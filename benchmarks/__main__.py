"""Run every benchmark of this folder and write benchmarks/RESULTS.md.

Each runs in a process of its own. `python -m benchmarks NAME ...` runs some of them and writes
nothing.
"""

from __future__ import annotations

import os
import pkgutil
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import benchmarks
from benchmarks._peers import absent, installed
from benchmarks._report import FULL

RESULTS = Path(__file__).with_name("RESULTS.md")
OWN = ("numpy", "orjson", "pyarrow", "pydantic", "rich", "sqlalchemy", "textual", "typer")


def names() -> list[str]:
    found = (m.name for m in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def head() -> Iterator[str]:
    """What the figures stand on."""
    yield "# What was measured\n"
    size = "SIZE=full" if FULL else "SIZE=quick"
    yield f"Written by `make bench {size}` on {datetime.now(UTC).date()}. Ratios are medians of"
    yield "ratios within a round, A B C A B C, fresh processes in turn; x is to the first line.\n"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[2]
    yield f"- machine: {os.cpu_count()} cores, {_processor()}, {memory:.0f} GB, {platform.system()}"
    yield f"- load before it began (15 minutes): {load:.1f}; over 0.5, trust CPU before wall"
    yield f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    yield f"- own: {', '.join(f'{name} {version(name)}' for name in OWN)}"
    yield f"- peers: {', '.join(f'{name} {v}' for name, v in installed().items()) or 'none'}"
    yield f"- absent: {', '.join(absent()) or 'no peer'}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def told(name: str) -> str:
    """Run one benchmark, show what it prints as it comes, and return it."""
    argv = [sys.executable, "-u", "-m", f"benchmarks.{name}"]
    lines = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        lines.append(f"\n`python -m benchmarks.{name}` ended with {process.returncode}.\n")
    return "".join(lines)


def main(wanted: list[str]) -> None:
    lines = [f"{line}\n" for line in head()]
    print("".join(lines))
    lines += [told(name) for name in wanted or names()]
    if not wanted:
        RESULTS.write_text("".join(lines).rstrip("\n") + "\n", encoding="utf-8")


main(sys.argv[1:])
