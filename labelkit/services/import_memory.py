"""Files that were taken whole before: their bytes say that reading them again adds nothing.

What was taken is noted in the store, in the transaction that took it, so no backup or crash can
part the two. A note counts only while nothing has happened that could make the same file mean more:
no purge, no merge, no restore, no other guideline, no other labelkit.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from labelkit import __version__
from labelkit.domain.canonical import uid_of
from labelkit.store import journal, rules
from labelkit.store.engine import Tx
from labelkit.store.ingest import Counts

_COMMAND = "import"
_HARMLESS = (_COMMAND, "bundle make", "bundle release")


def keep(tx: Tx, digest: str, size: int, counts: Counts) -> None:
    """Note that a file was taken whole, and what came of it."""
    said = {name: dict(n) for name, n in counts.items()}
    journal.note(tx, _COMMAND, size=size, counts=said, file=_name(tx, digest, said))


def sizes(tx: Tx) -> set[int]:
    """The sizes of the files that were taken whole: no other needs to be looked at."""
    return {entry["size"] for entry in journal.entries(tx, _COMMAND)}


def recall(tx: Tx, digest: str) -> Counts | None:
    """Return the counts of importing this very file once more, or None where it must be read."""
    for entry in journal.entries(tx, _COMMAND):
        said = entry["counts"]
        if entry["file"] == _name(tx, digest, said):
            return {name: _again(Counter(n)) for name, n in said.items()}
    return None


def _name(tx: Tx, digest: str, counts: Any) -> str:
    """The counts are part of it, so that a damaged note is no note."""
    said = [__version__, journal.last(tx, but=_HARMLESS), rules.uids(tx), digest, counts]
    return uid_of(_COMMAND, said)


def _again(counts: Counter[str]) -> Counter[str]:
    """What was added is known the second time; the rest is said of the file itself."""
    if "added" in counts:
        counts["known"] += counts["added"]
        counts["added"] = 0
    return counts
