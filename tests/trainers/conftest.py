"""Run the trainers' own code, each in an environment of its own that `make` has built."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import REPO, Cli, write_jsonl
from planted import records
from trainers import awkward

from labelkit.services import project

collect_ignore = ["runs", "stubs"]

RUNS = Path(__file__).parent / "runs"
ENVIRONMENTS = REPO / ".venv-trainers"

Runner = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="session")
def run_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Run a script of `runs/` with a plan, in the environment it is named after."""

    def run(name: str, plan: dict[str, Any]) -> dict[str, Any]:
        ready(request.config, name)
        work = tmp_path_factory.mktemp(name)
        python = ENVIRONMENTS / name / "bin" / "python"
        ran = subprocess.run(
            [python, RUNS / f"{name.replace('-', '_')}_run.py"],
            input=json.dumps({**plan, "work": str(work)}),
            capture_output=True,
            text=True,
            cwd=work,
            env=offline(work),
            timeout=1200,
            check=False,
        )
        found = [line for line in ran.stdout.splitlines() if line.startswith("@result ")]
        assert ran.returncode == 0, ran.stderr[-4000:]
        assert found, ran.stderr[-4000:]
        result: dict[str, Any] = json.loads(found[-1].removeprefix("@result "))
        return result

    return run


def ready(config: pytest.Config, name: str) -> None:
    """Skip unless this trainer was asked for and its environment is there."""
    if name not in config.getoption("--trainers").split(","):
        pytest.skip(f"trains with {name}: run by make test-trainers")
    assert (ENVIRONMENTS / name / ".done").exists(), f"make {ENVIRONMENTS.name}/{name}/.done"


def offline(work: Path) -> dict[str, str]:
    """No network, no graphics card, and no cache but a fresh one."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(work / "hf"),
        "HOME": str(work),
        "CUDA_VISIBLE_DEVICES": "",
        "TOKENIZERS_PARALLELISM": "false",
        "DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",  # threads that wait for each other starve on a busy machine
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(RUNS.parent / "stubs"),
    }


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A store with the sample data."""
    return stored(tmp_path_factory.mktemp("sample"), REPO / "sample_data" / "prompts.jsonl")


@pytest.fixture(scope="session")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A store with the sample data and with what a loader may stumble over."""
    folder = tmp_path_factory.mktemp("varied")
    cli = stored(folder, REPO / "sample_data" / "prompts.jsonl")
    cli("import", write_jsonl(folder / "awkward.jsonl", awkward.records()))
    return cli


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A store in which better words win."""
    folder = tmp_path_factory.mktemp("planted")
    return stored(folder, write_jsonl(folder / "in.jsonl", records()))


@pytest.fixture(scope="session")
def inverted(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The same prompts and completions, every ranking upside down."""
    folder = tmp_path_factory.mktemp("inverted")
    return stored(folder, write_jsonl(folder / "in.jsonl", records(upside_down=True)))


def stored(folder: Path, file: Path) -> Cli:
    cli = Cli(folder / "labelkit.db")
    project.init(cli.store, write_settings=False)
    cli("import", file)
    return cli


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Export a stage for a trainer and return the folder."""

    def export(cli: Cli, stage: str, trainer: str, *more: object) -> Path:
        out = tmp_path_factory.mktemp(f"{trainer}-{stage}") / "out"
        split = ("--split", "train=0.7,valid=0.3") if stage != "prompts" else ()
        cli("export", "--format", stage, "--for", trainer, "--out", out, *split, *more)
        return out

    return export
