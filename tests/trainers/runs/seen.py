"""Carry out a plan, and hand back what a trainer built of our rows, read back as text.

Runs inside a trainer's own environment: no labelkit here, only what trainers themselves need.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tiny import data_files, make, rows_of

IGNORED = -100

Run = dict[str, Any]


def carry_out(
    one: Callable[[Run, Path, Path], Run], prepare: Callable[[Path, list[Path]], None] = make
) -> None:
    """Do every run of the plan on stdin: `one(run, tiny, work)` answers for each.

    `tiny` is a folder that was prepared for all the plan's files: with a model and a tokenizer that
    know their words, if nothing else was asked for.
    """
    plan = json.load(sys.stdin)
    work = Path(plan["work"])
    tiny = work / "tiny"
    prepare(tiny, [path for run in plan["runs"] for path in data_files(Path(run["folder"]))])
    found = {run["name"]: one(run, tiny, work) for run in plan["runs"]}
    sys.stdout.write("\n@result " + json.dumps(found) + "\n")


def train_file(run: Run) -> Path:
    """The one file of the train split."""
    (path,) = (p for p in data_files(Path(run["folder"])) if p.stem == "train")
    return path


def built(run: Run, rows: Iterable[list[Run]], **more: Any) -> Run:
    """Say what a trainer's loader made of the train split: for every row, its sides."""
    supervision = list(rows)
    return {
        "rows": len(rows_of(train_file(run))),
        "built": len(supervision),
        "supervision": supervision,
        **more,
    }


def side(tokenizer: Any, ids: list[int], labels: list[int] | None = None) -> Run:
    """Decode one text, what the loss is on and what it is not on; no labels: on all of it."""
    pairs = list(zip(ids, ids if labels is None else labels, strict=True))
    learned = [token for token, label in pairs if label != IGNORED]
    asked = [token for token, label in pairs if label == IGNORED]
    return {
        "text": tokenizer.decode(list(ids)),
        "learned": tokenizer.decode(learned),
        "masked": tokenizer.decode(asked),
        "eos": tokenizer.eos_token_id in learned[-2:],
    }
