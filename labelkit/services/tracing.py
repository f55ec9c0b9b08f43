"""From a row of an export back to the labels that made it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelkit.domain import units
from labelkit.domain.asked import Asked
from labelkit.domain.models import Bundle, Completion, Label, Ranking
from labelkit.domain.pairs import Judged, Pair, PairOptions, counted, expand, unfit_texts
from labelkit.errors import NotFound, UsageError, command
from labelkit.services.export_options import remembered, stage_of
from labelkit.services.export_reading import files_in_order, manifest_of, rows_of
from labelkit.services.export_rows import Books
from labelkit.services.exporting import prepare
from labelkit.services.project import opened
from labelkit.store.bundles import Range, Snapshot, prompts_named, read_bundles, snapshot
from labelkit.store.core import Store

SCHEMA = "labelkit.why/1"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Witness:
    """One label that bears on a row, and what it says: for, against, tie, or made (wrote it)."""

    says: str
    label: Label
    tiers: str = ""
    shown: str = ""

    def as_json(self) -> dict[str, Any]:
        label = self.label
        return {
            "says": self.says,
            "label": label.uid,
            "labeler": label.labeler,
            "labeler_kind": str(label.labeler_kind),
            "guideline": label.guideline,
            "batch": label.batch,
            "submitted_at": label.submitted_at,
            "seconds": label.seconds,
            "tiers": self.tiers or None,
            "shown": self.shown or None,
        }


@dataclass(frozen=True, slots=True)
class WhyReport:
    """Where a row came from. `completions` maps what it is in the row to the completion."""

    target: str
    bundle: Bundle
    completions: Mapping[str, Completion] = field(default_factory=dict)
    witnesses: tuple[Witness, ...] = ()

    def as_json(self) -> dict[str, Any]:
        prompt = self.bundle.prompt
        return {
            "schema": SCHEMA,
            "target": self.target,
            "prompt": {
                "id": prompt.name,
                "uid": prompt.uid,
                "use_case": prompt.use_case,
                "source": prompt.source,
            },
            "completions": {
                part: {"id": c.name, "uid": c.uid, "models": [s.model for s in c.sources]}
                for part, c in self.completions.items()
            },
            "labels": [witness.as_json() for witness in self.witnesses],
        }


def why(store_path: Path, target: str) -> WhyReport:
    """Trace `DIR#ROW`, `DIR/FILE#ROW`, a pair_id or a label's uid. Raises NotFound, UsageError."""
    with opened(store_path) as store:
        if _ID.fullmatch(target):
            return _why_id(store, target)
        path, mark, number = target.rpartition("#")
        if not mark or not number.isdigit() or int(number) < 1:
            raise UsageError(
                f"not a row or an id: {target!r}", hint="labelkit why DIR#12, or a pair_id"
            )
        return _why_row(store, target, Path(path), int(number))


# -- rows ----------------------------------------------------------------------------------------


def _why_row(store: Store, target: str, path: Path, number: int) -> WhyReport:
    folder, file = _place(path)
    manifest = manifest_of(folder)
    split, row = _find_row(folder, file, manifest, number)
    options, _, stage = stage_of(remembered(manifest))
    view, work = prepare(store, options, stage)
    for within in _where_to_look(store, row):
        for bundle in read_bundles(store, view, within):
            for asked, item in work.items(bundle, Books()):
                if asked.split == split and work.row(asked, item) == row:
                    return _explained(target, asked, item, options.pairs)
    raise NotFound(
        f"{target}: the store gives no such row: its labels have changed, or the file has",
        hint=command("labelkit", "verify", folder, "--against", store.path),
    )


def _place(path: Path) -> tuple[Path, str | None]:
    """The folder of an export, and the file in it when one was named."""
    if path.is_dir():
        return path, None
    for folder in path.parents:
        if (folder / "manifest.json").exists():
            return folder, path.relative_to(folder).as_posix()
    return path.parent, path.name


def _find_row(
    folder: Path, file: str | None, manifest: Mapping[str, Any], number: int
) -> tuple[str, dict[str, Any]]:
    """Count through the named file, or through all of them, train first."""
    wanted = [f for f in files_in_order(manifest) if file in (None, f["name"])]
    if not wanted:
        raise NotFound(f"{folder} has no file {file!r}", hint=command("labelkit", "verify", folder))
    left = number
    for about in wanted:
        for row in rows_of(folder, about["name"]):
            left -= 1
            if not left and row.value is not None:
                return about["split"], row.value
    raise NotFound(f"there is no row {number} in {folder / (file or '')}")


def _where_to_look(store: Store, row: Mapping[str, Any]) -> list[Range]:
    """The prompts of that name, or everywhere: not every dialect leaves room for a name."""
    name = row.get("prompt_id")
    if not isinstance(name, str):
        return [Range()]
    with store.read() as tx:
        return [Range.of(uid) for uid in prompts_named(tx, name)] or [Range()]


# -- ids -----------------------------------------------------------------------------------------


def _why_id(store: Store, wanted: str) -> WhyReport:
    """A pair_id or a label's uid: looked for in every prompt."""
    with store.read() as tx:
        view: Snapshot = snapshot(tx)
    both_ways = PairOptions(labels="each", labelers="all", keep_contradictions=True)
    for bundle in read_bundles(store, view):
        for label in (*bundle.rankings, *bundle.demonstrations):
            if label.uid == wanted:
                return WhyReport(wanted, bundle, {}, tuple(_told(bundle, [label])))
        for pair in expand(bundle, both_ways, Books().counts):
            if units.pair_id(bundle.prompt.uid, pair) == wanted:
                asked = Asked(bundle, bundle.prompt.messages)
                return _explained(wanted, asked, pair, both_ways)
    raise NotFound(
        f"no pair and no label is called {wanted}", hint="--by-group writes pair_id into rows"
    )


# -- what to say ---------------------------------------------------------------------------------


def _explained(target: str, asked: Asked, item: Any, how: PairOptions) -> WhyReport:
    bundle = asked.bundle
    if isinstance(item, Pair):
        parts = {"chosen": item.chosen, "rejected": item.rejected}
        witnesses = list(_votes(bundle, item, how))
    elif isinstance(item, Judged):
        parts = {"completion": item.completion}
        witnesses = list(_told(bundle, _labels(bundle, item.rankings)))
    elif isinstance(item, units.Answer):
        parts = {"completion": item.completion} if item.completion else {}
        witnesses = list(_told(bundle, _labels(bundle, item.labels)))
    else:
        parts = {}
        labels = [item] if isinstance(item, Ranking) else []
        witnesses = list(_told(bundle, _labels(bundle, [x.uid for x in labels])))
    named = {c.uid: c for c in bundle.completions}
    return WhyReport(
        target, bundle, {part: named[uid] for part, uid in parts.items()}, tuple(witnesses)
    )


def _labels(bundle: Bundle, uids: Iterable[str]) -> list[Label]:
    wanted = set(uids)
    return [x for x in (*bundle.rankings, *bundle.demonstrations) if x.uid in wanted]


def _votes(bundle: Bundle, pair: Pair, how: PairOptions) -> Iterator[Witness]:
    """Every counted ranking that placed both, for and against."""
    unfit = unfit_texts(bundle.texts(), how)
    stand_in = {uid: found.stand_in for uid, found in unfit.items()}
    for ranking in counted(bundle.rankings, how.labelers):
        place: dict[str | None, int] = {}
        for i, tier in enumerate(ranking.tiers):
            for uid in tier:
                place.setdefault(stand_in.get(uid, uid), i)
        if pair.chosen in place and pair.rejected in place:
            gap = place[pair.rejected] - place[pair.chosen]
            says = "for" if gap > 0 else "against" if gap < 0 else "tie"
            yield _witness(bundle, ranking, says)


def _told(bundle: Bundle, labels: Iterable[Label]) -> Iterator[Witness]:
    return (_witness(bundle, label, "made") for label in labels)


def _witness(bundle: Bundle, label: Label, says: str) -> Witness:
    if not isinstance(label, Ranking):
        return Witness(says, label)
    names = {c.uid: c.name for c in bundle.completions}
    tiers = " > ".join(" = ".join(names[uid] for uid in tier) for tier in label.tiers)
    return Witness(says, label, tiers, " ".join(names[uid] for uid in label.shown))
