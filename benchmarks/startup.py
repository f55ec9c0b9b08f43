"""How fast the command line starts, against its own imports and other command lines."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._peers import as_installed, installed, script
from benchmarks._report import FULL, Goals
from benchmarks._rounds import rounds, table

PYTHON = sys.executable
LABELKIT = str(Path(sys.executable).parent / "labelkit")
ROUNDS = 21 if FULL else 7


def a_store(folder: Path) -> list[str]:
    """A store with a task and a labeler; returns the command to it."""
    labelkit = [LABELKIT, "--db", str(folder / "labelkit.db")]
    completions = [{"id": c, "text": f"Answer {c}."} for c in "abcd"]
    file = folder / "in.jsonl"
    file.write_text(json.dumps({"prompt": "Why?", "completions": completions}) + "\n")
    for words in (["init"], ["import", str(file)], ["labelers", "add", "ana"]):
        subprocess.run([*labelkit, "-q", *words], check=True, cwd=folder)
    return labelkit


def peers(folder: Path) -> dict[str, list[str]]:
    """What other tools need to start and say the least that is useful."""
    other = folder / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (a)")
    found = {
        "sqlite-utils": ["sqlite-utils", "--help"],
        "datasette": ["datasette", "inspect", str(other)],
        "llm": ["llm", "models", "list"],
    }
    return {
        " ".join([name, *words[1:2]]): [script(name), *words[1:]]
        for name, words in found.items()
        if name in installed()
    }


def main() -> None:
    """Print start-up times: first against `python -c pass`, then against `import typer`."""
    as_installed()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["LLM_USER_PATH"] = name
        labelkit = a_store(folder)
        print("\n## Start-up\n")
        bare = rounds({
            "python -c pass": [PYTHON, "-c", "pass"],
            "labelkit --version": [LABELKIT, "--version"],
        }, ROUNDS)  # fmt: skip
        print(table(bare))
        print()
        found = rounds({
            "import typer": [PYTHON, "-c", "import typer"],
            "labelkit --help": [LABELKIT, "--help"],
            "labelkit status": [*labelkit, "status"],
            "labelkit rank, to the first task": [*labelkit, "rank", "--as", "ana", "--plain"],
            **peers(folder),
        }, ROUNDS)  # fmt: skip
        print(table(found))
        goals = Goals()
        goals.most("--version / python -c pass", bare["labelkit --version"].wall_ratio, 2)
        for own, peer in (
            ("--help", "sqlite-utils --help"),
            ("status", "datasette inspect"),
            ("status", "llm models"),
            ("rank, to the first task", "datasette inspect"),
            ("rank, to the first task", "llm models"),
        ):
            if peer in found:
                mine, other = found[f"labelkit {own}"], found[peer]
                goals.most(f"labelkit {own} / {peer}, wall", mine.wall / other.wall, 1)
                goals.most(f"labelkit {own} / {peer}, CPU", mine.cpu / other.cpu, 1)


if __name__ == "__main__":
    main()
