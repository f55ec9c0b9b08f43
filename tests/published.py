"""What tests of published shapes share: messages, an import, and what it says of an order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers import Cli

Row = dict[str, Any]


def user(text: str) -> Row:
    return {"role": "user", "content": text}


def assistant(text: str) -> Row:
    return {"role": "assistant", "content": text}


def system(text: str) -> Row:
    return {"role": "system", "content": text}


def imported(cli: Cli, path: Path, *options: str) -> tuple[list[Row], Row]:
    """What an import added, as records in the order of their prompts, and its report."""
    report = cli("import", path, *options, "--json").json
    assert report["rejected"] == 0
    rows = cli("export", "--format", "records", "--labelers", "all", "--out", "-").rows
    assert rows
    return sorted(rows, key=lambda row: str(row["prompt"])), report


def orders(row: Row) -> list[list[list[str]]]:
    """A record's rankings, in texts."""
    texts = {each["id"]: each["text"] for each in row["completions"]}
    return [[sorted(texts[c] for c in tier) for tier in each["tiers"]] for each in row["rankings"]]


WON = [[["good"], ["bad"]]]
VOTE = {"prompt": "Why?", "completion_a": "good", "completion_b": "bad"}
