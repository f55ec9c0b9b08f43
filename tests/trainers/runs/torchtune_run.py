"""Load exported files with torchtune's builders and collators, and Qwen2's tokenizer of its own."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from seen import built, carry_out, side, train_file
from torchtune import datasets
from torchtune.data import padded_collate_dpo, padded_collate_sft
from torchtune.models.qwen2 import qwen2_tokenizer
from torchtune.models.qwen2._tokenizer import bytes_to_unicode

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def vocabulary(folder: Path, _: list[Path]) -> None:
    """One token a byte: the smallest vocabulary that reads everything."""
    folder.mkdir()
    letters = {letter: token for token, letter in enumerate(bytes_to_unicode().values())}
    special = [{"content": name, "id": len(letters) + i} for i, name in enumerate(SPECIAL)]
    (folder / "vocab.json").write_text(json.dumps(letters))
    (folder / "merges.txt").write_text("")
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": special}))


def call(usage: str) -> tuple[str, dict[str, Any]]:
    """A builder's name and its arguments, from the call that a card shows."""
    shown = ast.parse(usage, mode="eval").body
    assert isinstance(shown, ast.Call)
    assert isinstance(shown.func, ast.Name)
    return shown.func.id, {str(k.arg): ast.literal_eval(k.value) for k in shown.keywords}


def loaded(run: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    """Build what the card's call builds."""
    files = (str(tiny / name) for name in ("vocab.json", "merges.txt", "tokenizer.json"))
    tokenizer = qwen2_tokenizer(*files)
    tokenizer.eos_token_id = tokenizer.eos_id
    build, named = call(run["usage"])
    data = getattr(datasets, build)(tokenizer, **named | {"data_files": str(train_file(run))})
    return built(run, [sides(data[at], tokenizer) for at in range(len(data))])


def sides(row: dict[str, Any], tokenizer: Any) -> list[dict[str, Any]]:
    if "tokens" in row:
        batch = padded_collate_sft([row], padding_idx=tokenizer.pad_id)
        texts = zip(batch["tokens"], batch["labels"], strict=True)
    else:
        texts = zip(*padded_collate_dpo([row], padding_idx=tokenizer.pad_id), strict=True)
    found = []
    for ids, labels in texts:
        kept = ids != tokenizer.pad_id
        found.append(side(tokenizer, ids[kept].tolist(), labels[kept].tolist()))
    return found


if __name__ == "__main__":
    carry_out(loaded, vocabulary)
