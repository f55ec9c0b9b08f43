"""Run every benchmark of this folder and print what it measured."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import benchmarks
from benchmarks._peers import absent


def main() -> None:
    for name in absent():
        print(f"absent: {name}")
    names = [m.name for m in pkgutil.iter_modules(benchmarks.__path__)]
    for name in sorted(n for n in names if not n.startswith("_")):
        import_module(f"benchmarks.{name}").main()


main()
