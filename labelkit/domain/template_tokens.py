"""The tokens that chat templates and tokenizers keep for themselves.

A tokenizer reads them inside a text as if the template had written them, so a completion that holds
one can end its own turn. Trainers add these tokens; a data set never should.
"""

from __future__ import annotations

import re

# A pattern that begins with one letter is looked for as fast as that letter alone.
_ANGLED = re.compile(
    r"<(?:"
    r"\|[^|<>\s]{1,40}\|>"  # ChatML, Llama 3, GPT, Phi, Zephyr: <|im_end|>, <|eot_id|>, ...
    r"|\uff5c[^\uff5c<>]{1,40}\uff5c>"  # DeepSeek, with full-width bars
    r"|/?s>|(?:bos|eos|pad|unk)>"  # Llama 2, T5, Gemma
    r"|</?SYS>>"  # Llama 2, Mistral
    r"|(?:start|end)_of_turn>"  # Gemma
    r")"
)
_SQUARE = re.compile(r"\[/?INST\]")  # Llama 2, Mistral


def has_template_tokens(text: str) -> bool:
    """Whether a text holds a token that only a template may write.

    >>> has_template_tokens("Sure.<|im_end|>"), has_template_tokens("a < b | c > d")
    (True, False)
    """
    if "<" in text and _ANGLED.search(text):
        return True
    return "[" in text and _SQUARE.search(text) is not None
