"""The ten use cases of InstructGPT's prompts, and how often each was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PAPER: Mapping[str, float] = {
    "generation": 0.456,
    "open_qa": 0.124,
    "brainstorming": 0.112,
    "chat": 0.084,
    "rewrite": 0.066,
    "summarization": 0.042,
    "classification": 0.035,
    "other": 0.035,
    "closed_qa": 0.026,
    "extract": 0.019,
}
"""Shares of the API prompt data set (arXiv 2203.02155, table 1); they sum to 0.999."""

_LOOSE = {"summarisation": "summarization", "qa_open": "open_qa", "qa_closed": "closed_qa"}


def tag_of(text: str) -> str:
    """Return a use case in the form that is stored.

    >>> tag_of("Open QA"), tag_of("Closed-QA "), tag_of("code review")
    ('open_qa', 'closed_qa', 'code_review')
    """
    plain = re.sub(r"[\s_-]+", "_", text.strip().casefold())
    return _LOOSE.get(plain, plain)


def beside_paper(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return count, share and the paper's share by use case: the paper's ten first, then ours.

    Shares are of the prompts that have a use case; None where there are none. The empty name
    counts those without one.

    >>> beside_paper({"chat": 1, "": 1})[3]
    {'use_case': 'chat', 'prompts': 1, 'share': 1.0, 'paper': 0.084}
    """
    tagged = sum(n for name, n in counts.items() if name)
    names = [*PAPER, *sorted(name for name in counts if name and name not in PAPER)]
    rows: list[dict[str, Any]] = [
        {
            "use_case": name,
            "prompts": counts.get(name, 0),
            "share": counts.get(name, 0) / tagged if tagged else None,
            "paper": PAPER.get(name),
        }
        for name in names
    ]
    if counts.get(""):
        rows.append({"use_case": None, "prompts": counts[""], "share": None, "paper": None})
    return rows
