"""README and docs are true: every command block runs, and prints what the page shows.

A block fenced as `console` is a terminal session: lines after `$ ` are commands, which lines after
`> ` go on with, the rest is what they print (`...` stands for anything). The blocks of a page run
one after the other in a folder of its own that holds sample_data/ and guidelines/, as a clone does.
A block after a line `<!-- not run: reason -->` is shown only; its commands must still exist.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import REPO

from labelkit.cli._commands import COMMANDS

PAGES = [REPO / "README.md", *sorted((REPO / "docs").glob("*.md"))]
BLOCK = re.compile(r"(<!-- not run: [^\n]+ -->\n+)?```console\n(.*?)```", re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Step:
    """One command of a page and the output shown under it."""

    command: str
    expected: str
    runs: bool


def steps_of(page: Path) -> list[Step]:
    steps = []
    for skipped, body in BLOCK.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            command = lines.pop(0)
            while command.endswith("\\"):
                command = command[:-1] + lines.pop(0).strip()
            while lines and re.match(">( |$)", lines[0]):
                command += "\n" + lines.pop(0)[2:]
            steps.append(Step(command, "\n".join(lines).strip("\n"), not skipped))
    return steps


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    for name in ("sample_data", "guidelines"):
        (tmp_path / name).symlink_to(REPO / name)
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("LABELKIT_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "100",
    }
    for step in steps_of(page):
        if not step.runs:
            continue
        ran = subprocess.run(
            ["bash", "-c", step.command],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0 or "exit " in step.expected, f"$ {step.command}\n{ran.stdout}"
        checker = doctest.OutputChecker()
        wanted = re.sub(r"\n?\(exit \d+\)$", "", step.expected)
        assert checker.check_output(wanted + "\n", ran.stdout.strip("\n") + "\n", FLAGS), (
            f"{page.name} shows for\n$ {step.command}\n{wanted}\nbut it prints\n{ran.stdout}"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_page_names_only_commands_there_are(page: Path) -> None:
    for step in steps_of(page):
        words = shlex.split(step.command)
        if words[0] == "labelkit":
            verbs = [w for w in words[1:] if not w.startswith("-")]
            assert not verbs or verbs[0] in COMMANDS or words[1] == "--db", step.command


def test_every_command_is_in_the_docs() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    missing = [name for name in COMMANDS if f"labelkit {name}" not in text]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
