"""A store as pandas frames, for notebooks: `labelkit.load("labelkit.db").rankings_frame()`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelkit.domain.models import Bundle, current
from labelkit.services.project import opened
from labelkit.store.bundles import read_bundles

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Notebook:
    """A store to look at. Every frame is read afresh."""

    path: Path

    def bundles(self) -> Iterator[Bundle]:
        """Yield every prompt with all that hangs off it."""
        with opened(self.path) as store:
            yield from read_bundles(store)

    def rankings_frame(self) -> DataFrame:
        """Return one row for each placed completion of each current ranking; `rank` 1 is best."""
        return _frame(list(self._placed()), _RANKINGS)

    def _placed(self) -> Iterator[dict[str, Any]]:
        for bundle in self.bundles():
            for ranking in current(bundle.rankings):
                for rank, tier in enumerate(ranking.tiers, 1):
                    for uid in tier:
                        yield {
                            "prompt": bundle.prompt.name,
                            "ranking": ranking.uid,
                            "labeler": ranking.labeler,
                            "completion": uid,
                            "rank": rank,
                            "rating": ranking.ratings.get(uid),
                        }


_RANKINGS = ("prompt", "ranking", "labeler", "completion", "rank", "rating")


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns))


def load(path: str | Path = "labelkit.db") -> Notebook:
    """Open a store for looking at. Raises StoreMissing and the like at once."""
    with opened(Path(path)):
        return Notebook(Path(path))
