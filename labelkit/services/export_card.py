"""README.md of an export: a dataset card that `datasets.load_dataset(folder, STAGE)` opens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from statistics import median
from typing import Any

import yaml

from labelkit.domain.columns import Type
from labelkit.plugins import Exporter, Stage
from labelkit.services.export_report import ExportReport

CARD = "README.md"


def card(report: ExportReport, exporter: Exporter, stage: Stage) -> bytes:
    """Return the card. Labelers are counted and never named."""
    head = yaml.safe_dump(_metadata(report), sort_keys=False, allow_unicode=True)
    body = "\n".join(_body(report, exporter, stage))
    return f"---\n{head}---\n\n{body}\n".encode()


def _metadata(report: ExportReport) -> dict[str, Any]:
    """The card's head. `description` changes with the data, because `datasets` needs it to.

    Its cache knows a local folder by its last name and by what its card says, not by its files: two
    folders called `rm`, or one that was exported again, would give the rows it saw first.
    """
    name = report.options.format
    config = {
        "config_name": name,
        "description": f"sha256 {_content(report)}",
        "default": True,
        "data_files": _data_files(report),
    }
    return {
        **({"license": report.options.licence} if report.options.licence else {}),
        "tags": ["rlhf", "labelkit"],
        "configs": [config],
        **({"dataset_info": [_info(name, report.columns)]} if report.columns else {}),
    }


def _content(report: ExportReport) -> str:
    sums = "".join(f"{f.name} {f.sha256}\n" for f in report.files)
    return sha256(sums.encode()).hexdigest()


def _data_files(report: ExportReport) -> list[dict[str, Any]]:
    paths = paths_by_split(report)
    return [
        {"split": split, "path": names[0] if len(names) == 1 else names}
        for split, names in paths.items()
    ]


def paths_by_split(report: ExportReport) -> dict[str, list[str]]:
    """Map each split to its files; train comes first."""
    paths: dict[str, list[str]] = defaultdict(list)
    for file in sorted(report.files, key=lambda f: (f.split != "train", f.split, f.name)):
        paths[file.split].append(file.name)
    return dict(paths)


def _info(name: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {"config_name": name, "features": [_feature(n, t) for n, t in columns.items()]}


def _feature(name: str, type_: Type) -> dict[str, Any]:
    if isinstance(type_, str):
        return {"name": name, "dtype": type_}
    if isinstance(type_, list):
        return {"name": name, "list": _item(type_[0])}
    return {"name": name, "struct": [_feature(n, t) for n, t in type_.items()]}


def _item(type_: Type) -> Any:
    if isinstance(type_, str):
        return type_
    if isinstance(type_, list):
        return {"list": _item(type_[0])}
    return [_feature(n, t) for n, t in type_.items()]


# -- what people read ----------------------------------------------------------------------------


def _body(report: ExportReport, exporter: Exporter, stage: Stage) -> Iterator[str]:
    options = report.options
    yield f"# {options.format} data for {options.trainer}\n"
    variant = f", variant {options.variant}" if options.variant else ""
    yield f"{exporter.title}{variant}. {stage.usage}\n"
    yield from _table(("split", "file", "rows"), _file_rows(report))
    yield from _labels(report)
    yield from _lengths(report)
    yield "## Counts\n"
    counts = [(name.replace("_", " "), n) for name, n in report.counts.items()]
    counts += [(f"prompts refused: {why}", n) for why, n in sorted(report.books.refused.items())]
    counts += [(f"prompts flattened: {w}", n) for w, n in sorted(report.books.flattened.items())]
    yield from _table(("what", "count"), counts)
    yield f"Written by labelkit; the data's digest is `{report.books.digest:064x}`."
    yield "`labelkit verify` checks this folder, `labelkit why` says where a row came from."


def _file_rows(report: ExportReport) -> list[tuple[object, ...]]:
    return [(f.split, f"`{f.name}`", f"{f.rows:,}") for f in report.files]


def _labels(report: ExportReport) -> Iterator[str]:
    if not report.books.labelers:
        return
    yield "## Labels\n"
    yield f"- {_labelers_text(report.books.labelers)}"
    guidelines = {ref: n for ref, n in report.books.guidelines.items() if ref}
    if guidelines:
        told = ", ".join(f"{ref} ({n:,} rankings)" for ref, n in sorted(guidelines.items()))
        yield f"- guideline: {told}"
    if report.books.seconds:
        seconds = median(report.books.seconds.elements())
        yield f"- median active time for a ranking: {seconds:g} s"
    for rule, found in (report.agreement or {}).items():
        if found["rate"] is not None:
            yield f"- agreement ({rule}): {_rate(found)}"
    yield ""


def _rate(found: Mapping[str, Any]) -> str:
    rate, n = f"{100 * found['rate']:.1f} %", f"n = {found['n']:,}"
    if found["low"] is None:
        return f"{rate} ({n})"
    return f"{rate} (95 % interval {100 * found['low']:.1f} to {100 * found['high']:.1f}, {n})"


def _labelers_text(labelers: Counter[tuple[str, str]]) -> str:
    kinds = Counter(kind for _, kind in labelers)
    who = " and ".join(f"{n} {kind} labeler{'s' * (n > 1)}" for kind, n in sorted(kinds.items()))
    each = sorted(labelers.values())
    spread = f"{each[0]:,} to {each[-1]:,}, median {median(each):g}"
    return f"{sum(each):,} rankings by {who}; rankings per labeler: {spread}"


def _lengths(report: ExportReport) -> Iterator[str]:
    found = report.lengths
    if found is None:
        return
    yield "## Lengths\n"
    yield f"Prompt and longest completion of a row, in {found['unit']}.\n"
    over = found["over"]
    header = ("p50", "p90", "p99", "longest", *(f"rows over {x}" for x in over))
    numbers = (found["p50"], found["p90"], found["p99"], found["max"], *over.values())
    yield from _table(header, [tuple(f"{n:,}" for n in numbers)])


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
    yield ""
