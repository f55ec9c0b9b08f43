"""The peers and their own virtual environment, which nothing of labelkit's is installed in.

`python -m benchmarks._peers` puts them there; where one does not install the rest still do,
and the report names it as absent.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parent / ".venv-peers"
PYTHON = str(ENVIRONMENT / "bin" / "python")

_VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        print(name)
"""


def wanted() -> dict[str, str]:
    """Map each peer to the version that benchmarks/peers.txt pins."""
    lines = (HERE / "peers.txt").read_text(encoding="utf-8").splitlines()
    pinned = (line.split("==") for line in lines if line and not line.startswith("#"))
    return dict(pinned)


@cache
def installed() -> dict[str, str]:
    """Map each peer that is there to its version; empty before `make .venv-peers/.done`."""
    if not Path(PYTHON).exists():
        return {}
    told = subprocess.run(
        [PYTHON, "-c", _VERSIONS, *wanted()], check=True, capture_output=True, text=True
    )
    words = (line.split() for line in told.stdout.splitlines())
    return {found[0]: found[1] for found in words if len(found) > 1}


def absent() -> list[str]:
    """The peers that are not there."""
    return [name for name in wanted() if name not in installed()]


def script(name: str) -> str:
    """The path of a command that a peer installed, such as `sqlite-utils`."""
    return str(ENVIRONMENT / "bin" / name)


def install() -> None:
    """Install every peer: all at once, or one after the other where that fails."""
    pins = [f"{name}=={version}" for name, version in wanted().items()]
    if _pip(pins):
        for pin in pins:
            if _pip([pin]):
                sys.stderr.write(f"{pin} did not install: it will be absent from the results\n")


def _pip(pins: Sequence[str]) -> int:
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *pins]
    return subprocess.run(pip, check=False).returncode


if __name__ == "__main__":
    install()
