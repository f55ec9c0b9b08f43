"""Write what trainers read: bundles in, rows out, the same bytes every time."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO

from labelkit.domain.asked import Measure
from labelkit.domain.canonical import uid_of
from labelkit.domain.decisions import settled, standing
from labelkit.domain.lengths import ESTIMATE, estimated_tokens
from labelkit.domain.models import Prompt
from labelkit.domain.splits import SplitPlan
from labelkit.domain.withheld import EXCLUDED
from labelkit.errors import NothingToDo, UsageError
from labelkit.plugins import Exporter, Stage
from labelkit.services.cores import cores
from labelkit.services.export_card import CARD, card, paths_by_split
from labelkit.services.export_files import Folder, GzipJsonLines, JsonLines, Layout
from labelkit.services.export_jobs import Job, lines
from labelkit.services.export_lines import Writer, rejected_columns
from labelkit.services.export_options import RANKED, ExportOptions, options, stage_of
from labelkit.services.export_parquet import Parquet, pyarrow
from labelkit.services.export_piles import Lines
from labelkit.services.export_report import ExportReport, columns_of
from labelkit.services.export_rows import BundleMerger, Work
from labelkit.services.export_shuffle import Shuffled
from labelkit.services.export_twins import twins
from labelkit.services.project import opened
from labelkit.services.selection import Selection
from labelkit.services.split_plan import plan_in_force
from labelkit.store import rules
from labelkit.store.bundles import (
    Parts,
    Range,
    Snapshot,
    any_pinned,
    read_prompts,
    small_cache,
    snapshot,
)
from labelkit.store.core import Store, get_setting

Progress = Callable[[int, int | None], None]
"""Called with (prompts done, prompts in all)."""

Sink = Callable[[Lines], None]

__all__ = ["ExportOptions", "ExportReport", "export", "options", "target"]


def target(out: str | None, dry_run: bool) -> Path | IO[bytes]:
    """Return where rows go: a folder, or stdout when asked for or piped into something."""
    if out not in (None, "-"):
        return Path(str(out))
    if dry_run:
        return io.BytesIO()
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
    options, exporter, stage = stage_of(options)
    if options.split and not isinstance(out, Path):
        raise UsageError("one stream holds one split", hint="write to a folder: --out DIR")
    measure, unit = measure_of(options.tokenizer)
    report = ExportReport(options, columns_of(options, stage), unit)
    with opened(store_path) as store:
        small_cache(store)
        view, work = prepare(store, options, stage, measure)
        report.seen = _fingerprint(store, view) if options.shard else ""
        if isinstance(out, Path):
            _into_folder(store, view, work, exporter, report, out, progress)
        else:
            _into_stream(store, view, work, report, out, progress)
    return report


def prepare(
    store: Store, options: ExportOptions, stage: Stage, measure: Measure = estimated_tokens
) -> tuple[Snapshot, Work]:
    """Return what an export of this store sees, and the way from its bundles to rows."""
    with store.read() as tx:
        view = snapshot(tx)
        options = replace(options, split=options.split or plan_in_force(tx))
        # A rating margin is a share of the scale that the labeler's guideline had.
        spans = {g.ref: g.scale.most - g.scale.least for g in rules.everything(tx)}
        several = bool(options.split) or any_pinned(tx)
    plan = options.split or SplitPlan()
    same = twins(lambda: _usable(store, view), plan) if several and stage.columns else {}
    settled = replace(options, pairs=replace(options.pairs, rating_spans=spans))
    return view, Work(settled, stage, same, measure, _merger(store, options))


def _usable(store: Store, view: Snapshot) -> Iterator[Prompt]:
    """The prompts that are not excluded, as they were decided about."""
    for prompt in read_prompts(store, view):
        if not standing(prompt).excluded:
            yield settled(prompt)


def _fingerprint(store: Store, view: Snapshot) -> str:
    """A name for what a store held: parts of one export must have seen the same."""
    with store.read() as tx:
        project = get_setting(tx, "project")
    marks = {str(table): mark for table, mark in view.watermark.items()}
    return uid_of("snapshot", [project, marks])


def _merger(store: Store, options: ExportOptions) -> BundleMerger | None:
    if options.consensus is None:
        return None
    from labelkit.services.consensus import export_merger  # numpy, which other exports do without

    return export_merger(store, options.consensus, options.pairs.labelers)


def measure_of(tokenizer: str | None) -> tuple[Measure, str]:
    """Return how a text is measured, and the name of the unit. Raises UsageError."""
    if tokenizer is None:
        return estimated_tokens, ESTIMATE
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise UsageError("--tokenizer needs a library", hint="pip install tokenizers") from None
    try:
        encode = Tokenizer.from_file(tokenizer).encode
    except Exception as error:  # the library raises bare Exceptions
        raise UsageError(f"{tokenizer}: not a tokenizer.json: {error}") from None
    name = Path(tokenizer).name
    return (
        lambda text: len(encode(text, add_special_tokens=False).ids),
        f"tokens of {name}, without chat template",
    )


def _into_stream(
    store: Store,
    view: Snapshot,
    work: Work,
    report: ExportReport,
    out: IO[bytes],
    progress: Progress | None,
) -> None:
    if work.options.dry_run:
        _run(store, view, work, report, lambda _: None, None, progress)
        return
    encoder = JsonLines(out)
    _run(store, view, work, report, encoder.add, None, progress)
    encoder.finish()


def _into_folder(
    store: Store,
    view: Snapshot,
    work: Work,
    exporter: Exporter,
    report: ExportReport,
    out: Path,
    progress: Progress | None,
) -> None:
    options = work.options
    folder = Folder(out, _layout(options, work.stage, report))
    plan = options.split or SplitPlan()
    names = [folder.layout.name(split, 0, 1) for split in plan.names]
    documents = [CARD] if options.card else []
    folder.check((options.format, options.trainer, options.variant), [*names, *documents])
    if options.dry_run:
        _run(store, view, work, report, lambda _: None, None, progress)
        return
    with folder:
        _run(store, view, work, report, folder.add, out, progress)
        report.files = folder.sealed()
        _add_documents(store, folder, exporter, work.stage, report)
        folder.publish(report.as_json())


def _layout(options: ExportOptions, stage: Stage, report: ExportReport) -> Layout:
    container = options.container or stage.container
    if container == "parquet":
        pyarrow()
        columns, sides = report.columns, rejected_columns(stage) or frozenset()
        return Layout(
            ".parquet",
            lambda file: Parquet(file, columns, sides),
            stage.files,
            options.max_rows,
            options.shard,
        )
    encoder = GzipJsonLines if container == "jsonl.gz" else JsonLines
    return Layout(f".{container}", encoder, stage.files, options.max_rows, options.shard)


def _add_documents(
    store: Store, folder: Folder, exporter: Exporter, stage: Stage, report: ExportReport
) -> None:
    options = report.options
    documents: dict[str, bytes] = {}
    if exporter.sidecars:
        paths = paths_by_split(report)
        documents |= exporter.sidecars(options.format, options.variant or "", paths)
    if options.card:
        if options.format in RANKED and not options.shard:
            from labelkit.services.agreement import quoted  # numpy, after the work is done

            report.agreement = quoted(store, Selection(options.pairs.labelers))
        documents[CARD] = card(report, exporter, stage)
    report.documents = [folder.document(name, data) for name, data in sorted(documents.items())]


def _run(
    store: Store,
    view: Snapshot,
    work: Work,
    report: ExportReport,
    sink: Sink,
    folder: Path | None,
    progress: Progress | None,
) -> None:
    """Put every row into the sink; kto's rows in an order that keeps a prompt's own apart."""
    shuffled: AbstractContextManager[Shuffled | None] = (
        Shuffled(sink, work.options.pairs.seed, folder)
        if work.options.format == "kto"
        else nullcontext()
    )
    with shuffled as piles:
        for found in _lines(store, view, work, report, progress):
            (piles.add if piles else sink)(found)
        if piles:
            piles.hand_on()
    if not report.books.rows:
        raise NothingToDo(f"no rows for {report.options.format}", hint=_why_empty(report))


def _lines(
    store: Store, view: Snapshot, work: Work, report: ExportReport, progress: Progress | None
) -> Iterator[Lines]:
    options = work.options
    jobs = 1 if options.format == "kto" else options.jobs or cores()
    prompts = view.watermark["prompt"] // (options.shard.of if options.shard else 1)
    container = options.container or work.stage.container
    writer = Writer(work, picks=container == "parquet")
    job = Job(store.path, view, range_of(options), parts_of(options), writer, prompts)
    return lines(store, job, report.books, jobs, progress)


def range_of(options: ExportOptions) -> Range:
    """Which prompts an export goes through."""
    shard = options.shard
    return Range().cut(shard.of)[shard.number - 1] if shard else Range()


def parts_of(options: ExportOptions) -> Parts:
    """What an export needs of a bundle."""
    everything = options.format == "records"
    rated = options.pairs.margin == "rating" or options.format in ("sft", "rankings")
    return Parts(
        aliases=everything,
        sources=everything or options.format == "rankings",
        details=everything or rated,
        skips=everything,
    )


def _why_empty(report: ExportReport) -> str:
    counts, stage = report.books.counts, report.options.format
    if not counts["prompts"]:
        return _why_no_prompt(report)
    if report.books.refused:
        return "--misfits flatten, or another --for: its rows cannot say these prompts"
    if stage == "sft":
        return "labelkit write --as NAME, import demonstrations, or --from best"
    if counts["rankings"]:
        return "every comparison was a tie or had no majority"
    if report.options.pairs.labelers == "human":
        return "labelkit rank --as NAME; rankings by models need --labelers model or all"
    return "labelkit rank --as NAME"


def _why_no_prompt(report: ExportReport) -> str:
    if report.books.undecided:
        return "every prompt has PII hints: labelkit prompts pii, or --allow-pii"
    if report.books.counts[EXCLUDED]:
        return "every prompt is excluded: labelkit prompts list --excluded"
    return "labelkit import FILE"
