"""Which labels a measurement looks at, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from labelkit.domain.decisions import settled
from labelkit.domain.models import AnyLabel, Bundle, Label, Ranking
from labelkit.domain.pairs import Kinds, counted
from labelkit.domain.times import normalise
from labelkit.errors import UsageError
from labelkit.services.choices import one_of
from labelkit.store import people
from labelkit.store.bundles import Parts, read_bundles, snapshot
from labelkit.store.core import Store

Progress = Callable[[int, int | None], None]
"""Called with (prompts done, prompts in all)."""

Field = Literal["use_case", "language", "batch", "guideline", "week"]
NOT_SAID = "(not said)"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rankings count: whose, out of which batch, from when on. Models are kept apart."""

    kinds: Kinds = "human"
    batch: str | None = None
    labelers: tuple[str, ...] = ()
    since: str | None = None

    def rankings(self, bundle: Bundle) -> list[Ranking]:
        """Return the rankings of a prompt that count, in the order they were made."""
        return self.labels(bundle.rankings)

    def labels(self, labels: Sequence[AnyLabel]) -> list[AnyLabel]:
        """Return the labels that count, in the order they were made."""
        return [x for x in counted(labels, self.kinds) if self._wants(x)]

    def _wants(self, label: Label) -> bool:
        return (
            (self.batch is None or label.batch == self.batch)
            and (not self.labelers or label.labeler in self.labelers)
            and (self.since is None or (label.submitted_at or "") >= self.since)
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "kinds": self.kinds,
            "batch": self.batch,
            "labelers": list(self.labelers),
            "since": self.since,
        }


def selection(
    *,
    labelers: str = "human",
    batch: str | None = None,
    labeler: list[str] | None = None,
    since: str | None = None,
) -> Selection:
    """Read a selection as it is typed. Raises UsageError."""
    kinds = one_of(labelers, get_args(Kinds), "--labelers")
    return Selection(kinds, batch, tuple(labeler or ()), _moment(since) if since else None)


def _moment(text: str) -> str:
    try:
        return normalise(text)
    except ValueError:
        raise UsageError(
            f"--since: {text!r} is not a moment in time", hint="--since 2026-11-20"
        ) from None


_MEASURED = Parts(aliases=False, skips=False)


def selected(
    store: Store,
    selection: Selection,
    progress: Progress | None = None,
    parts: Parts = _MEASURED,
) -> Iterator[tuple[Bundle, list[Ranking]]]:
    """Yield every prompt with its rankings that count. Raises NotFound for unknown labelers."""
    with store.read() as tx:
        for name in selection.labelers:
            people.key(tx, name)
        view = snapshot(tx)
    for n, bundle in enumerate(read_bundles(store, view, None, parts), 1):
        yield bundle, selection.rankings(bundle)
        if progress and n % 500 == 0:
            progress(n, view.watermark["prompt"])


def groups_of(bundle: Bundle, rankings: list[Ranking], field: Field | None) -> list[str]:
    """Name the group of each ranking.

    A prompt belongs whole to the week in which the last of its rankings was made: labelers of one
    prompt rarely share a week, and cutting it up would lose the comparisons between them.
    """
    if field is None:
        return [""] * len(rankings)
    if field in ("use_case", "language"):
        return [getattr(settled(bundle.prompt), field) or NOT_SAID] * len(rankings)
    if field == "week":
        return [week_of(max((r.submitted_at or "" for r in rankings), default=""))] * len(rankings)
    return [getattr(r, field) or NOT_SAID for r in rankings]


def week_of(moment: str | None) -> str:
    """Return the ISO week of a stored moment.

    >>> week_of("2026-11-20T10:00:00Z")
    '2026-W47'
    """
    if not moment:
        return NOT_SAID
    year, week, _ = datetime.fromisoformat(moment).isocalendar()
    return f"{year}-W{week:02d}"
