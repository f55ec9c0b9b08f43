"""A model and a tokenizer small enough to train in seconds, made from nothing but the data.

Runs inside a trainer's own environment: no labelkit here, only what trainers themselves need.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

EOS = "<|im_end|>"
SPECIAL = ["<unk>", "<pad>", "<|im_start|>", EOS]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = 6000


def data_files(folder: Path) -> list[Path]:
    """Every file of rows in an export."""
    return sorted(path for path in folder.rglob("*") if path.suffix in (".jsonl", ".parquet"))


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, without any trainer's help."""
    if path.suffix == ".parquet":
        from pyarrow import parquet

        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return rows
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def texts_of(value: Any) -> Any:
    """Yield every text anywhere in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def tokenizer_for(files: list[Path]) -> Any:
    """One token a word, the commonest words of the files; every chat role is a word too."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words: Counter[str] = Counter()
    split = pre_tokenizers.Whitespace()
    for path in files:
        for text in texts_of(rows_of(path)):
            words.update(word for word, _ in split.pre_tokenize_str(text))
    known = [*SPECIAL, "user", "assistant", "system"]
    known += [word for word, _ in words.most_common(WORDS) if word not in known]
    model = models.WordLevel({word: i for i, word in enumerate(known)}, unk_token="<unk>")
    backend = Tokenizer(model)
    backend.pre_tokenizer = split
    backend.add_special_tokens(SPECIAL)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", pad_token="<pad>", eos_token=EOS
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make(folder: Path, files: list[Path]) -> None:
    """Save a tiny Llama with its tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    tokenizer = tokenizer_for(files)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
