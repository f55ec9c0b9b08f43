"""The tour: a folder of its own, the commands to run in it, and what the last one made."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import orjson

from labelkit.errors import Conflict
from labelkit.services.project import data_folder

LABELER = "you"
_MARKER = ".labelkit-tour"

STEPS: tuple[tuple[str, str], ...] = (
    ("Make a store. It comes with a guideline: what better means, and how to rate.", "init"),
    (
        "Take in prompts, completions by several models, and labels by five people.",
        "import prompts.jsonl",
    ),
    ("Add yourself, and hand out a few tasks of five completions each.", f"labelers add {LABELER}"),
    ("", f"assign --batch tour --k-min 5 --k-max 5 --limit 2 --to {LABELER}"),
    ("Rank: blind, shuffled, ties allowed.", f"rank --as {LABELER} --batch tour"),
    ("How far do labelers agree? Each number with its rule, its n and an interval.", "agreement"),
    (
        "Write what trainers read: demonstrations, and pairs for a reward model.",
        "export --format sft --out sft",
    ),
    ("", "export --format rm --out rm --split train=0.9,valid=0.1"),
)

# Answers for a tour that nobody sits at: a rating for each completion, then the order.
ANSWERS = """\
r 6 3 5 2 4
A > C > B = E > D
r 2 7 4 4 1
B > C = D > A > E
r 4 4 6 5 2
C > D > A = B > E
"""


@dataclass(frozen=True, slots=True)
class FirstPair:
    """The first row of the exported pairs, as text."""

    prompt: str
    chosen: str
    rejected: str


def prepare(folder: Path) -> Path:
    """Make a fresh folder with the sample data in it. Raises Conflict for anybody else's."""
    if folder.exists():
        if not (folder / _MARKER).is_file():
            raise Conflict(f"{folder} is already there", hint="labelkit tour ANOTHER-FOLDER")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARKER).write_text("made by labelkit tour; the next tour removes this folder\n")
    shutil.copyfile(data_folder("sample_data") / "prompts.jsonl", folder / "prompts.jsonl")
    return folder


def first_pair(folder: Path) -> FirstPair:
    """Return the first pair that the tour exported."""
    with (folder / "rm" / "train.jsonl").open("rb") as file:
        row = orjson.loads(file.readline())
    return FirstPair(
        row["prompt"][-1]["content"], row["chosen"][0]["content"], row["rejected"][0]["content"]
    )
