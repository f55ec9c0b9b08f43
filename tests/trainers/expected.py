"""What a trainer should have built of a store: its TRL rows, written as ChatML.

The tiny tokenizer knows words and no spaces, so spaces do not count.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Chat = list[dict[str, str]]

END = "<|im_end|>"
OPEN = "<|im_start|>assistant"


def squashed(text: str) -> str:
    return "".join(text.split())


def chatml(chat: Chat) -> str:
    return squashed("".join(f"<|im_start|>{m['role']} {m['content']}{END}" for m in chat))


def learned(chat: Chat) -> str:
    """Every assistant turn with its end: what trainers on whole conversations learn."""
    return squashed("".join(m["content"] + END for m in chat if m["role"] == "assistant"))


def rows(folder: Path) -> list[list[Chat]]:
    """The conversations that each row of a TRL export says, best first; or the prompt alone."""
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [_sides(json.loads(line)) for line in lines]


def _sides(row: dict[str, Any]) -> list[Chat]:
    sides = [row[name] for name in ("completion", "chosen", "rejected") if name in row]
    return [row["prompt"] + side for side in sides] or [row["prompt"]]
