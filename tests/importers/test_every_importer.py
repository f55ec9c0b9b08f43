"""One suite for every importer found in the folder: samples, golden records, and hostile files.

A sample is a file in samples/NAME. Beside it may stand STEM.items.jsonl with the texts it speaks
of, and STEM.map with a COLUMN=FIELD a line; golden/NAME/FILE.jsonl holds the records it becomes.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign import File, Order, said, writer_of
from helpers import Cli, Ran, plain_json, write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit import plugins
from labelkit.errors import ExitCode
from labelkit.importers import _jsonl
from labelkit.importers._items import read_items
from labelkit.services import project
from labelkit.services.importing import ImportOptions, import_file

SAMPLES = Path(__file__).parent / "samples"
GOLDEN = Path(__file__).parent / "golden"
NAMES = plugins.importers.names()
MADE_IN_ALL = 512


def samples(*names: str) -> list[Path]:
    found = [
        path
        for name in names
        for path in sorted((SAMPLES / name).iterdir())
        if path.suffix != ".map" and ".items." not in path.name
    ]
    assert len(found) >= len(names), "an importer without a sample is not tested at all"
    return found


def beside(path: Path) -> list[object]:
    """The options that a sample needs."""
    options: list[object] = []
    stem = path.name.split(".")[0]
    if (items := path.with_name(f"{stem}.items.jsonl")).exists():
        options += ["--items", items]
    if (columns := path.with_name(f"{stem}.map")).exists():
        options += [x for line in columns.read_text().splitlines() for x in ("--map", line)]
    return options


def needs_map(path: Path) -> bool:
    return path.with_name(f"{path.stem}.map").exists()


every_sample = pytest.mark.parametrize(
    "path", samples(*NAMES), ids=lambda p: f"{p.parent.name}/{p.name}"
)
every_importer = pytest.mark.parametrize("name", NAMES)


def exported(cli: Cli) -> bytes:
    return cli("export", "--format", "records", "--out", "-").out_bytes


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store to copy: making one takes longer than an import."""
    store = tmp_path_factory.mktemp("empty") / "labelkit.db"
    project.init(store, write_settings=False)
    return store


def fresh(empty: Path, folder: Path) -> Cli:
    return Cli(Path(shutil.copy(empty, folder / "labelkit.db")))


# -- samples -------------------------------------------------------------------------------------


@every_importer
def test_it_is_one_file_with_a_title_and_a_sample(name: str) -> None:
    importer: plugins.Importer = plugins.importers.get(name)
    assert importer.title
    assert samples(name)


@every_sample
def test_a_sample_becomes_its_golden_records(
    cli: Cli, path: Path, golden: Callable[[Path, bytes], None]
) -> None:
    report = cli("import", path, *beside(path), "--json").json
    assert report["format"] == path.parent.name
    assert report["rejected"] == 0
    assert sum(report[kind]["added"] for kind in ("prompts", "rankings", "demonstrations")) > 0
    lost = json.dumps(report.get("lost", {}), indent=1).encode() + b"\n"
    golden(GOLDEN / path.parent.name / f"{path.name}.jsonl", exported(cli))
    golden(GOLDEN / path.parent.name / f"{path.name}.lost.json", lost)


@every_sample
def test_importing_twice_adds_nothing(cli: Cli, path: Path) -> None:
    cli("import", path, *beside(path))
    once = exported(cli)
    again = cli("import", path, *beside(path), "--json").json
    kinds = ("prompts", "completions", "demonstrations", "rankings")
    assert {kind: again[kind]["added"] for kind in kinds} == dict.fromkeys(kinds, 0)
    assert exported(cli) == once


@every_sample
def test_a_sample_is_recognised_as_its_own_format_and_no_other(path: Path) -> None:
    if needs_map(path):
        return
    with path.open("rb") as file:
        items = [item.fields for item in read_items(file)]
    assert items
    for fields in items:
        assert fields is not None
        claims = [name for name in NAMES if plugins.importers.get(name).recognises(fields)]
        assert claims == [path.parent.name]


@every_sample
def test_it_does_not_matter_what_holds_the_items(empty: Path, tmp_path: Path, path: Path) -> None:
    """Lines, a list, a list made for reading, a zipped one, and Parquet where it can hold it."""
    pytest.importorskip("pyarrow")
    rows = rows_of(path)
    if not plugins.importers.get(path.parent.name).foreign:
        return  # labelkit's own are one a line, and the reader of lines is made for speed
    wanted = taken(fresh(empty, tmp_path), path, path)
    for name, write in CONTAINERS.items():
        other = tmp_path / f"{path.name.split('.')[0]}.{name}"
        if write(other, rows):
            assert taken(fresh(empty, tmp_path), other, path) == wanted, name


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        return [item.fields for item in read_items(file) if item.fields is not None]


def taken(cli: Cli, path: Path, like: Path) -> bytes:
    cli("import", path, "--from", like.parent.name, *beside(like))
    return exported(cli)


def _as_lines(path: Path, rows: list[dict[str, Any]]) -> bool:
    write_jsonl(path, rows)
    return True


def _as_list(path: Path, rows: list[dict[str, Any]]) -> bool:
    path.write_text(json.dumps(rows))
    return True


def _as_pretty_list(path: Path, rows: list[dict[str, Any]]) -> bool:
    path.write_text("\ufeff" + json.dumps(rows, indent=4))
    return True


def _zipped(path: Path, rows: list[dict[str, Any]]) -> bool:
    path.write_bytes(gzip.compress(json.dumps(rows, indent=1).encode()))
    return True


def _as_parquet(path: Path, rows: list[dict[str, Any]]) -> bool:
    """Parquet fills in what a row lacks, and so cannot tell absent from null; nor has it unions."""
    import pyarrow
    from pyarrow import parquet

    if any(row.keys() != rows[0].keys() for row in rows):
        return False
    try:
        table = pyarrow.Table.from_pylist(rows)
        parquet.write_table(table, path)
    except pyarrow.ArrowException:
        return False
    return bool(table.to_pylist() == rows)


CONTAINERS: dict[str, Callable[[Path, list[dict[str, Any]]], bool]] = {
    "jsonl": _as_lines,
    "json": _as_list,
    "pretty.json": _as_pretty_list,
    "json.gz": _zipped,
    "parquet": _as_parquet,
}


# -- what the format held is kept ----------------------------------------------------------------


@every_importer
@settings(max_examples=MADE_IN_ALL // len(NAMES))
@given(data=st.data())
def test_what_a_made_file_holds_comes_out_again(
    empty: Path, tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    writer = writer_of(name)
    file = writer.write(data.draw(said(ties=writer.ties, most=writer.most)))
    folder = tmp_path_factory.mktemp("made")
    cli = fresh(empty, folder)
    report = cli("import", *written(folder, name, file), "--json").json
    assert report["rejected"] == 0
    assert report["format"] == name
    assert file.orders or file.demonstrations
    if file.orders:
        rankings = cli("export", "--format", "rankings", "--labelers", "all", "--out", "-")
        assert ordered(rankings) == file.orders
    if file.demonstrations:
        learned = cli("export", "--format", "sft", "--out", "-").rows
        found = Counter(
            (r["prompt"][-1]["content"], r["completion"][0]["content"]) for r in learned
        )
        assert found == file.demonstrations


def written(folder: Path, name: str, file: File) -> list[object]:
    if file.text is not None:
        path = folder / f"{name}.csv"
        path.write_text(file.text, encoding="utf-8", newline="")
    else:
        path = write_jsonl(folder / f"{name}.jsonl", file.rows)
    if not file.items:
        return [path]
    return [path, "--items", write_jsonl(folder / "items.jsonl", file.items)]


def ordered(ran: Ran) -> Counter[tuple[str, Order]]:
    found: Counter[tuple[str, Order]] = Counter()
    for row in ran.rows:
        texts = [completion[0]["content"] for completion in row["completions"]]
        tiers = [
            tuple(sorted(t for t, r in zip(texts, row["ranks"], strict=True) if r == rank))
            for rank in sorted(set(row["ranks"]))
        ]
        found[row["prompt"][-1]["content"], tuple(tiers)] += 1
    return found


# -- hostile files -------------------------------------------------------------------------------


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, list):
        value = dict(enumerate(value))
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from places(inner, (*path, key))


def with_junk(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_junk(value[path[0]], path[1:], junk)
    return copy


@every_importer
@settings(max_examples=40)
@given(data=st.data())
def test_any_value_anywhere_gives_rows_or_reasons(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Junk in the place of any part of a row never raises, and never breaks the other rows."""
    path = data.draw(st.sampled_from(samples(name)))
    rows = rows_of(path)
    which = data.draw(st.sampled_from(range(len(rows))))
    where = data.draw(st.sampled_from(list(places(rows[which]))[1:]))
    junk = data.draw(plain_json)
    broken = write_jsonl(
        tmp_path_factory.mktemp("junk") / "file.jsonl",
        [*rows[:which], with_junk(rows[which], where, junk), *rows[which + 1 :]],
    )
    importer: plugins.Importer = plugins.importers.get(name)
    with broken.open("rb") as file:
        for row in importer.read(file):
            assert row.record is not None or row.reason or row.unit
            assert (row.reason != "") == (row.where != "")


@every_importer
@settings(max_examples=6)
@given(data=st.data())
def test_junk_ends_in_an_import_or_in_our_own_error(
    empty: Path, tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(samples(name)))
    rows = rows_of(path)
    where = data.draw(st.sampled_from(list(places(rows[0]))[1:]))
    folder = tmp_path_factory.mktemp("junk")
    broken = write_jsonl(
        folder / "file.jsonl", [with_junk(rows[0], where, data.draw(plain_json)), *rows[1:]]
    )
    rejects = folder / "bad.jsonl"
    ran = fresh(empty, folder).run(
        "import", broken, "--from", name, *beside(path), "--max-bad", 99, "--rejects", rejects
    )
    assert ran.code in (ExitCode.OK, ExitCode.ERROR)
    if ran.code == ExitCode.ERROR:
        assert ran.err.startswith("error: ")
    for line in rejects.read_bytes().splitlines():
        assert json.loads(line).keys() == {"line", "field", "reason", "record"}


BAD = {
    "truncated list": b'[{"prompt": "a", "chosen": "b", "rejected": "c"}, {"prompt": "d',
    "list without an end": b'[{"prompt": "a", "chosen": "b", "rejected": "c"}',
    "more after the list": b'[{"prompt": "a", "chosen": "b", "rejected": "c"}] nonsense',
    "comma at the end": b'[{"prompt": "a", "chosen": "b", "rejected": "c"},]',
    "list of numbers": b"[1, 2, 3]",
    "mixed": b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n[]\n"text"\nnull\n{"x": 1}\n',
    "binary": bytes(range(256)) * 9,
    "no text": b"\x00" * 99,
    "utf-16": '{"prompt": "a"}'.encode("utf-16"),
    "latin-1": '{"prompt": "\xe9", "chosen": "b", "rejected": "c"}'.encode("latin-1"),
    "deep": b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep list": b"[" * 100_000 + b"]" * 100_000,
    "open quote": b'prompt,chosen,rejected\n"a,b,c\nd,e,f\n',
    "cells over": b"prompt,chosen,rejected\na,b,c,d\n",
    "two columns alike": b"prompt,prompt\na,b\n",
    "no parquet": b"PAR1" + b"\x07" * 50 + b"PAR1",
    "cut parquet": b"PAR1",
    "cut gzip": gzip.compress(b'{"prompt": "a", "chosen": "b", "rejected": "c"}' * 99)[:-20],
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_is_not_what_it_should_be_is_one_message(
    cli: Cli, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(BAD[what])
    for asked_for in ("", *NAMES):
        ran = cli.run("import", path, *(["--from", asked_for] if asked_for else []))
        assert ran.code == ExitCode.ERROR
        assert ran.err.startswith("error: ")
        assert len(ran.err) < 4000
    assert cli("status", "--json").json["prompts"] == 0


@every_importer
def test_a_cut_file_is_refused_or_read_to_the_cut(cli: Cli, name: str) -> None:
    path = samples(name)[0]
    part = cli.store.with_name("cut")
    size = path.stat().st_size
    for keep in range(1, size, max(1, size // 9)):
        part.write_bytes(path.read_bytes()[:keep])
        ran = cli.run("import", part, "--from", name, *beside(path))
        assert ran.code in (ExitCode.OK, ExitCode.ERROR)
        if ran.code == ExitCode.ERROR:
            assert ran.err.startswith("error: ")


def test_what_is_too_long_is_left_out_and_the_rest_is_read(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_jsonl, "MAX_LINE", 400)
    good = {"prompt": "a", "chosen": "b", "rejected": "c"}
    rows = [good, {**good, "chosen": "long" * 1000}, {**good, "prompt": "d"}]
    table = "prompt,chosen,rejected\na,b,c\nd," + "long" * 1000 + ",e\nf,g,h\n"
    for name, data in (
        ("lines", "".join(json.dumps(r) + "\n" for r in rows)),
        ("list", json.dumps(rows)),
        ("table", table),
    ):
        path = tmp_path / name
        path.write_text(data)
        report = fresh_import(empty, tmp_path, path, "--max-bad", 1)
        assert (report["rejected"], report["prompts"]["added"]) == (1, 2), name


def fresh_import(empty: Path, folder: Path, *args: object) -> dict[str, Any]:
    cli = fresh(empty, folder)
    found: dict[str, Any] = cli("import", *args, "--from", "pairs", "--json").json
    return found


@pytest.mark.parametrize("kind", ["lines", "list", "table"])
def test_memory_stays_flat(store_path: Path, tmp_path: Path, kind: str) -> None:
    def peak(n: int) -> int:
        rows = [{"prompt": f"{i} of {n}", "chosen": "b" * 500, "rejected": "c"} for i in range(n)]
        path = tmp_path / f"{n}"
        if kind == "lines":
            write_jsonl(path, rows)
        elif kind == "list":
            path.write_text(json.dumps(rows))
        else:
            lines = [",".join(row.values()) for row in rows]
            path.write_text("\n".join(["prompt,chosen,rejected", *lines]))
        tracemalloc.start()
        import_file(store_path, str(path), ImportOptions("pairs"))
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    peak(3000)
    few, many = peak(3000), peak(15_000)
    assert many < 1.5 * few


# -- what is said ---------------------------------------------------------------------------------


def test_the_format_is_said_and_an_unknown_one_named(cli: Cli, tmp_path: Path) -> None:
    assert "format: pairs\n" in cli("import", SAMPLES / "pairs" / "explicit.jsonl").err
    path = write_jsonl(tmp_path / "odd.jsonl", [{"question": "a", "good": "b", "bad": "c"}])
    ran = cli.run("import", path)
    assert ran.code == ExitCode.ERROR
    assert "its first items have the fields question, good, bad" in ran.err
    assert all(name in ran.err for name in NAMES)
    (tmp_path / "worse.jsonl").write_bytes(b'{"prompt": "a\\u0000"}\n')
    worse = cli.run("import", tmp_path / "worse.jsonl")
    assert "knows: its first line: a text holds the character NUL\n" in worse.err
    maps = ("--map", "question=prompt", "--map", "good=chosen", "--map", "bad=rejected")
    assert cli("import", path, *maps, "--json").json["rankings"]["added"] == 1


def test_a_first_item_or_a_table_beyond_the_head_is_no_obstacle(cli: Cli, tmp_path: Path) -> None:
    long = {"prompt": "a", "chosen": "b" * (1 << 20), "rejected": "c"}
    ran = cli.run("import", write_jsonl(tmp_path / "long.jsonl", [long, long]))
    assert "its first item is too long to tell" in ran.err
    cli("import", tmp_path / "long.jsonl", "--from", "pairs")
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    rows = [{**long, "chosen": random.Random(i).randbytes(3000).hex()} for i in range(900)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "big.parquet")
    assert (tmp_path / "big.parquet").stat().st_size > 1 << 20
    report = cli("import", tmp_path / "big.parquet", "--json").json
    assert (report["format"], report["rankings"]["added"]) == ("pairs", 900)


def test_a_file_that_may_be_two_formats_is_not_guessed_at(cli: Cli, tmp_path: Path) -> None:
    row = {"info": {}, "summaries": [], "_task_hash": 1}
    ran = cli.run("import", write_jsonl(tmp_path / "both.jsonl", [row]))
    assert ran.code == ExitCode.ERROR
    assert "the file may be prodigy or summarize-from-feedback" in ran.err
    assert "--from prodigy" in ran.err


def test_bad_rows_are_named_by_line_item_or_row_and_kept_as_they_came(
    cli: Cli, tmp_path: Path
) -> None:
    good = {"prompt": "a", "chosen": "b", "rejected": "c"}
    rows = [good, {"prompt": "a", "chosen": "b"}]
    lines, listed = write_jsonl(tmp_path / "a.jsonl", rows), tmp_path / "a.json"
    listed.write_text(json.dumps(rows))
    bad = tmp_path / "bad.jsonl"
    for path, place, key in ((lines, "2", "line"), (listed, "item 2", "item")):
        ran = cli.run("import", path, "--rejects", bad)
        assert f"{path}:{place}: rejected: is missing" in ran.err
        assert "nothing was imported: 1 bad row (read as pairs)" in ran.err
        (kept,) = (json.loads(line) for line in bad.read_bytes().splitlines())
        assert kept == {key: 2, "field": "rejected", "reason": "is missing", "record": rows[1]}


def test_labelers_get_the_name_that_is_asked_for(cli: Cli, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"prompt": "a", "chosen": "b", "rejected": "c"}])
    cli("import", path, "--labeler", "the crowd")
    (row,) = cli("export", "--format", "records", "--out", "-").rows
    assert row["rankings"][0]["labeler"] == "the crowd"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--map", "a=prompt", "--from", "pairs"), "takes no --map"),
        (("--map", "a=nothing"), "there is no field 'nothing'"),
        (("--map", "a"), "not a column and a field"),
        (("--map", "a=prompt", "--map", "a=chosen"), "mapped twice"),
        (("--from", "nothing"), "there is no import format 'nothing'"),
    ],
)
def test_options_that_make_no_sense(
    cli: Cli, tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"prompt": "a", "chosen": "b", "rejected": "c"}])
    ran = cli.run("import", path, *options)
    assert ran.code == ExitCode.USAGE
    assert reason in ran.err
