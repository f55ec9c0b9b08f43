"""The check of the lock sees when it does not agree with pyproject.toml."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from helpers import REPO

TOOL = REPO / ".ci" / "dependencies.py"
LOCKED = "numpy==2.1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


@pytest.fixture
def tool() -> dict[str, Any]:
    return runpy.run_path(str(TOOL))


@pytest.mark.parametrize(
    ("wants", "lock", "said"),
    [
        ("numpy>=2", LOCKED, ""),
        ("NumPy>=2,<3", LOCKED, ""),
        ("numpy>=2.2", LOCKED, "the lock has [<Version('2.1.0')>]"),
        ("orjson", LOCKED, "the lock has none"),
        ("numpy", "numpy==2.1.0\n", "pin no version with a hash"),
        ("numpy", "numpy>=2.1.0 \\\n    --hash=sha256:aa\n", "pin no version with a hash"),
        ("numpy", "--index-url https://a.host/simple\n" + LOCKED, "names a host"),
        ("numpy", LOCKED.replace(" \\", ' ; python_version < "3.12" \\', 1), "on Python 3.12"),
    ],
)
def test_what_differs_is_told(
    tool: dict[str, Any], tmp_path: Path, wants: str, lock: str, said: str
) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(
        f'[project]\nname = "x"\ndependencies = ["{wants}"]\noptional-dependencies = {{}}\n'
    )
    locked = tmp_path / "requirements.lock"
    locked.write_text(lock)
    found = "\n".join(tool["problems"](project, locked))
    assert said in found
    assert bool(found) == bool(said)


def test_the_committed_lock_can_be_read(tool: dict[str, Any]) -> None:
    text = (REPO / ".ci" / "requirements.lock").read_text()
    assert len(tool["_ENTRY"].findall(text)) > 40
    assert "https://" not in text


def test_silence_of_the_services_is_no_clean_bill(
    tool: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = tool["audit"]
    skipped = [{"name": "numpy", "skip_reason": "not found"}]
    monkeypatch.setitem(audit.__globals__, "ask", lambda service: skipped)
    assert audit() == 0
    assert "NOT AUDITED" in capsys.readouterr().err
    bad = [{"name": "numpy", "version": "2.1.0", "vulns": [{"id": "PYSEC-1"}]}]
    monkeypatch.setitem(audit.__globals__, "ask", lambda service: bad)
    assert audit() == 1
    assert "PYSEC-1" in capsys.readouterr().out
