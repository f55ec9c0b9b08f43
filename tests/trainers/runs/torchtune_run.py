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


def tokenizer_in(folder: Path) -> Any:
    """One token a byte: the smallest vocabulary that reads everything."""
    folder.mkdir(exist_ok=True)
    vocabulary = {letter: token for token, letter in enumerate(bytes_to_unicode().values())}
    special = {name: len(vocabulary) + i for i, name in enumerate(SPECIAL)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("")
    added = {"added_tokens": [{"content": name, "id": i} for name, i in special.items()]}
    (folder / "tokenizer.json").write_text(json.dumps(added))
    tokenizer = qwen2_tokenizer(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        special_tokens_path=str(folder / "tokenizer.json"),
    )
    tokenizer.eos_token_id = tokenizer.eos_id
    return tokenizer


def call(usage: str) -> tuple[str, dict[str, Any]]:
    """A builder's name and its arguments, from the call that a card shows."""
    shown = ast.parse(usage, mode="eval").body
    assert isinstance(shown, ast.Call)
    assert isinstance(shown.func, ast.Name)
    return shown.func.id, {str(k.arg): ast.literal_eval(k.value) for k in shown.keywords}


def loaded(run: dict[str, Any], tiny: Path, work: Path) -> dict[str, Any]:
    """Build what the card's call builds."""
    tokenizer = tokenizer_in(work / "bytes")
    build, named = call(run["usage"])
    data = getattr(datasets, build)(tokenizer, **named | {"data_files": str(train_file(run))})
    return built(run, [sides(data[at], tokenizer) for at in range(len(data))])


def sides(row: dict[str, Any], tokenizer: Any) -> list[dict[str, Any]]:
    if "tokens" in row:
        batch = padded_collate_sft([row], padding_idx=tokenizer.pad_id)
        texts = zip(batch["tokens"], batch["labels"], strict=True)
    else:
        texts = zip(*padded_collate_dpo([row], padding_idx=tokenizer.pad_id), strict=True)
    return [side(tokenizer, ids.tolist(), labels.tolist()) for ids, labels in texts]


if __name__ == "__main__":
    carry_out(loaded)
