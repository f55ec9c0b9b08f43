"""A store as pandas frames, for notebooks: `labelkit.load("labelkit.db").rankings_frame()`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelkit.domain.models import Bundle, Demonstration, Label, Ranking, Skip
from labelkit.domain.pairs import comparisons
from labelkit.services.project import opened
from labelkit.services.selection import Selection, selection
from labelkit.store.bundles import read_bundles

if TYPE_CHECKING:
    from pandas import DataFrame

_LABELS = (
    "kind", "label", "prompt", "labeler", "labeler_kind", "guideline", "batch", "seconds",
    "submitted_at", "repeat", "k", "text", "note",
)  # fmt: skip
_RANKINGS = (
    "prompt", "ranking", "labeler", "completion", "model", "rank", "rating", "flags", "shown",
)  # fmt: skip
_PAIRS = ("prompt", "ranking", "labeler", "a", "b", "model_a", "model_b", "value")


@dataclass(frozen=True, slots=True)
class Notebook:
    """A store to look at. Every frame is read afresh.

    Frames hold labels that nobody superseded, prompt by prompt in the order they were made.
    Completions go by uid. `labelers` says whose labels: `human` (the default), `model` or `all`;
    another word raises UsageError.
    """

    path: Path

    def bundles(self) -> Iterator[Bundle]:
        """Yield every prompt with all that hangs off it, superseded labels too."""
        with opened(self.path) as store:
            yield from read_bundles(store)

    def labels_frame(self, labelers: str = "human") -> DataFrame:
        """Return one row for each ranking, demonstration and skip: who, when, under which rules.

        `k` is how many completions a ranking placed; `text` is what a demonstration says, or the
        reason of a skip.
        """
        chosen = selection(labelers=labelers)
        rows = [
            _label(bundle, label)
            for bundle in self.bundles()
            for label in _all_labels(bundle, chosen)
        ]
        return _frame(rows, _LABELS)

    def rankings_frame(self, labelers: str = "human") -> DataFrame:
        """Return one row for each completion that a ranking placed; `rank` 1 is best.

        `shown` is the place it was shown in, from 1, and `flags` what was raised on it.
        """
        chosen = selection(labelers=labelers)
        return _frame(
            [row for b in self.bundles() for r in chosen.rankings(b) for row in _places(b, r)],
            _RANKINGS,
        )

    def pairs_frame(self, labelers: str = "human") -> DataFrame:
        """Return one row for each comparison that a ranking makes of two completions, a < b.

        `value` is 1 where a is better, -1 where b is, 0 for a tie.
        """
        chosen = selection(labelers=labelers)
        return _frame(
            [row for b in self.bundles() for r in chosen.rankings(b) for row in _compared(b, r)],
            _PAIRS,
        )


def _all_labels(bundle: Bundle, chosen: Selection) -> Iterator[Label]:
    kinds: Sequence[Sequence[Label]] = (bundle.rankings, bundle.demonstrations, bundle.skips)
    for labels in kinds:
        yield from chosen.labels(labels)


def _label(bundle: Bundle, label: Label) -> dict[str, Any]:
    found = {name: getattr(label, name, None) for name in _LABELS}
    found |= {
        "kind": type(label).__name__.lower(),
        "label": label.uid,
        "prompt": bundle.prompt.name,
    }
    if isinstance(label, Ranking):
        return found
    if isinstance(label, Demonstration):
        return found | {"text": label.text}
    assert isinstance(label, Skip)
    return found | {"text": label.reason}


def _models(bundle: Bundle) -> dict[str, str | None]:
    """Name the models that gave each completion."""
    return {
        c.uid: ", ".join(sorted({s.model for s in c.sources if s.model})) or None
        for c in bundle.completions
    }


def _places(bundle: Bundle, ranking: Ranking) -> Iterator[dict[str, Any]]:
    models = _models(bundle)
    shown = {uid: place for place, uid in enumerate(ranking.shown, 1)}
    for rank, tier in enumerate(ranking.tiers, 1):
        for uid in tier:
            yield {
                "prompt": bundle.prompt.name,
                "ranking": ranking.uid,
                "labeler": ranking.labeler,
                "completion": uid,
                "model": models[uid],
                "rank": rank,
                "rating": ranking.ratings.get(uid),
                "flags": ranking.flags.get(uid, ()),
                "shown": shown.get(uid),
            }


def _compared(bundle: Bundle, ranking: Ranking) -> Iterator[dict[str, Any]]:
    models = _models(bundle)
    for a, b, value in comparisons(ranking.tiers):
        yield {
            "prompt": bundle.prompt.name,
            "ranking": ranking.uid,
            "labeler": ranking.labeler,
            "a": a,
            "b": b,
            "model_a": models[a],
            "model_b": models[b],
            "value": value,
        }


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns))


def load(path: str | Path = "labelkit.db") -> Notebook:
    """Open a store for looking at. Raises StoreMissing and the like at once."""
    with opened(Path(path)):
        return Notebook(Path(path))
