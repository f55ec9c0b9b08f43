"""The readers of labelkit, one by one: bytes in, and nothing out but labelkit's own errors.

Each target is made once with a folder of its own and then called with one input after the other.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest import mock

from desks import FakeDesk, a_view
from helpers import ranking, record, write_jsonl

from labelkit import plugins
from labelkit.domain.grammar import OrderError, format_order, parse_order
from labelkit.domain.guidelines import parse_guideline
from labelkit.domain.records import RecordError, from_record
from labelkit.errors import LabelkitError
from labelkit.importers._shape import check_shape
from labelkit.services import assigning, bundling, desk, merging, people, project, settings
from labelkit.services.importing import ImportOptions, import_file
from labelkit.tui.jsonl import JsonlRank, JsonlWrite
from labelkit.tui.keymap import Keymap
from labelkit.tui.lines import Lines

Target = Callable[[bytes], None]


def records(_: Path) -> Target:
    """Every format that can be imported, read to the end, each record turned into a bundle."""
    formats = [plugins.importers.get(name) for name in plugins.importers.names()]
    assert formats

    def read(data: bytes) -> None:
        for importer in formats:
            try:
                for row in importer.read(io.BytesIO(data)):
                    if row.record is not None:
                        from_record(check_shape(dict(row.record)))
            except (LabelkitError, RecordError):
                continue

    return read


def files(folder: Path) -> Target:
    """A whole import, gzip and all, into a store that keeps nothing of it."""
    store, source = _store(folder), folder / "in"

    def read(data: bytes) -> None:
        source.write_bytes(data)
        import_file(store, str(source), ImportOptions(dry_run=True, max_bad=3))

    return read


def guidelines(_: Path) -> Target:
    def read(data: bytes) -> None:
        parse_guideline(data.decode("utf-8", "replace"), "fuzz.md")

    return read


def config(folder: Path) -> Target:
    """labelkit.toml, and everything that is looked up in it."""
    path = folder / settings.PROJECT_FILE

    def read(data: bytes) -> None:
        path.write_bytes(data)
        with mock.patch("pathlib.Path.cwd", return_value=folder):
            settings.unknown(folder)
            settings.in_force({}, folder)
            project.locate(None, {}, folder)
            liking = desk.preferences()
        Keymap(liking.keys, "fuzz")

    return read


def grammar(_: Path) -> Target:
    """What is understood is written in a way that is understood again."""

    def read(data: bytes) -> None:
        text, k = data[1:].decode("utf-8", "replace"), 2 + (data[0] % 8 if data else 0)
        try:
            order = parse_order(text, k)
        except OrderError:
            return
        assert parse_order(format_order(*order), k) == order

    return read


def gold(folder: Path) -> Target:
    store, path = _store(folder), folder / "gold.jsonl"
    options = assigning.AssignOptions(batch="fuzz", gold=path, dry_run=True)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        assigning.assign(store, options)

    return read


def answers(_: Path) -> Target:
    """The conversation of `rank --jsonl` and `write --jsonl`."""

    def read(data: bytes) -> None:
        for face in (JsonlRank, JsonlWrite):
            views = [a_view(["a", "b", "c"]), a_view(["a", "b"], number=2)]
            lines = Lines(io.BytesIO(data), io.StringIO())
            try:
                face(FakeDesk(views), lines).run()
            except LabelkitError:
                continue

    return read


def bundles(folder: Path) -> Target:
    """A bundle that comes back changed: at most an error, and never another store than before."""
    store = _store(folder)
    out = folder / "bundle.db"
    (people.add(store, "ana"), bundling.make(store, out, bundling.BundleOptions("ana", 2)))
    whole = out.read_bytes()

    def read(data: bytes) -> None:
        out.write_bytes(_patched(whole, data))
        merging.merge(store, [out], dry_run=True)

    return read


def _patched(whole: bytes, patch: bytes) -> bytes:
    """Read `patch` as changes to a file: two bytes where, one what; the last cut it short."""
    changed = bytearray(whole)
    for i in range(0, len(patch) - 2, 3):
        at = int.from_bytes(patch[i : i + 2]) * len(whole) >> 16
        changed[at] ^= patch[i + 2]
    if patch and patch[-1] % 8 == 7:
        del changed[len(whole) * patch[0] >> 8 :]
    return bytes(changed)


def _store(folder: Path) -> Path:
    store = folder / "labelkit.db"
    if not store.exists():
        project.init(store, write_settings=False)
        said = [record(f"q{i}", rankings=[ranking("old", "a > b > c > d")]) for i in range(3)]
        import_file(store, str(write_jsonl(folder / "first.jsonl", said)))
    return store


TARGETS: dict[str, Callable[[Path], Target]] = {
    make.__name__: make
    for make in (records, files, guidelines, config, grammar, gold, answers, bundles)
}


def call(target: Target, data: bytes) -> None:
    """Feed one input; labelkit's own errors are what is wanted of it."""
    with suppress(LabelkitError):
        target(data)
