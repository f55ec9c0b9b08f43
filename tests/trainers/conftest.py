"""Fixtures for tests that run trainers' own code."""

from __future__ import annotations

import os

import pytest
from helpers import REPO, Cli

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture
def sample(cli: Cli) -> Cli:
    cli("import", REPO / "sample_data" / "prompts.jsonl")
    return cli
