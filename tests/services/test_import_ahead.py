"""Another process reads ahead: the same comes out with it, without it, and when it is lost."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from helpers import Cli, ranking, record, records, write_jsonl
from hypothesis import given

from labelkit.domain.records import RecordError, from_record
from labelkit.errors import LabelkitError
from labelkit.importers import _jsonl
from labelkit.importers._jsonl import parse_object
from labelkit.importers._plain import Look
from labelkit.importers._shape import check_shape
from labelkit.plugins import Row
from labelkit.services import import_ahead, project
from labelkit.services.importing import import_file
from labelkit.store.prepared import Prepared, prepare

Rows = list[Row | Prepared]

EXPORT = ("export", "--format", "records", "--out", "-")
BAD = ["not json", '{"prompt":" "}', '{"prompt":"x","odd":1}', '{"prompt":"x","prompt":"y"}']


def lines() -> list[str]:
    """Lines of every kind: plain, labeled, odd, blank, and more of a prompt that was there."""
    plain = [
        record(f"prompt {i % 40} é \u2028", k=1 + i % 6, source="api", prompt_id=f"p{i % 40}")
        for i in range(50)
    ]
    plain[3]["completions"][0]["text"] = plain[3]["completions"][1]["text"]
    plain[45] |= {"prompt_id": "another", "user": "u", "meta": {"a": [1, {"b": None}]}}
    labeled = record("labeled", rankings=[ranking("ana", "d > a = b > c")])
    only = {"prompt": plain[5]["prompt"], "rankings": [ranking("ana", "b > a", among=["a", "b"])]}
    said = [json.dumps(each, ensure_ascii=i % 2 == 0) for i, each in enumerate(plain)]
    said[7:7] = [json.dumps(labeled), "", f"  {json.dumps(only)} \r"]
    said[30:30] = [json.dumps(record("odd", use_case="Ünüsual"))]
    return said


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process from the first line on, and blocks that end all over the place."""
    monkeypatch.setattr(import_ahead, "_ALONE", 0)
    monkeypatch.setattr(import_ahead, "_LINES", 3)
    monkeypatch.setattr(import_ahead, "cores", lambda: 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines()), encoding="utf-8")
    return path


@pytest.fixture
def alone(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A store that one process filled."""
    cli = Cli(tmp_path / "alone.db")
    project.init(cli.store, write_settings=False)
    with monkeypatch.context() as patched:
        patched.setattr(import_ahead, "cores", lambda: 1)
        patched.setattr(import_ahead, "_serve", pytest.fail)
        cli("import", path)
    return cli


def read(data: bytes) -> Rows:
    return list(import_ahead.rows(io.BytesIO(data)))


def by_hand(data: bytes) -> list[Any]:
    """The long way, which looks at everything."""
    said = (line for _, line in _jsonl.read_lines(io.BytesIO(data)))
    return [flat(prepare(from_record(check_shape(parse_object(line))))) for line in said]


def flat(prepared: Prepared) -> Any:
    """As it comes from another process, where tuples are lists."""
    return [orjson.loads(orjson.dumps(prepared[:-1])), prepared.labels]


def test_both_fill_a_store_alike(cli: Cli, alone: Cli, path: Path) -> None:
    cli("import", path)
    assert cli(*EXPORT).out == alone(*EXPORT).out
    assert cli("import", "-", "--json", stdin=path.read_bytes()).json["prompts"]["added"] == 0
    assert cli("doctor", "--json").json["findings"] == []


def test_plain_records_come_ready(path: Path) -> None:
    found = read(path.read_bytes())
    ready = [each for each in found if isinstance(each, Prepared)]
    assert len(found) == 53
    assert len(ready) == 50
    plain = [line for line in lines() if "rankings" not in line and "use_case" not in line]
    assert list(map(flat, ready)) == by_hand("\n".join(plain).encode())
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("at", [0, 20, 52])
def test_bad_lines_are_named_alike(
    cli: Cli, alone: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    path, rejects = tmp_path / "bad.jsonl", tmp_path / "rejects"
    path.write_text("\n".join([*lines()[:at], *BAD, *lines()[at:]]), encoding="utf-8")
    other = Cli(tmp_path / "other.db")
    project.init(other.store, write_settings=False)
    said = []
    for store, cores in ((cli, 2), (other, 1)):
        monkeypatch.setattr(import_ahead, "cores", lambda n=cores: n)
        refused = store.run("import", path)
        assert refused.code == 1
        taken = store("import", path, "--max-bad", "4", "--rejects", rejects)
        assert "left out: 4 bad rows" in taken.err
        said.append((refused.err, taken.err, rejects.read_bytes()))
        assert store(*EXPORT).out == alone(*EXPORT).out
    assert said[0] == said[1]


@pytest.mark.parametrize("after", [0, 1, 4, 30])
def test_a_killed_process_costs_time_only(path: Path, after: int) -> None:
    data = path.read_bytes()
    rows = import_ahead.rows(io.BytesIO(data))
    found = [next(rows) for _ in range(after)]
    for child in multiprocessing.active_children():
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    found += rows
    assert made(found) == made(read(data))


def made(rows: Rows) -> list[Any]:
    """What a store would be given, whoever read it."""
    return [flat(each) if isinstance(each, Prepared) else _made(each) for each in rows]


def _made(row: Row) -> Any:
    assert row.record is not None
    try:
        return flat(prepare(from_record(check_shape(dict(row.record)))))
    except RecordError as error:
        return str(error)


@pytest.mark.parametrize("fails", ["fork", "mmap"])
def test_without_room_for_a_process(
    path: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    whole = made(read(path.read_bytes()))
    monkeypatch.setattr(os if fails == "fork" else import_ahead.mmap, fails, refuse)
    found = read(path.read_bytes())
    assert not any(isinstance(each, Prepared) for each in found)
    assert made(found) == whole


def test_a_process_that_fails_says_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    whole = made(read(path.read_bytes()))
    monkeypatch.setattr(import_ahead, "_fields", fail)
    assert made(read(path.read_bytes())) == whole
    assert capfd.readouterr().err == ""


def test_lines_that_have_no_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made(read(path.read_bytes()))
    monkeypatch.setattr(import_ahead, "_SLOT", 600)
    monkeypatch.setattr(_jsonl, "MAX_LINE", 700)
    long = json.dumps(record("long" * 200)).encode()
    found = read(path.read_bytes() + b"\n" + long)
    assert made(found[:-1]) == whole
    assert found[-1].reason.startswith("line is longer")  # type: ignore[union-attr]
    assert 0 < sum(isinstance(each, Prepared) for each in found) < 50


def test_who_stops_reading_ends_the_process(path: Path) -> None:
    rows = import_ahead.rows(io.BytesIO(path.read_bytes()))
    next(rows)
    assert len(multiprocessing.active_children()) == 1
    rows.close()
    assert multiprocessing.active_children() == []


def test_what_has_no_plain_records_is_read_here(path: Path) -> None:
    labeled = json.dumps(record("labeled", rankings=[ranking("ana", "d > a = b > c")])).encode()
    found = read(b"\n".join([labeled] * 30 + [path.read_bytes()]))
    assert len(found) == 30 + 53
    assert not any(isinstance(each, Prepared) for each in found)


def test_an_import_that_fails_leaves_no_process(
    store_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise LabelkitError("the disk is full")

    monkeypatch.setattr("labelkit.store.ingest.insert_many", full)
    with pytest.raises(LabelkitError, match="full"):
        import_file(store_path, str(path))
    assert multiprocessing.active_children() == []


def test_the_process_holds_nothing_of_the_store(path: Path, store_path: Path) -> None:
    """Its death or delay must not keep the store locked."""
    with store_path.open("rb"):
        rows = import_ahead.rows(io.BytesIO(path.read_bytes()))
        next(rows)
        (child,) = multiprocessing.active_children()
        folder = Path(f"/proc/{child.pid}/fd")
        if not folder.is_dir():
            pytest.skip("the system does not say which files a process holds")
        held = {str(each.readlink()) for each in folder.iterdir()}
        rows.close()
    assert held
    assert str(store_path) not in held


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_import_that_is_ended_leaves_no_process_and_no_lock(
    cli: Cli, tmp_path: Path, number: int, code: int
) -> None:
    path = tmp_path / "large.jsonl"
    write_jsonl(path, [record(f"{i} {'long ' * 200}", k=9, prompt_id=f"{i}") for i in range(3000)])
    argv = [sys.executable, "-m", "labelkit", "--db", str(cli.store), "import", str(path)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE) as process:
        child = child_of(process)
        os.kill(process.pid, number)
        assert process.stderr
        said = process.stderr.read()  # ends when the last that holds it is gone
        assert process.wait() == code, said.decode()
    assert b"Traceback" not in said, said.decode()
    assert not Path(f"/proc/{child}").exists() or number == signal.SIGKILL
    assert cli("status", "--json").json["prompts"] == 0
    small = write_jsonl(tmp_path / "small.jsonl", [record()])
    assert cli("import", small, "--json").json["prompts"]["added"] == 1


def child_of(process: subprocess.Popen[bytes]) -> str:
    """Wait for the other process of an import and return its number."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("the system does not say which processes belong together")
    while not (found := children.read_text(encoding="ascii").split()):
        assert process.poll() is None, "it ended before there was another process"
        time.sleep(0.001)
    return found[0]


@given(records())
def test_a_ready_record_is_what_the_long_way_makes(said: dict[str, Any]) -> None:
    for each in (
        said,
        {k: v for k, v in said.items() if v and k not in ("rankings", "demonstrations")},
    ):
        line = orjson.dumps(each)
        fields = import_ahead._fields(line, Look())
        assert fields is None or flat(Prepared(*fields)) == by_hand(line)[0]
