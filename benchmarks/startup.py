"""How fast the command line starts, against its own imports and other command lines."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._rounds import rounds, table

PYTHON = sys.executable
LABELKIT = str(Path(sys.executable).parent / "labelkit")


def main() -> None:
    """Print start-up times: first against `python -c pass`, then against `import typer`."""
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "labelkit.db")
        labelkit = [LABELKIT, "--db", store]
        subprocess.run([*labelkit, "-q", "init"], check=True)
        print("\n## Start-up\n")
        print(table(rounds({
            "python -c pass": [PYTHON, "-c", "pass"],
            "labelkit --version": [LABELKIT, "--version"],
        }, 21)))  # fmt: skip
        print()
        print(table(rounds({
            "import typer": [PYTHON, "-c", "import typer"],
            "labelkit --help": [LABELKIT, "--help"],
            "labelkit status": [*labelkit, "status"],
        }, 21)))  # fmt: skip


if __name__ == "__main__":
    main()
