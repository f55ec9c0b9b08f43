"""Small files that unpack to much: refused, and never held in memory."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import Cli

UNPACKED_MIB = 160
MOST_KIB = 130 << 10
MIB = 1 << 20

BOMBS = {
    "one line.jsonl": (b'{"prompt": "', b"a", b'"}\n'),
    "one text.json": (b'[{"prompt": "q", "completions": ["', b"a", b'"]}]'),
    "depth.json": (b'[{"prompt": ', b"[", b"]"),
    "one cell.csv": (b'prompt,chosen,rejected\nq,"', b"a", b'",b\n'),
    "blank lines.jsonl": (b"", b"\n", b"{}"),
}


def pieces(head: bytes, filling: bytes, tail: bytes) -> Iterator[bytes]:
    yield head
    for _ in range(UNPACKED_MIB):
        yield filling * MIB
    yield tail


@pytest.mark.parametrize("name", BOMBS)
def test_what_unpacks_to_much_costs_no_memory(name: str, cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for piece in pieces(*BOMBS[name]):
            file.write(piece)
    assert path.stat().st_size < UNPACKED_MIB * MIB / 100
    argv = [sys.executable, "-m", "labelkit", "--db", str(cli.store), "import", str(path)]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    assert process.returncode == 1
    assert said.startswith("error: ")
    assert "Traceback" not in said
    assert used.ru_maxrss < MOST_KIB
    assert cli("status", "--json").json["prompts"] == 0


def test_aliases_that_multiply_are_refused(cli: Cli, tmp_path: Path) -> None:
    """Ten aliases of ten aliases of ten: a guideline's front matter is YAML."""
    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 12):
        laughs.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]")
    rules = tmp_path / "rules.md"
    rules.write_text("---\nname: ours\nversion: 1\n" + "\n".join(laughs) + "\n---\n# Ours\n")
    ran = cli.run("guidelines", "add", rules)
    assert ran.code == 1
    assert "rules.md" in ran.err
