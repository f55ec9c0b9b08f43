"""The lock: does it agree with pyproject.toml, and does anybody know harm of what is in it?

    python .ci/dependencies.py check    every requirement is met by one pinned, hashed version
    python .ci/dependencies.py audit    ask the advisory services; says so if none answers

`make lock` writes the lock anew; pip install --require-hashes -r .ci/requirements.lock uses it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCK = Path(__file__).with_name("requirements.lock")
PYTHONS = ("3.11", "3.12", "3.13")
SERVICES = ("pypi", "osv")
_ENTRY = re.compile(
    r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; ([^\\]+?))?((?: \\\n    --hash=\S+)+)$", re.M
)


def wanted(pyproject: Path) -> list[Requirement]:
    """Return what pyproject.toml asks for, extras and all."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def problems(pyproject: Path = ROOT / "pyproject.toml", lock: Path = LOCK) -> list[str]:
    """Say in what the lock and pyproject.toml differ."""
    text = lock.read_text(encoding="utf-8")
    entries = [
        (
            canonicalize_name(name),
            Version(version),
            Requirement(f"x; {marker}").marker if marker else None,
        )
        for name, version, marker, _ in _ENTRY.findall(text)
    ]
    found = []
    if len(entries) != len(re.findall(r"^\S", text, re.M)):
        found.append("the lock has lines that pin no version with a hash")
    if re.search(r"https?://|--(extra-)?index-url|--find-links", text):
        found.append("the lock names a host")
    for requirement in wanted(pyproject):
        for python in PYTHONS:
            here = {"python_version": python, "python_full_version": f"{python}.0"}
            pinned = [
                version
                for name, version, marker in entries
                if name == canonicalize_name(requirement.name)
                and (not marker or marker.evaluate(here))
            ]
            if not (len(pinned) == 1 and requirement.specifier.contains(pinned[0])):
                found.append(f"{requirement} on Python {python}: the lock has {pinned or 'none'}")
    return found


def check() -> int:
    found = problems()
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    sys.stderr.write("run: make lock\n" if found else "the lock agrees with pyproject.toml\n")
    return bool(found)


def audit() -> int:
    """0 when nothing is known, or nobody could be asked; 1 when there is an advisory."""
    for service in SERVICES:
        answer = ask(service)
        asked = [d for d in answer if "vulns" in d]
        for dependency in asked:
            for advisory in dependency["vulns"]:
                sys.stdout.write(
                    f"{dependency['name']} {dependency['version']}: {advisory['id']}\n"
                )
        if asked:
            sys.stderr.write(f"{service} knows {len(asked)} of {len(answer)} dependencies\n")
            return any(d["vulns"] for d in asked)
    sys.stderr.write("NOT AUDITED: no advisory service answers from here\n")
    return 0


def ask(service: str) -> list[dict[str, list[dict[str, str]]]]:
    """Return one service's word on each dependency; nothing when it does not answer."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "audit.json"
        options = [
            "--require-hashes",
            "--disable-pip",
            "--progress-spinner",
            "off",
            "--timeout",
            "15",
        ]
        argv = [
            "-m",
            "pip_audit",
            "-r",
            str(LOCK),
            *options,
            "-s",
            service,
            "-f",
            "json",
            "-o",
            str(out),
        ]
        subprocess.run([sys.executable, *argv], capture_output=True, check=False, timeout=600)
        if not out.exists() or not out.stat().st_size:
            return []
        return json.loads(out.read_bytes())["dependencies"]


if __name__ == "__main__":
    commands = {"check": check, "audit": audit}
    if sys.argv[1:] not in [[name] for name in commands]:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]]())
