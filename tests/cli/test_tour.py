"""The tour runs the whole way without a terminal, in a folder of its own, as often as asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from labelkit.services.tour import STEPS

TOUR = [sys.executable, "-m", "labelkit", "tour"]


def take(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TOUR, *args],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_tour_goes_all_the_way_twice(tmp_path: Path) -> None:
    for _ in range(2):
        ran = take(tmp_path)
        assert ran.returncode == 0, ran.stdout
        at = [ran.stdout.index(f"$ labelkit {command}\n") for _, command in STEPS]
        assert at == sorted(at)
        assert ran.stdout.count("\nStored: ") == 3
        assert "The first pair a reward model will see" in ran.stdout
        assert "Traceback" not in ran.stdout
        manifest = json.loads((tmp_path / "labelkit-tour" / "rm" / "manifest.json").read_text())
        assert sum(file["rows"] for file in manifest["files"]) == manifest["counts"]["pairs"] > 500


def test_the_tour_leaves_other_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    ran = take(tmp_path, "mine")
    assert ran.returncode == 1
    assert "is already there" in ran.stdout
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
