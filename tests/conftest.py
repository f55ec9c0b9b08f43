"""Fixtures: a fresh project, and the command line run against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import Cli
from hypothesis import HealthCheck, Phase, settings

from labelkit.services import project
from labelkit.store import core

settings.register_profile(
    "seek", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# The same examples each time: a run that fails is the fault of what was changed.
settings.register_profile("house", settings.get_profile("seek"), derandomize=True)
settings.register_profile(
    "mutants",
    settings.get_profile("house"),
    max_examples=10,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's LABELKIT_* variables or user config reach a test."""
    for name in ("LABELKIT_DB", "LABELKIT_PLAIN", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """The path of a fresh store with the guideline that comes along."""
    path = tmp_path / "labelkit.db"
    project.init(path, write_settings=False)
    return path


@pytest.fixture
def store(store_path: Path) -> Iterator[core.Store]:
    opened = core.open_store(store_path)
    yield opened
    opened.close()


@pytest.fixture
def cli(store_path: Path) -> Cli:
    """Run labelkit commands against the fresh store."""
    return Cli(store_path)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, bytes], None]:
    """Compare bytes with a golden file; `--update-goldens` writes it."""

    def compare(path: Path, found: bytes) -> None:
        if request.config.getoption("--update-goldens"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found)
        assert path.exists(), f"no golden file {path.name}: run pytest --update-goldens"
        assert found == path.read_bytes()

    return compare


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write golden files")
    parser.addoption("--trainers", default="", help="train with these, by name: trl,llamafactory")
