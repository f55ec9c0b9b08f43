"""Make the committed store of one schema version: `python tests/store/make_version.py [N]`.

tests/store/versions/vN.db is a small store as labelkit wrote it at schema N, and vN.jsonl what an
export of its records gives. test_upgrade.py upgrades each one. Without N the present version is
made from scratch; an older one that is missing is made by upgrading the version before it. A file
that is there is never made again: it stands for stores that people have.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

from labelkit.domain.tasks import Answer
from labelkit.services import assigning, deciding, people, project, purging
from labelkit.services.desk import Desk
from labelkit.services.exporting import ExportOptions, export
from labelkit.services.importing import import_file
from labelkit.store import migrate, schema
from labelkit.store.engine import make_engine

sys.path.insert(0, str(Path(__file__).parent.parent))

FOLDER = Path(__file__).parent / "versions"


def records() -> list[dict[str, Any]]:
    """A few prompts that have one of everything a record can hold."""
    from helpers import ranking, record

    common = {"guideline": "helpful-honest-harmless@1", "submitted_at": "2026-11-20T10:00:00Z"}
    return [
        record(
            "Why is the sky blue?",
            k=5,
            user="u1",
            use_case="open_qa",
            source="api",
            language="en",
            split="test",
            meta={"application": "a help desk", "n": 1},
            rankings=[
                ranking("ana", "a > b = c > d > e", ratings={"a": 7, "e": 1}, seconds=31, **common),
                ranking("ben", "e > d > c > b > a", flags={"a": ["hallucination"]}, note="odd"),
                ranking("judge", "a > b > c > d > e", labeler_kind="model"),
            ],
            demonstrations=[{"text": "Air scatters blue light most.", "labeler": "ana"}],
            skips=[{"labeler": "ben", "reason": "language"}],
        ),
        record("Why is the sky blue?", k=2) | {"prompt_id": "another name for it"},
        record("Write a haiku about ice 冰.", k=4, kind="plain", user="u2"),
        record("Sum up: ...", k=6, rankings=[ranking("ana", "c > b > a = d = e = f")]),
        record("A prompt without completions", k=0),
    ]


def build(path: Path) -> None:
    """Make a store with imported labels, tasks in every state, and a revision."""
    from helpers import write_jsonl

    project.init(path, write_settings=False)
    source = write_jsonl(path.with_suffix(".in.jsonl"), records())
    import_file(path, str(source))
    for name in ("chloe", "dana"):
        people.add(path, name)
    assigning.assign(path, assigning.AssignOptions(batch="week-1", seed="7"))
    with Desk(path, "chloe") as desk:
        view = desk.next_task()
        assert view is not None
        uids = [c.uid for c in view.candidates]
        desk.submit(view, Answer(tiers=(tuple(uids[:2]), *((u,) for u in uids[2:]))))
        reopened = desk.previous()
        assert reopened is not None
        desk.submit(reopened[0], Answer(tiers=tuple((u,) for u in uids)))
        view = desk.next_task()
        assert view is not None
        desk.skip(view, "unclear", seconds=3.0)
        assert desk.next_task() is not None  # stays leased
    name = "id of Write a haiku about ice 冰."
    deciding.exclude(path, [name], note="odd", by="lea")
    deciding.undo(path, names=[name], by="lea")
    purging.purge(path, None, ["id of A prompt without completions"], by="lea")


def shrink(source: Path, target: Path) -> None:
    """Copy a store with small pages: most of these are empty."""
    connection = sqlite3.connect(source)
    connection.execute("PRAGMA page_size=1024")
    connection.execute("VACUUM")
    connection.close()
    shutil.copyfile(source, target)


def step(version: int, path: Path) -> None:
    """Upgrade the committed store of the version before to `version`."""
    shutil.copyfile(FOLDER / f"v{version - 1}.db", path)
    engine = make_engine(path)
    migrate.upgrade(engine, f"{version:04d}")
    engine.dispose()


def records_of(path: Path) -> bytes:
    """What `labelkit export --format records` gives."""
    out = path.with_suffix(".out")
    with out.open("wb") as file:
        export(path, ExportOptions("records"), file)
    return out.read_bytes()


def make(version: int) -> None:
    target = FOLDER / f"v{version}.db"
    if target.exists():
        raise SystemExit(f"{target} is there, and stands for stores that people have")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labelkit.db"
        if version == schema.SCHEMA_VERSION:
            build(path)
            said = records_of(path)
        else:
            step(version, path)
            said = (FOLDER / f"v{version - 1}.jsonl").read_bytes()
        shrink(path, target)
    (FOLDER / f"v{version}.jsonl").write_bytes(said)


if __name__ == "__main__":
    make(int(sys.argv[1]) if len(sys.argv) > 1 else schema.SCHEMA_VERSION)
