"""An instruction and its input as one prompt, as LLaMA-Factory and Stanford's Alpaca join them."""

from __future__ import annotations


def instruction_and_input(instruction: str, more: str | None) -> str:
    r"""Return both with a line break between them.

    >>> instruction_and_input("Translate.", "Hello")
    'Translate.\nHello'
    """
    return f"{instruction}\n{more}" if more else instruction
