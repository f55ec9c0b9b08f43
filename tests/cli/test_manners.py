"""Exit codes, streams, and one message for every expected failure."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from helpers import Cli, bare, ranking, record, write_jsonl

from labelkit.store import core

LABELKIT = [sys.executable, "-m", "labelkit"]


def start(*args: object, **options: object) -> subprocess.Popen[bytes]:
    """Started as from a shell's prompt: what runs in the background ignores Ctrl-C."""
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen([*LABELKIT, *map(str, args)], preexec_fn=heed, **options)  # type: ignore[call-overload]


def ran(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
    argv = [*LABELKIT, *map(str, args)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **options)  # type: ignore[call-overload]


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    said = [record(f"q{i}", rankings=[ranking("ana", "a > b > c > d")]) for i in range(300)]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("status",), 1, "there is no store at"),
        (("nonsense",), 2, "No such command 'nonsense'"),
        (("import",), 2, "Missing argument 'FILE'"),
        (("agreement", "--min", "7"), 2, "--min"),
        (("rank", "--as", "\udcff"), 2, "'--as': not UTF-8"),
        (("status", "--db", "\udcff"), 2, "'--db': not UTF-8"),
    ],
)
def test_failures_without_a_store(
    tmp_path: Path, args: tuple[str, ...], code: int, said: str
) -> None:
    found = Cli(tmp_path / "none.db").run(*args)
    assert found.code == code
    assert said in found.err
    assert found.out == ""
    assert not (tmp_path / "none.db").exists()


def test_expected_failures_hint_at_a_way_on(tmp_path: Path) -> None:
    assert "try: labelkit init" in Cli(tmp_path / "none.db").run("status").err


def test_init_twice_keeps_the_first(cli: Cli) -> None:
    before = cli.store.read_bytes()
    found = cli.run("init")
    assert found.code == 1
    assert "is already there" in found.err
    assert "labelkit config list" in found.err
    assert bare("config", "list").code == 0
    assert cli.store.read_bytes() == before


def test_an_init_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "new"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(core, "publish", full)
    found = bare("init", folder)
    assert (found.code, "No space left" in found.err) == (1, True)
    assert list(folder.iterdir()) == []
    monkeypatch.undo()
    bare("init", folder)
    assert {p.name for p in folder.iterdir()} >= {"labelkit.db", "labelkit.toml"}
    assert Cli(folder / "labelkit.db")("guidelines", "list").out.count("\n") == 2


def test_what_cannot_be_written_is_named(filled: Cli, tmp_path: Path) -> None:
    where = tmp_path / "none" / "bad.jsonl"
    found = filled.run("import", tmp_path / "in.jsonl", "--rejects", where)
    assert (found.code, f"{where}: cannot be written: No such file" in found.err) == (1, True)


def test_db_may_stand_before_or_after_the_command(filled: Cli, tmp_path: Path) -> None:
    after = ran("status", "--json", "--db", filled.store, cwd=tmp_path)
    before = ran("--db", filled.store, "status", "--json", cwd=tmp_path)
    assert json.loads(after.stdout) == json.loads(before.stdout)


def test_where_the_store_is_looked_for(filled: Cli, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert ran("status", cwd=deep).returncode == 1
    (tmp_path / "a" / "labelkit.toml").write_text('db = "../labelkit.db"')
    assert ran("status", cwd=deep).returncode == 0
    env = {**os.environ, "LABELKIT_DB": str(tmp_path / "none.db")}
    assert ran("status", cwd=deep, env=env).returncode == 1
    assert ran("--db", filled.store, "status", cwd=deep, env=env).returncode == 0


def test_quiet_is_quiet(cli: Cli, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [record()])
    assert cli("-q", "import", path).err == ""


def test_tables_are_tab_separated_and_uncut_in_a_pipe(filled: Cli) -> None:
    filled("labelers", "add", "n" * 150)
    lines = filled("labelers", "list").out.splitlines()
    assert lines[0] == "name\tkind\tcohort\tactive"
    assert "n" * 150 + "\thuman\t\tyes" in lines


def test_a_reader_that_goes_away_is_no_traceback(filled: Cli) -> None:
    process = start(
        "--db", filled.store, "export", "--format", "rm", "--out", "-",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.read(100)
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == b""


def test_a_full_disk_under_stdout_is_said(filled: Cli) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("--db", filled.store, "status", stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith(b"error: the output cannot be written: No space left on device")
    assert b"Traceback" not in err


def test_a_closed_stdout_is_said(filled: Cli) -> None:
    command = f'"{sys.executable}" -m labelkit --db "{filled.store}" status >&-'
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stderr.startswith("error: stdout is closed")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_in_the_middle_of_an_import(cli: Cli, number: int, code: int) -> None:
    """Nothing is kept, the store is free again, and the exit code says why."""
    process = start("--db", cli.store, "import", "-", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    line = json.dumps(record()).encode() + b"\n"
    for _ in range(2000):
        process.stdin.write(line)
    process.stdin.flush()
    time.sleep(0.6)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in err
    assert cli("status", "--json").json["prompts"] == 0


def test_a_read_only_store_can_be_read_and_refuses_to_be_written(
    filled: Cli, tmp_path: Path
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write to everything")
    filled.store.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        filled("status")
        found = filled.run("labelers", "add", "zoe")
        assert found.code == 1
        assert "read-only" in found.err or "no permission" in found.err
    finally:
        tmp_path.chmod(0o700)


def test_what_is_said_to_run_can_be_run(tmp_path: Path) -> None:
    """Whatever the names of folders and people hold."""
    folder = tmp_path / "my store's é"
    cli = Cli(folder / "labelkit.db")
    cli("init")
    cli("labelers", "add", "bob o'x")
    cli.store.chmod(0o644)
    hints = [
        cli.run("rank", "--as", "the 'new' one", "--plain").err,
        cli.run("doctor").err,
        cli("labelers", "add", "the new one").err,
    ]
    said = [
        shlex.split(line.split(": ", 1)[1]) for text in hints for line in text.splitlines()[-1:]
    ]
    assert said == [
        ["labelkit", "labelers", "add", "the 'new' one"],
        ["chmod", "600", str(cli.store)],
        ["labelkit", "rank", "--as", "the new one"],
    ]


def test_a_pipe_gets_utf8_whatever_the_locale(cli: Cli, tmp_path: Path) -> None:
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record("Größe 漢字", prompt_id="p")]))
    env = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    argv = [*LABELKIT, "--db", str(cli.store), "prompts", "show", "p"]
    found = subprocess.run(argv, capture_output=True, env=env, timeout=60, check=True)
    assert "Größe 漢字".encode() in found.stdout
