"""Run every benchmark of this folder and write benchmarks/RESULTS.md.

Each runs in a process of its own. `python -m benchmarks NAME ...` runs some of them and puts what
they say in the place of what they said before; `export:4000:1` hands its numbers to one.
"""

from __future__ import annotations

import os
import pkgutil
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import benchmarks
from benchmarks._peers import absent, as_installed, installed
from benchmarks._report import FULL

RESULTS = Path(__file__).with_name("RESULTS.md")
OWN = ("numpy", "orjson", "pyarrow", "pydantic", "rich", "sqlalchemy", "textual", "typer")


def names() -> list[str]:
    found = (m.name for m in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def head() -> Iterator[str]:
    """What the figures stand on."""
    yield "# What was measured\n"
    yield "Ratios are medians of ratios within a round, A B C A B C, fresh processes in turn; x is"
    yield "to the first line. Each part says when it ran, by which command, and how busy the"
    yield "machine was: with other work on it, CPU is to be trusted before wall.\n"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    yield f"- machine: {os.cpu_count()} cores, {_processor()}, {memory:.0f} GB, {platform.system()}"
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


def told(wanted: str) -> str:
    """Run one benchmark, show what it prints as it comes, and return it."""
    name, *numbers = wanted.split(":")
    size, load = "full" if FULL else "quick", os.getloadavg()[0]
    argv = [sys.executable, "-u", "-m", f"benchmarks.{name}", *numbers]
    lines = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        lines.append(f"\n`python -m benchmarks.{name}` ended with {process.returncode}.\n")
    text = "".join(lines)
    if not text.lstrip().startswith("## "):
        text = f"## {name.capitalize()}\n\n```text\n{text}```\n"
    command = f"`SIZE={size} python -m benchmarks {wanted}`"
    return f"{text}\n{command}, {datetime.now(UTC).date()}, load before {load:.1f}.\n"


def before() -> dict[str, str]:
    """What RESULTS.md says now, by benchmark."""
    if not RESULTS.exists():
        return {}
    _, *parts = re.split(r"^<!-- (\w+) -->\n", RESULTS.read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def main(wanted: list[str]) -> None:
    start = "".join(f"{line}\n" for line in head())
    print(start)
    as_installed()
    parts = before()
    for name in wanted or names():
        parts[name.partition(":")[0]] = told(name)
        kept = {each: parts[each].strip("\n") for each in names() if each in parts}
        blocks = [f"\n<!-- {each} -->\n{part}\n" for each, part in kept.items()]
        RESULTS.write_text(start + "".join(blocks), encoding="utf-8")


main(sys.argv[1:])
