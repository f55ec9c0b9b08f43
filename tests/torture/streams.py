"""Every command with a stdout that takes nothing: closed, on a full disk, or with no reader.

Run as `python -m torture.streams` with tests/ on the path. The commands are found by walking the
command line; a new one must say below how it is called. Each runs in a process of its own, forked
from one that has everything loaded: as it should be first, and if that prints anything, then it may
not end with 0 when it cannot.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import typer
from helpers import Cli, bare, ranking, record, write_jsonl
from torture import stage
from torture.plants import PLANTS

from labelkit.services import backup, bundling
from labelkit.services.desk import Desk

CALLS: dict[str, str] = {
    "rank": "--as dana --plain < quit",
    "write": "--as dana --plain < quit",
    "import": "more.jsonl",
    "export": "--format rm --out -",
    "prompts list": "--ids",
    "prompts show": "pii",
    "prompts exclude": "pii",
    "prompts keep": "pii",
    "prompts undo": "--prompt decided",
    "prompts log": "",
    "prompts dedupe": "",
    "prompts cap": "--most 1",
    "prompts pii": "",
    "prompts split": "train=0.5,test=0.5",
    "prompts tag": "open_qa pii",
    "verify": "rm",
    "bundle make": "--labeler dana -n 1 --out new.bundle",
    "bundle list": "",
    "bundle release": "{bundle}",
    "merge": "ben.bundle",
    "why": "rm#1",
    "labelers add": "emma",
    "labelers list": "",
    "assign": "--again",
    "tasks list": "",
    "tasks release": "{aside}",
    "tasks set-aside": "{task}",
    "status": "",
    "agreement": "--replicates 100",
    "quality": "",
    "consensus": "",
    "leaderboard": "",
    "screen": "--demonstrations scores.csv",
    "report": "--terminal",
    "purge": "--user u1 --yes",
    "init": "elsewhere",
    "tour": "tour",
    "guidelines add": "rules.md",
    "guidelines list": "",
    "guidelines show": "",
    "config list": "",
    "doctor": "",
    "backup": "",
    "restore": "past.db",
    "db path": "",
    "db info": "",
    "db upgrade": "",
}
"""How each command is called; what follows `<` is typed. `--json` is added where there is one."""

ROOT = ("--help", "--version", "-h", "-q --version", "import --help", "db --help")
WAYS = ("closed", "full", "gone")


@dataclass
class Streams:
    """What became of every command line; each of `wrong` is a failure."""

    ran: int = 0
    printing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ended:
    code: int
    out: bytes
    err: str


def leaves() -> Iterator[tuple[str, bool]]:
    """Yield every command there is, and whether it takes --json."""
    from labelkit.cli._commands import COMMANDS
    from labelkit.cli.app import app

    root: Any = typer.main.get_command(app)
    context = typer.Context(root)

    def walk(command: Any, name: str) -> Iterator[tuple[str, bool]]:
        for sub, each in getattr(command, "commands", {}).items():
            yield from walk(each, f"{name} {sub}")
        if not hasattr(command, "commands"):
            yield name, any("--json" in p.opts for p in command.params)

    for name in COMMANDS:
        yield from walk(root.get_command(context, name), name)


def lines(words: dict[str, str]) -> Iterator[str]:
    """Every command line to try."""
    yield from ROOT
    for name, has_json in leaves():
        line = f"{name} {CALLS[name].format(**words)}".strip()
        yield line
        if has_json and name != "export":  # there --json is for its report
            yield f"{line} --json"


def furnish(folder: Path) -> dict[str, str]:
    """Fill a folder with something for every command; return the names that come by chance."""
    store = stage.build(folder / "labelkit.db", prompts=4, overlap=2)
    cli = Cli(store)
    decided = record("Mail ann@example.org", rankings=[ranking("ana", "a > b > c > d")])
    more = {**record("decided", k=0), "prompt_id": "decided"}
    cli("import", write_jsonl(folder / "pii.jsonl", [{**decided, "prompt_id": "pii"}, more]))
    cli("prompts", "exclude", "decided")
    write_jsonl(folder / "more.jsonl", stage.said(3, "more"))
    shutil.copyfile(store, folder / "past.db")
    with Desk(store, "ana") as desk:
        view = desk.next_task()
        assert view is not None
        desk.submit(view, stage.answer(view, random.Random(1)))
    made = bundling.make(store, folder / "ben.bundle", bundling.BundleOptions("ben", 2))
    cli("export", "--format", "rm", "--out", folder / "rm")
    tasks = cli("tasks", "list", "--json").json["tasks"]
    free = [t["task"] for t in tasks if not t["filled"]]
    cli("tasks", "set-aside", free[0])
    backup.backup(store)
    (folder / "scores.csv").write_text("candidate,item,score\nana,1,6\nana,2,7\n")
    (folder / "rules.md").write_text("---\nname: ours\nversion: 1\n---\n# Ours\n")
    (folder / "quit").write_text("quit\n")
    return {"bundle": made.manifest.id, "aside": free[0], "task": free[1]}


def called(line: str, base: Path, way: str, plant: str | None = None) -> Ended:
    """Run a command line in a copy of the folder; `way` is what its stdout is like."""
    work = base.with_name("work")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(base, work)
    out, err = base.with_name("out.txt"), base.with_name("err.txt")
    pid = os.fork()
    if not pid:
        code = 70
        try:
            code = _in_child(line, work, way, out, err, plant)
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Ended(code, out.read_bytes(), err.read_text(encoding="utf-8", errors="replace"))


def _in_child(line: str, work: Path, way: str, out: Path, err: Path, plant: str | None) -> int:
    """Be the command `labelkit`, as it is from start to end."""
    argv, _, typed = line.partition(" < ")
    _open_as(0, (typed and work / typed) or Path(os.devnull), os.O_RDONLY)
    _open_as(2, err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    out.write_bytes(b"")
    sys.stdin = os.fdopen(0, "r", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, buffering=1)
    _stdout(way, out)
    os.chdir(work)
    sys.argv = ["labelkit", *argv.split()]
    if plant:
        PLANTS[plant]()
    code = _main()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        sys.stderr.write(f"Exception ignored: {error!r}\n")
        code = 120  # as the interpreter does
    sys.stderr.flush()
    return code


def _main() -> int:
    from labelkit.__main__ import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    return 0


def _stdout(way: str, out: Path) -> None:
    if way == "closed":
        os.close(1)
        sys.stdout = None  # type: ignore[assignment]  # what Python makes of it
        return
    if way == "gone":
        read, write = os.pipe()
        os.close(read)
        os.dup2(write, 1)
        os.close(write)
    else:
        _open_as(1, Path("/dev/full") if way == "full" else out, os.O_WRONLY)
    sys.stdout = os.fdopen(1, "w", closefd=False, encoding="utf-8")


def _open_as(number: int, path: Path, flags: int) -> None:
    fd = os.open(path, flags, 0o600)
    if fd != number:
        os.dup2(fd, number)
        os.close(fd)


def run(folder: Path, plant: str | None = None, only: str = "") -> Streams:
    """Try every command line, or those that begin with `only`."""
    base = folder / "base"
    base.mkdir()
    words = furnish(base)
    _load_everything(base)
    found = Streams()
    for line in lines(words):
        if line.startswith(only):
            _try(line, base, found, plant)
    return found


def _load_everything(base: Path) -> None:
    """What is loaded before the fork need not be loaded in every child."""
    for command in ("agreement", "leaderboard", "report", "consensus"):
        bare("--db", base / "labelkit.db", command, "--json")


def _try(line: str, base: Path, found: Streams, plant: str | None) -> None:
    calm = called(line, base, "calm")
    found.ran += 1
    if calm.code not in (0, 3, 4) or "Traceback" in calm.err:
        found.wrong.append(f"{line}: does not work at all: {calm.code} {calm.err[-300:]}")
        return
    if calm.out:
        found.printing.append(line)
    for way in WAYS:
        ended = called(line, base, way, plant)
        if why := _wrong(way, ended, calm):
            found.wrong.append(f"{line} ({way}): {why}: exit {ended.code} {ended.err[-300:]}")


def _wrong(way: str, ended: Ended, calm: Ended) -> str:
    if "Traceback" in ended.err or "Exception ignored" in ended.err:
        return "traceback"
    if not calm.out:
        return "" if ended.code == calm.code else "it has nothing to print, and fails"
    if ended.code != 1:
        return "data are missing, and the exit code does not say so"
    said = {"closed": "stdout is closed", "full": "No space left on device", "gone": ""}[way]
    if said not in ended.err:
        return "no word about it"
    return "a reader that went away is an error" if not said and "error" in ended.err else ""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plant", choices=[*PLANTS])
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder).resolve(), args.plant, args.only)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    if found.wrong:
        sys.exit("a command hides that its output went nowhere")


if __name__ == "__main__":
    main()
