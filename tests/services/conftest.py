"""Fixtures of the services: a store of real judgements."""

from __future__ import annotations

from pathlib import Path

import pytest
from crowd import LLMFAO, llmfao_records
from helpers import Cli, write_jsonl


@pytest.fixture
def llmfao(cli: Cli, tmp_path: Path) -> Cli:
    """A store that holds 8,931 judgements of pairs by 124 people."""
    if not LLMFAO.exists():
        pytest.skip("the data sets are not here")
    cli("import", write_jsonl(tmp_path / "llmfao.jsonl", llmfao_records()))
    return cli
