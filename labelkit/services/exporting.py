"""Write what trainers read: bundles in, rows out, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, get_args

import orjson

from labelkit import __version__, plugins
from labelkit.domain import units
from labelkit.domain.models import Bundle, Prompt, current
from labelkit.domain.pairs import (
    Kinds,
    LabelRule,
    MarginRule,
    PairOptions,
    expand,
    parse_scheme,
)
from labelkit.domain.splits import SplitPlan, parse_plan, split_of
from labelkit.errors import NothingToDo, UsageError
from labelkit.services.choices import one_of
from labelkit.services.export_files import Folder, WrittenFile
from labelkit.services.project import opened
from labelkit.store import rules
from labelkit.store.bundles import read_bundles, snapshot
from labelkit.store.core import Store

if TYPE_CHECKING:
    from labelkit.services.consensus import Merger

MANIFEST_SCHEMA = "labelkit.manifest/1"
OWN_DIALECT = "labelkit"

Progress = Callable[[int, int | None], None]
"""Called with (prompts done, prompts in all)."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to write. `split` is None for a single file a split that prompts are pinned to."""

    format: str
    trainer: str = "trl"
    pairs: PairOptions = field(default_factory=PairOptions)
    split: SplitPlan | None = None
    dry_run: bool = False
    consensus: str | None = None


@dataclass(slots=True)
class ExportReport:
    """What was written, or would have been."""

    options: ExportOptions
    counts: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    files: list[WrittenFile] = field(default_factory=list)
    digest: str = ""

    @property
    def empty_splits(self) -> list[str]:
        """Splits that were asked for and that nothing fell into."""
        return [name for name in (self.options.split or SplitPlan()).names if not self.rows[name]]

    def as_json(self) -> dict[str, Any]:
        """Return the manifest."""
        return {
            "schema": MANIFEST_SCHEMA,
            "labelkit": __version__,
            "format": self.options.format,
            "for": self.options.trainer,
            "options": _said(self.options),
            "counts": {name: self.counts[name] for name in COUNTED[self.options.format]},
            "files": [f.as_json() for f in self.files],
            "digest": self.digest,
        }


_PAIRS = (
    "prompts",
    "rankings",
    "comparisons",
    "ties",
    "repeated",
    "no_majority",
    "not_chosen",
    "identical",
    "empty",
    "duplicates",
    "pairs",
)
COUNTED: Mapping[str, tuple[str, ...]] = {
    "sft": ("prompts", "demonstrations", "empty", "duplicates"),
    "rm": _PAIRS,
    "prompts": ("prompts",),
    "rankings": ("prompts", "rankings", "repeated", "too_few"),
    "records": ("prompts", "completions", "demonstrations", "rankings", "skips"),
}


def _said(options: ExportOptions) -> dict[str, Any]:
    """The options as a person would type them again."""
    pairs = options.pairs
    said: dict[str, Any] = {
        "split": ",".join(f"{n}={s:g}" for n, s in options.split.shares) if options.split else None,
        "labelers": pairs.labelers,
    }
    if COUNTED[options.format] is _PAIRS:
        said |= {
            "pairs": f"random:{pairs.random_n}" if pairs.scheme == "random" else pairs.scheme,
            "labels": f"consensus:{options.consensus}" if options.consensus else pairs.labels,
            "min_majority": pairs.min_majority,
            "margin": pairs.margin,
            "seed": pairs.seed,
        }
    return said


def stages() -> list[str]:
    """Return the formats there are, in the order people meet them."""
    return list(COUNTED)


def options(
    *,
    format: str,
    trainer: str,
    split: str | None,
    pairs: str,
    labels: str,
    min_majority: float,
    margin: str,
    labelers: str,
    seed: str,
    dry_run: bool,
) -> ExportOptions:
    """Read the options as they are typed. Raises UsageError."""
    scheme, random_n = parse_scheme(pairs)
    labels, method = _consensus_of(format, labels, margin, min_majority)
    how = PairOptions(
        scheme=scheme,
        random_n=random_n,
        labels=one_of(labels, get_args(LabelRule), "--labels"),
        min_majority=min_majority,
        margin=one_of(margin, get_args(MarginRule), "--margin"),
        labelers=one_of(labelers, get_args(Kinds), "--labelers"),
        seed=seed,
    )
    plan = parse_plan(split, seed) if split else None
    return ExportOptions(format, trainer, how, plan, dry_run, method)


def _consensus_of(
    format: str, labels: str, margin: str, min_majority: float
) -> tuple[str, str | None]:
    """Split `consensus:METHOD` off: it makes one ranking a prompt, which then counts by itself."""
    word, _, method = labels.partition(":")
    if word != "consensus":
        return labels, None
    plugins.consensus.get(method)
    if format in ("sft", "prompts", "records"):
        raise UsageError(f"{format} is not made from rankings: there is nothing to merge")
    if margin in ("votes", "rating") or min_majority:
        raise UsageError(
            "a consensus has no votes and no ratings",
            hint="--labels majority with --margin votes|rating or --min-majority",
        )
    return "each", method


def target(out: str | None, dry_run: bool) -> Path | IO[bytes]:
    """Return where rows go: a folder, or stdout when asked for or piped into something."""
    if out not in (None, "-"):
        return Path(str(out))
    if dry_run:
        return io.BytesIO()
    if sys.stdout is None:
        raise UsageError("stdout is closed", hint="--out DIR")
    if out is None and sys.stdout.isatty():
        raise UsageError("say where the rows go", hint="--out DIR, or --out - for this terminal")
    return sys.stdout.buffer


def export(
    store_path: Path,
    options: ExportOptions,
    out: Path | IO[bytes],
    progress: Progress | None = None,
) -> ExportReport:
    """Export to a folder, or to a stream. Raises NothingToDo when there is not one row."""
    job = _Job.of(options)
    if options.split and not isinstance(out, Path):
        raise UsageError("one stream holds one split", hint="write to a folder: --out DIR")
    with opened(store_path) as store:
        job = replace(job, options=_with_scales(store, options), merger=_merger(store, options))
        report = ExportReport(job.options)
        if isinstance(out, Path):
            _into_folder(job, store, out, report, progress)
        else:
            for _, line in job.lines(store, report, progress):
                if not options.dry_run:
                    out.write(line)
    return report


def _merger(store: Store, options: ExportOptions) -> Merger | None:
    if options.consensus is None:
        return None
    from labelkit.services.consensus import export_merger  # numpy, which other exports do without

    return export_merger(store, options.consensus, options.pairs.labelers)


def _with_scales(store: Store, options: ExportOptions) -> ExportOptions:
    """A rating margin is a share of the scale that the labeler's guideline had."""
    with store.read() as tx:
        spans = {g.ref: g.scale.most - g.scale.least for g in rules.everything(tx)}
    return replace(options, pairs=replace(options.pairs, rating_spans=spans))


def _into_folder(
    job: _Job, store: Store, out: Path, report: ExportReport, progress: Progress | None
) -> None:
    folder = Folder(out, job.file_name)
    folder.check(job.options.format, job.options.trainer)
    if job.options.dry_run:
        for _ in job.lines(store, report, progress):
            pass
        return
    with folder:
        for split, line in job.lines(store, report, progress):
            folder.write(split, line)
        report.files = folder.sealed()
        folder.publish(report.as_json())


@dataclass(frozen=True, slots=True)
class _Job:
    """One export: how a bundle becomes rows, and rows become lines."""

    options: ExportOptions
    row: Callable[[Any], Mapping[str, Any]]
    merger: Merger | None = None

    @classmethod
    def of(cls, options: ExportOptions) -> _Job:
        if options.format not in COUNTED:
            raise UsageError(
                f"there is no format {options.format!r}", hint=f"one of: {', '.join(stages())}"
            )
        name = OWN_DIALECT if options.format == "records" else options.trainer
        exporter: plugins.Exporter = plugins.exporters.get(name)
        if options.format not in exporter.stages:
            able = ", ".join(exporter.stages)
            raise UsageError(f"{name} has no format {options.format!r}", hint=f"it has: {able}")
        return cls(replace(options, trainer=name), exporter.stages[options.format])

    def file_name(self, split: str) -> str:
        return f"{split}.jsonl"

    def lines(
        self, store: Store, report: ExportReport, progress: Progress | None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield (split, line) and keep the books."""
        digest = hashlib.sha256()
        plan = self.options.split or SplitPlan()
        with store.read() as tx:
            view = snapshot(tx)
        for n, bundle in enumerate(read_bundles(store, view), 1):
            split = split_of(bundle.prompt, plan)
            digest.update(_identity(bundle))
            report.counts["prompts"] += 1
            for unit in self.units(bundle, report.counts):
                report.rows[split] += 1
                yield split, orjson.dumps(self.row(unit), option=orjson.OPT_APPEND_NEWLINE)
            if progress and n % 500 == 0:
                progress(n, view.watermark["prompt"])
        report.digest = digest.hexdigest()
        if not report.rows:
            raise NothingToDo(f"no rows for {self.options.format}", hint=_why_empty(report))

    def units(self, bundle: Bundle, counts: Counter[str]) -> Iterable[plugins.Unit]:
        """Return what this stage makes rows of; from the consensus, if one is wanted."""
        if self.merger is None:
            return self._units(bundle, counts)
        merged = self._units(self.merger.merged(bundle), counts)
        return (self.merger.credited(bundle, unit) for unit in merged)

    def _units(self, bundle: Bundle, counts: Counter[str]) -> Iterable[plugins.Unit]:
        stage = self.options.format
        if stage in _UNITS:
            return _UNITS[stage](bundle, self.options.pairs, counts)
        return _pair_units(bundle, self.options.pairs, counts)


def _whole(bundle: Bundle, _: PairOptions, counts: Counter[str]) -> Iterator[Bundle]:
    for name in ("completions", "demonstrations", "rankings", "skips"):
        counts[name] += len(getattr(bundle, name))
    yield bundle


def _prompt(bundle: Bundle, _: PairOptions, counts: Counter[str]) -> Iterator[Prompt]:
    yield bundle.prompt


def _demonstrations(
    bundle: Bundle, _: PairOptions, counts: Counter[str]
) -> Iterator[plugins.DemonstrationUnit]:
    for demonstration in units.demonstrations(bundle, counts):
        yield plugins.DemonstrationUnit(bundle.prompt, demonstration)


def _rankings(
    bundle: Bundle, how: PairOptions, counts: Counter[str]
) -> Iterator[plugins.RankingUnit]:
    completions = {c.uid: c for c in bundle.completions}
    for ranking in units.rankings(bundle, how, counts):
        yield plugins.RankingUnit(bundle.prompt, completions, ranking)


def _pair_units(
    bundle: Bundle, how: PairOptions, counts: Counter[str]
) -> Iterator[plugins.PairUnit]:
    completions = {c.uid: c for c in bundle.completions}
    for pair in expand(bundle, how, counts):
        yield plugins.PairUnit(bundle.prompt, completions, pair)


_UNITS: Mapping[str, Callable[[Bundle, PairOptions, Counter[str]], Iterable[plugins.Unit]]] = {
    "records": _whole,
    "prompts": _prompt,
    "sft": _demonstrations,
    "rankings": _rankings,
}


def _identity(bundle: Bundle) -> bytes:
    """The uids of everything that could have shaped a row."""
    labels = [x.uid for x in (*current(bundle.rankings), *current(bundle.demonstrations))]
    names = [bundle.prompt.uid, *(c.uid for c in bundle.completions), *sorted(labels)]
    return "\n".join([*names, ""]).encode()


def _why_empty(report: ExportReport) -> str:
    counts, stage = report.counts, report.options.format
    if not counts["prompts"]:
        return "labelkit import FILE"
    if stage == "sft":
        return "labelkit write --as NAME, or import demonstrations"
    if counts["rankings"]:
        return "every comparison was a tie or had no majority"
    if report.options.pairs.labelers == "human":
        return "labelkit rank --as NAME; rankings by models need --labelers model or all"
    return "labelkit rank --as NAME"
