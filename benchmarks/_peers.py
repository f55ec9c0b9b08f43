"""The peers and their own virtual environment, which nothing of labelkit's is installed in.

`python -m benchmarks._peers` puts them there; where one does not install the rest still do,
and the report names it as absent.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parent / ".venv-peers"
PYTHON = str(ENVIRONMENT / "bin" / "python")
PEERS, NO_DEPS = "peers.txt", "peers.nodeps.txt"

_VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        print(name)
"""


def wanted(*files: str) -> dict[str, str]:
    """Map each peer to the version that is pinned, in all files or the ones named."""
    texts = [(HERE / name).read_text(encoding="utf-8") for name in files or (PEERS, NO_DEPS)]
    lines = [line for text in texts for line in text.splitlines()]
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


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


def as_installed() -> None:
    """Compile labelkit, as pip did with every peer; a checkout may do so at every start."""
    compileall.compile_dir(HERE.parent / "labelkit", quiet=1)


def install() -> None:
    """Install every peer: all at once, or one after the other where that fails."""
    pins = [f"{name}=={version}" for name, version in wanted(PEERS).items()]
    alone = [f"{name}=={version}" for name, version in wanted(NO_DEPS).items()]
    failed = [pin for pin in pins if _pip([pin])] if _pip(pins) else []
    failed += [pin for pin in alone if _pip(["--no-deps", pin])]
    for pin in failed:
        sys.stderr.write(f"{pin} did not install: it will be absent from the results\n")


def _pip(words: Sequence[str]) -> int:
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *words]
    return subprocess.run(pip, check=False).returncode


if __name__ == "__main__":
    install()
