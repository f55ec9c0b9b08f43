"""What killed processes left behind goes; what others are at, or own, stays."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labelkit.errors import InputError, LabelkitError, StoreError
from labelkit.services.files import Replacing
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


def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list[1].jsonl"
    path.write_text("old")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".{path.name}.{gone.pid}.part").write_text("half of what a killed one wrote")

    def refuse(_: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(LabelkitError, match="cannot be written: Disk quota"), Replacing(path) as f:
        f.write(b"new")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"


def test_a_file_is_kept_after_the_one_error_that_it_is_about(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    for error, kept in ((StoreError("the disk refuses"), False), (InputError("bad rows"), True)):
        replacing = Replacing(path, even_after=InputError)
        replacing.__enter__().write(b"a bad row")
        replacing.__exit__(type(error), error, None)
        assert path.exists() == kept
