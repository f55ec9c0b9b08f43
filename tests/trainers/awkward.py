"""Prompts and completions that are honest, and that a loader may stumble over."""

from __future__ import annotations

from typing import Any

Chat = list[tuple[str, str]]

PROMPTS: dict[str, Chat] = {
    "system": [("system", "Be brief."), ("user", "Which river is the longest?")],
    "turns": [("user", "Hi."), ("assistant", "Hello! What is it?"), ("user", "Name a colour.")],
    "both": [
        ("system", "You speak like a sailor."),
        ("user", "Where are we?"),
        ("assistant", "At sea, captain."),
        ("user", "And where is the land?"),
        ("assistant", "Behind us."),
        ("user", "How far?"),
    ],
    "twice": [("user", "Wait."), ("user", "What I meant: is it Monday?")],
    "letters": [("user", "Answer with one letter: which comes first?")],
    "tags": [("user", "What do <image> and <video src='a.mp4'> do in a page? And {{ this }}?")],
    "world": [("user", "Wie heißt 犬 auf Deutsch? 🐕")],
}
ANSWERS: dict[str, list[str]] = {
    "letters": ["s", "user", "a", "me"],
    "tags": ["<image> is none, use <img>.", "<video> plays.", "{{ this }} is a template.", "..."],
    "world": ["Hund 🐶", "  Der Hund.\n", "Katze?\n\n", "犬"],
}
ORDINARY = ["Well said, and right.", "Right, in a way.", "Perhaps.", "No idea, sorry."]


def records() -> list[dict[str, Any]]:
    """Return records with one demonstration and one ranking each."""
    return [_record(name, chat) for name, chat in PROMPTS.items()]


def _record(name: str, chat: Chat) -> dict[str, Any]:
    answers = ANSWERS.get(name, [f"{text} ({name})" for text in ORDINARY])
    ids = "wxyz"
    return {
        "prompt_id": f"awkward-{name}",
        "prompt": [{"role": role, "content": content} for role, content in chat],
        "split": "train",
        "completions": [{"id": i, "text": text} for i, text in zip(ids, answers, strict=True)],
        "demonstrations": [{"text": answers[0], "labeler": "ana"}],
        "rankings": [{"labeler": "ana", "tiers": [[i] for i in ids]}],
    }
