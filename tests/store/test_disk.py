"""What killed processes left behind goes; what others are at, or own, stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from labelkit.store.disk import fresh_name, sweep_strays


def test_only_what_the_dead_left_is_swept(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, living = gone.pid, os.getpid()
    left = [
        f".{name}.{dead}.new{end}"
        for name in ("new.db", "a.new.db", "b")
        for end in ("", "-journal")
    ]
    kept = [
        fresh_name(Path("c.db")).name,
        f".new.db.{living}.new",
        ".mine.new",
        f"new.db.{dead}.new",
    ]
    for name in left + kept:
        (tmp_path / name).touch()
    sweep_strays(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kept)
