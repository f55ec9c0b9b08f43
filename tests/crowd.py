"""Real crowd judgements (Ustalov, 2023, LLMFAO, CC BY 4.0), where they are at hand."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from typing import Any

from helpers import REPO

LLMFAO = REPO.parent / "shared" / "data" / "llmfao"


def lines_of(name: str) -> list[Any]:
    return [json.loads(line) for line in (LLMFAO / name).read_bytes().splitlines()]


def llmfao_records() -> list[dict[str, Any]]:
    """Each model's text is a completion. Models that gave the same text stay apart by name, as in
    the published counts; labelkit would take them for one."""
    prompts = {p["id"]: p["text"] for p in lines_of("prompts.jsonl")}
    completions: dict[int, list[dict[str, str]]] = defaultdict(list)
    for r in lines_of("results.jsonl"):
        text = f"{r['name']}:\n{r['result']}"
        completions[r["prompt"]].append({"id": str(r["model"]), "text": text, "model": r["name"]})
    rankings: dict[int, list[dict[str, Any]]] = defaultdict(list)
    with (LLMFAO / "crowd-comparisons.csv").open() as file:
        for row in csv.DictReader(file):
            x, y = row["model_x"], row["model_y"]
            tiers = {"left": [[x], [y]], "right": [[y], [x]], "tie": [[x, y]]}[row["winner"]]
            said = {"labeler": f"w{row['worker']}", "tiers": tiers, "shown": [x, y]}
            rankings[int(row["prompt"])].append(said)
    return [
        {"prompt": prompts[p], "completions": completions[p], "rankings": r}
        for p, r in rankings.items()
    ]
