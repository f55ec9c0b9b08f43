r"""Conversations written as one text: `\n\nHuman: ...\n\nAssistant: ...`."""

from __future__ import annotations

import re

from labelkit.importers._build import Chat

_TURN = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}


def is_transcript(text: str) -> bool:
    return text.startswith("\n\nHuman:")


def transcript(text: str) -> Chat:
    r"""Cut a transcript at its markers; the one space after each is part of the marker.

    >>> transcript("\n\nHuman: Hi\n\nAssistant: Hello!")[1]
    {'role': 'assistant', 'content': 'Hello!'}
    """
    _, *parts = _TURN.split(text)
    return [
        {"role": _ROLES[who], "content": said.removeprefix(" ")}
        for who, said in zip(parts[::2], parts[1::2], strict=True)
    ]


def open_transcript(text: str) -> Chat:
    """Cut a transcript that is left open for the assistant to go on."""
    turns = transcript(text)
    if turns[-1]["role"] == "assistant" and not turns[-1]["content"].strip():
        turns.pop()
    return turns
