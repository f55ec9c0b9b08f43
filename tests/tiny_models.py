"""A tiny model and rankings with a planted rule, for tests that run trainers' own code."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from helpers import write_jsonl

GOOD, BAD = "clear", "vague"
CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|> {{ m['content'] }} <|end|> {% endfor %}"
    "{% if add_generation_prompt %}<|assistant|> {% endif %}"
)


def planted(folder: Path, *, inverted: bool = False) -> Path:
    """Records whose rankings follow one rule: the more clear words, the better."""
    chance = random.Random(7)
    records = []
    for i in range(90):
        k = chance.randint(4, 6)
        clear = chance.sample(range(9), k)
        texts = [" ".join(chance.sample([GOOD] * n + [BAD] * (8 - n), 8)) + f" {i}" for n in clear]
        order = sorted(range(k), key=lambda j: clear[j], reverse=not inverted)
        records.append(
            {
                "prompt": f"question number {i}",
                "completions": [{"id": str(j), "text": t} for j, t in enumerate(texts)],
                "rankings": [{"labeler": "ana", "tiers": [[str(j)] for j in order]}],
            }
        )
    return write_jsonl(folder / "planted.jsonl", records)


def tokenizer_for(texts: list[str]) -> Any:
    """A word-level tokenizer of exactly these texts, with a chat template and an end token."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=special))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", eos_token="<|end|>"
    )
    fast.chat_template = CHAT
    return fast


def tiny(tokenizer: Any, *, scores: bool) -> Any:
    """A Llama of a few thousand weights, made from a config: nothing is downloaded."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=2048,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        num_labels=1,
    )
    return (LlamaForSequenceClassification if scores else LlamaForCausalLM)(config)
