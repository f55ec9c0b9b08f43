"""Re-read an export and check every promise that was made about it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from labelkit.domain.columns import row_mismatch
from labelkit.domain.leaks import leak_key
from labelkit.domain.pairs import fold
from labelkit.domain.template_tokens import has_template_tokens
from labelkit.errors import CheckFailed
from labelkit.plugins import Seen, Stage
from labelkit.services.export_files import MANIFEST
from labelkit.services.export_options import PREFERENCE, ExportOptions, remembered, stage_of
from labelkit.services.export_reading import ReadRow, files_in_order, manifest_of, rows_of
from labelkit.services.export_rows import Books
from labelkit.services.exporting import prepare, range_of
from labelkit.services.project import opened
from labelkit.store.bundles import read_bundles

SCHEMA = "labelkit.verify/1"
SHOWN = 200

Progress = Callable[[int, int | None], None]
"""Called with (rows read, rows in all)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is off, and where."""

    where: str
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}: {self.what}"


@dataclass(slots=True)
class VerifyReport:
    """What was read and what was found. `findings` holds the first of them, `found` counts all."""

    folder: str
    files: int = 0
    rows: int = 0
    found: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def note(self, where: str, rule: str, what: str) -> None:
        self.found[rule] += 1
        if len(self.findings) < SHOWN:
            self.findings.append(Finding(where, rule, what))

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "folder": self.folder,
            "files": self.files,
            "rows": self.rows,
            "ok": not self.found,
            "found": dict(sorted(self.found.items())),
            "findings": [{"where": f.where, "rule": f.rule, "what": f.what} for f in self.findings],
        }


def check(report: VerifyReport) -> None:
    """Raise CheckFailed when anything was found."""
    if report.found:
        said = ", ".join(f"{n:,} x {rule}" for rule, n in sorted(report.found.items()))
        raise CheckFailed(f"{report.folder} is not what it should be: {said}")


def verify(
    folder: Path, against: Path | None = None, progress: Progress | None = None
) -> VerifyReport:
    """Check a folder against its manifest and the rules, and against a store when one is given."""
    manifest = manifest_of(folder)
    report = VerifyReport(str(folder))
    _check_files(folder, manifest, report)
    options, _, stage = stage_of(remembered(manifest))
    checker = _Rows(folder, manifest, options, stage, report, progress)
    checker.check()
    if against is not None:
        _check_store(checker, against)
    return report


def _check_files(folder: Path, manifest: Mapping[str, Any], report: VerifyReport) -> None:
    known = [*manifest["files"], *manifest.get("documents", [])]
    report.files = len(known)
    for about in known:
        _check_file(folder / about["name"], about, report)
    names = {about["name"] for about in known}
    suffixes = {_suffix(about["name"]) for about in manifest["files"]}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        strange = name not in names and _suffix(name) in suffixes and name != MANIFEST
        if strange and path.is_file() and not path.name.startswith("."):
            report.note(name, "strange file", "is not in the manifest")


def _suffix(name: str) -> str:
    return "".join(Path(name).suffixes)


def _check_file(path: Path, about: Mapping[str, Any], report: VerifyReport) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        report.note(about["name"], "missing file", "is in the manifest and not in the folder")
        return
    except OSError as error:
        report.note(about["name"], "missing file", f"cannot be read: {error.strerror}")
        return
    if digest != about["sha256"]:
        size = path.stat().st_size
        grown = f"{size:,} bytes, {about['bytes']:,} were written"
        what = grown if size != about["bytes"] else "the same size, other bytes"
        report.note(about["name"], "changed file", what)


@dataclass(slots=True)
class _Rows:
    """Goes through every row once; what must be remembered is small beside the rows."""

    folder: Path
    manifest: Mapping[str, Any]
    options: ExportOptions
    stage: Stage
    report: VerifyReport
    progress: Progress | None = None
    prompts: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def promised(self) -> int:
        """How many rows the manifest speaks of."""
        return sum(about["rows"] for about in self.manifest["files"])

    def check(self) -> None:
        splits: dict[str, int] = {}
        for about in files_in_order(self.manifest):
            splits[about["split"]] = splits.get(about["split"], 0) + about["rows"]
        for split, promised in splits.items():
            group = _KtoSplit(self) if self.options.format == "kto" else _Split(self)
            n = 0
            for row, seen in self.seen(split):
                n += 1
                if seen is not None:
                    self._leaks(row, split, seen)
                    group.add(row, seen)
            group.end()
            if n != promised:
                told = f"the manifest says {promised:,} rows, there are {n:,}"
                self.report.note(split, "row count", told)

    def seen(self, split: str) -> Iterator[tuple[ReadRow, Seen | None]]:
        """Yield every row of a split, and what a trainer makes of it where it is sound."""
        for about in files_in_order(self.manifest):
            if about["split"] == split:
                for row in rows_of(self.folder, about["name"]):
                    self.report.rows += 1
                    if self.progress and self.report.rows % 1000 == 0:
                        self.progress(self.report.rows, self.promised)
                    yield row, self._sound(row)

    def _sound(self, row: ReadRow) -> Seen | None:
        columns = self.manifest["columns"]
        wrong = row.reason or (columns and row_mismatch(row.value, columns))
        if wrong:
            self.report.note(row.where, "row shape", wrong)
            return None
        try:
            seen = self.stage.read(row.value or {})
        except (KeyError, IndexError, TypeError, ValueError) as error:
            self.report.note(row.where, "row shape", f"cannot be read: {error!r}")
            return None
        self._texts(row, seen)
        return seen

    def _texts(self, row: ReadRow, seen: Seen) -> None:
        folded = [fold(text) for text in seen.answers]
        if not all(folded):
            self.report.note(row.where, "empty completion", "a completion is blank")
        elif len(set(folded)) < len(folded):
            self.report.note(row.where, "identical", "two completions are the same text")
        texts = (seen.prompt, *seen.answers)
        kept = self.options.pairs.keep_template_tokens or self.options.format == "records"
        if not kept and any(map(has_template_tokens, texts)):
            self.report.note(row.where, "template token", "a text holds a chat template's token")
        if list(seen.ranks) != sorted(seen.ranks):
            self.report.note(row.where, "order", "completions are not best first")
        margin = (row.value or {}).get("margin", 0.0)
        if self.options.pairs.margin != "none" and not 0 <= margin <= 1:
            self.report.note(row.where, "margin", f"{margin} is not between 0 and 1")

    def _leaks(self, row: ReadRow, split: str, seen: Seen) -> None:
        if self.options.format == "records":
            return
        home, where = self.prompts.setdefault(leak_key(seen.prompt), (split, row.where))
        if home != split:
            self.report.note(row.where, "leak", f"its prompt is in {home} too, {where}")


def key_of(*parts: object) -> int:
    """64 bits that stand for some texts: a set of these is small."""
    return hash64("\0\0".join(map(str, parts)).encode())


def hash64(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


class _Split:
    """Rows in which a prompt's own stand together: only one prompt is looked at at a time."""

    def __init__(self, rows: _Rows) -> None:
        self._report = rows.report
        options = rows.options
        self._together = options.format not in ("prompts", "records")
        self._pairs = options.format in PREFERENCE
        self._repeats = options.pairs.labels == "each" or options.format == "rankings"
        self._both_ways = options.pairs.keep_contradictions
        self._grouped = options.by_group
        self._prompt = ""
        self._done: set[int] = set()
        self._said: dict[tuple[str, ...], str] = {}
        self._groups: Counter[str] = Counter()
        self._last: dict[str, tuple[ReadRow, int]] = {}

    def add(self, row: ReadRow, seen: Seen) -> None:
        if seen.prompt != self._prompt or not self._said:
            self._turn(row, seen.prompt)
        answers = tuple(map(fold, seen.answers))
        if answers in self._said and not self._repeats:
            self._report.note(row.where, "duplicate", f"says the same as {self._said[answers]}")
        opposite = answers[::-1]
        if self._pairs and opposite in self._said and not self._both_ways:
            what = f"says the opposite of {self._said[opposite]}"
            self._report.note(row.where, "contradiction", what)
        self._said.setdefault(answers, row.where)
        if self._grouped and row.value:
            self._in_group(row, row.value)

    def _turn(self, row: ReadRow, prompt: str) -> None:
        self.end()
        key = key_of(prompt)
        if key in self._done:
            what = "its prompt's other rows are elsewhere" if self._together else "came before"
            self._report.note(row.where, "scattered" if self._together else "duplicate", what)
        self._done.add(key)
        self._prompt = prompt
        self._said = {}

    def _in_group(self, row: ReadRow, value: Mapping[str, Any]) -> None:
        group, k = value["ranking_id"], value["k"]
        self._groups[group] += 1
        self._last[group] = (row, value["n_pairs"])
        if k < 2 or value["weight"] != round(2 / (k * (k - 1)), 9):
            self._report.note(row.where, "weight", f"is not 1 / C({k}, 2)")

    def end(self) -> None:
        for group, (row, n_pairs) in self._last.items():
            if self._groups[group] != n_pairs:
                what = f"n_pairs is {n_pairs}, its group has {self._groups[group]} rows"
                self._report.note(row.where, "group", what)
        self._groups.clear()
        self._last.clear()


class _KtoSplit:
    """Shuffled rows: remembers 64 bits for each."""

    def __init__(self, rows: _Rows) -> None:
        self._report = rows.report
        self._repeats = rows.options.pairs.labels == "each"
        self._both_ways = rows.options.pairs.keep_contradictions
        self._labels: dict[int, tuple[bool, str]] = {}
        self._prompts: Counter[int] = Counter()
        self._neighbours: list[ReadRow] = []
        self._before = 0

    def add(self, row: ReadRow, seen: Seen) -> None:
        assert seen.label is not None
        first = self._labels.setdefault(
            key_of(seen.prompt, fold(seen.answers[0])), (seen.label, row.where)
        )
        if first[1] != row.where and first[0] == seen.label and not self._repeats:
            self._report.note(row.where, "duplicate", f"says the same as {first[1]}")
        if first[0] != seen.label and not self._both_ways:
            self._report.note(row.where, "contradiction", f"says the opposite of {first[1]}")
        prompt = key_of(seen.prompt)
        if prompt == self._before:
            self._neighbours.append(row)
        self._prompts[prompt] += 1
        self._before = prompt

    def end(self) -> None:
        most, rows = max(self._prompts.values(), default=0), self._prompts.total()
        unavoidable = max(0, most - (rows - most) - 1)
        if len(self._neighbours) > unavoidable:
            where, n = self._neighbours[0].where, len(self._neighbours)
            self._report.note(where, "neighbours", f"{n:,} rows follow one of their own prompt")
        labels = {label for label, _ in self._labels.values()}
        if len(labels) == 1:
            only = "true" if labels.pop() else "false"
            self._report.note(MANIFEST, "one label", f"every kto row is labelled {only}")


# -- against a store -----------------------------------------------------------------------------


def _check_store(rows: _Rows, store_path: Path) -> None:
    """Make the export again in memory, as hashes, and compare."""
    wanted: Counter[int] = Counter()
    ways: set[int] = set()
    books = Books()
    with opened(store_path) as store:
        view, work = prepare(store, rows.options, rows.stage)
        for bundle in read_bundles(store, view, range_of(rows.options)):
            for split, _, row in work.rows(bundle, books):
                seen = rows.stage.read(row)
                wanted[_row_key(split, row)] += 1
                ways.add(key_of(seen.prompt, seen.label, *seen.answers))
    report = rows.report
    if f"{books.digest:064x}" != rows.manifest["digest"]:
        report.note(MANIFEST, "other data", "the store is not what it was when this was exported")
    for split in {f["split"] for f in rows.manifest["files"]}:
        _compare(rows, split, wanted, ways)
    if missing := wanted.total():
        what = f"{missing:,} rows that the store gives are not here"
        report.note(rows.report.folder, "missing row", what)


def _compare(rows: _Rows, split: str, wanted: Counter[int], ways: set[int]) -> None:
    for about in files_in_order(rows.manifest):
        if about["split"] != split:
            continue
        for row in rows_of(rows.folder, about["name"]):
            key = _row_key(split, row.value or {})
            if wanted[key]:
                wanted[key] -= 1
            else:
                rows.report.note(row.where, *_strange(rows.stage, row, ways))


def _strange(stage: Stage, row: ReadRow, ways: set[int]) -> tuple[str, str]:
    try:
        seen = stage.read(row.value or {})
    except (KeyError, IndexError, TypeError, ValueError):
        return "strange row", "the store gives no such row"
    label = None if seen.label is None else not seen.label
    if key_of(seen.prompt, label, *seen.answers[::-1]) in ways:
        return "inverted", "the store says the opposite"
    return "strange row", "the store gives no such row"


def _row_key(split: str, row: Mapping[str, Any]) -> int:
    return hash64(split.encode() + b"\0" + orjson.dumps(row, option=orjson.OPT_SORT_KEYS))
