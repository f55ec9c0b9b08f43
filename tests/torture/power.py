"""Power cuts, replayed: every state the disk could be in after losing what was not synced.

A worker runs under strace. The log of its writes, syncs, truncations, unlinks, links and renames is
then played to every point, and at each one the disk is put together as a power cut could leave it:
what was synced is there; of the rest, 512-byte sectors and directory entries are kept or dropped at
random. SQLite opens each state, and every label that had been acknowledged by then must be in it.

A model, not a pulled plug: a sync of a file makes its data durable, a sync of its folder the names
in it; unsynced names persist in the order they were made.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torture import stage
from torture.budget import Budget

SECTOR = 512
_CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat2,link"
TRACED = ("strace", "-f", "-y", "-xx", "-s", "400000", "-e", f"trace={_CALLS}")
_LINE = re.compile(r"^(?:\d+\s+)?(\w+)\((.*)\)\s+= (-?\d+)")
_FD = re.compile(r"-?\w+<([^>]*)>(?:, )?(.*)", re.DOTALL)
_QUOTED = re.compile(r'"([^"]*)"')

Event = tuple[Any, ...]


@dataclass(eq=False)
class Inode:
    """A file's durable bytes, and what was done to it since they were synced."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)

    @property
    def end(self) -> int:
        """How long the file is for those who have it open."""
        size = len(self.durable)
        for kind, number, *data in self.pending:
            size = number if kind == "truncate" else max(size, number + len(data[0]))
        return size

    def sync(self) -> None:
        for event in self.pending:
            _apply(self.durable, event)
        self.pending.clear()


def _apply(data: bytearray, event: Event) -> None:
    if event[0] == "write":
        _, offset, new = event
        data.extend(bytes(max(0, offset - len(data))))
        data[offset : offset + len(new)] = new
    else:
        size = event[1]
        del data[size:]
        data.extend(bytes(size - len(data)))


class Disk:
    """One folder on a disk that may lose power."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.durable = {name: Inode(bytearray(data)) for name, data in files.items()}
        self.names = dict(self.durable)
        self.pending: list[tuple[str, Inode | None]] = []

    def _rename(self, name: str, inode: Inode | None) -> None:
        self.pending.append((name, inode))
        if inode is None:
            self.names.pop(name, None)
        else:
            self.names[name] = inode

    def play(self, event: Event) -> None:
        kind, *rest = event
        if kind == "create" and rest[0] not in self.names:
            self._rename(rest[0], Inode())
        elif kind == "unlink":
            self._rename(rest[0], None)
        elif kind in ("link", "rename") and rest[0] in self.names:
            self._rename(rest[1], self.names[rest[0]])
            if kind == "rename":
                self._rename(rest[0], None)
        elif kind == "sync-folder":
            self.durable = dict(self.names)
            self.pending.clear()
        elif kind in ("write", "append", "truncate", "sync"):
            self._change(kind, rest)

    def _change(self, kind: str, rest: list[Any]) -> None:
        inode = self.names.get(rest[0])
        if inode is None:
            return  # unlinked while open: gone whatever happens
        if kind == "sync":
            inode.sync()
        elif kind == "append":
            inode.pending.append(("write", inode.end, rest[1]))
        else:
            inode.pending.append((kind, *rest[1:]))

    def after_a_cut(self, rnd: random.Random, kept: float | None) -> dict[str, bytes]:
        """Return one disk that a power cut could leave; `kept` 0 or 1 fixes what survives."""
        upto = rnd.randint(0, len(self.pending)) if kept is None else int(kept * len(self.pending))
        names = dict(self.durable)
        for name, inode in self.pending[:upto]:
            if inode is None:
                names.pop(name, None)
            else:
                names[name] = inode
        share = 0.5 if kept is None else kept
        return {name: _survivor(inode, rnd, share) for name, inode in names.items()}


def _survivor(inode: Inode, rnd: random.Random, share: float) -> bytes:
    data = bytearray(inode.durable)
    for event in inode.pending:
        if event[0] != "write":
            if rnd.random() < share:
                _apply(data, event)
            continue
        _, offset, new = event
        for at in range(0, len(new), SECTOR):
            if rnd.random() < share:
                _apply(data, ("write", offset + at, new[at : at + SECTOR]))
    return bytes(data)


# -- reading the log -----------------------------------------------------------------------------


def events(log: Path, folder: Path, ack: str) -> Iterator[Event]:
    """Read strace's log; names are relative to the folder, and acknowledgements stand out."""
    for line in log.read_text(encoding="ascii").splitlines():
        match = _LINE.match(line)
        if match and not match[3].startswith("-"):
            yield from _event(match[1], match[2], folder, ack)


def _event(call: str, args: str, folder: Path, ack: str) -> Iterator[Event]:
    if call in ("pwrite64", "write", "fsync", "fdatasync", "ftruncate"):
        match = _FD.match(args)
        path = Path(_text(match[1])) if match else Path()
        if path == folder:
            yield ("sync-folder",)
        elif path.parent == folder and match:
            yield from _data(call, path.name, match[2], ack)
        return
    names = [Path(_text(quoted)) for quoted in _QUOTED.findall(args)]
    if not names or any(path.parent != folder for path in names):
        return
    if call == "openat":
        if "O_CREAT" in args:
            yield ("create", names[0].name)
    else:
        yield (call.removesuffix("at2").removesuffix("at"), *(path.name for path in names))


def _data(call: str, name: str, rest: str, ack: str) -> Iterator[Event]:
    if call in ("fsync", "fdatasync"):
        yield ("sync", name)
    elif call == "ftruncate":
        yield ("truncate", name, int(rest))
    else:
        quoted, *numbers = re.findall(r'"([^"]*)"|(\d+)', rest)
        data = bytes.fromhex(quoted[0].replace("\\x", ""))
        if name == ack:
            yield ("ack", data.decode().strip())
        else:
            at = (int(numbers[-1][1]),) if call == "pwrite64" else ()
            yield ("write" if at else "append", name, *at, data)


def _text(quoted: str) -> str:
    if quoted.startswith("\\x"):
        return bytes.fromhex(quoted.replace("\\x", "")).decode()
    return quoted


# -- the worker and the replay -------------------------------------------------------------------


def work(path: Path, ack: Path, labels: int, synchronous: str) -> None:
    """Submit labels, note each one that is acknowledged, make a backup; die without a clean end.

    With synchronous OFF, folders are not synced either.
    """
    from labelkit.services import backup
    from labelkit.services.desk import Desk
    from labelkit.store import disk, engine

    if synchronous == "OFF":
        disk.sync_folder = lambda _folder: None
    engine._PRAGMAS = tuple(p.replace("=EXTRA", f"={synchronous}") for p in engine._PRAGMAS)
    fd = os.open(ack, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    rnd = random.Random(5)
    with Desk(path, "ana") as desk:
        for _ in range(labels):
            view = desk.next_task()
            assert view is not None
            os.write(fd, desk.submit(view, stage.answer(view, rnd)).uid.encode())
    os.write(fd, backup.backup(path, path.parent).path.name.encode())
    os._exit(0)


def traceable() -> str | None:
    """Return why nothing can be traced here, or None."""
    if shutil.which("strace") is None:
        return "strace is not here"
    ran = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return None if ran.returncode == 0 else "strace may not trace here"


def record(folder: Path, labels: int, synchronous: str) -> tuple[Disk, list[Event]]:
    """Let the worker run under strace; return the disk it began with and what it did."""
    folder = folder.resolve()
    store = folder / "disk" / "labelkit.db"
    store.parent.mkdir()
    stage.build(store, prompts=max(8, labels))
    Path(f"{store}.lock").unlink(missing_ok=True)
    before = {p.name: p.read_bytes() for p in store.parent.iterdir()}
    log, ack = folder / "log", store.parent / "ack"
    subprocess.run(
        [*TRACED, "-o", log, sys.executable, "-m", "torture.power", "work", store, ack,
         str(labels), synchronous],
        check=True, capture_output=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    return Disk(before), list(events(log, store.parent, ack.name))


def replay(
    disk: Disk, log: list[Event], seed: int, repeats: int, folder: Path, budget: Budget
) -> Counter[str]:
    """Cut the power after every event, in several ways, and count what came of it."""
    rnd = random.Random(seed)
    result: Counter[str] = Counter(states=0, lost=0, torn=0, acknowledged=0)
    for turn in range(repeats):
        kept = (None,) if turn else (0.0, 1.0, None)
        _replay_once(copy.deepcopy(disk), log, rnd, kept, folder, result)
        if not budget.goes_on(turn + 1, repeats):
            break
    result["acknowledged"] = len({event[1] for event in log if event[0] == "ack"})
    return result


def _replay_once(
    disk: Disk,
    log: list[Event],
    rnd: random.Random,
    kept: tuple[float | None, ...],
    folder: Path,
    result: Counter[str],
) -> None:
    acked: set[str] = set()
    for event in log:
        if event[0] == "ack":
            acked.add(event[1])
        disk.play(event)
        for share in kept:
            result["states"] += 1
            result[_verdict(disk.after_a_cut(rnd, share), acked, folder)] += 1


def _verdict(files: dict[str, bytes], acked: set[str], folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    backups = {name for name in acked if name.endswith(".db")}
    if backups - files.keys():
        return "lost"
    for name in ("labelkit.db", *backups):
        try:
            labels, problems = stage.look(folder / name)
        except sqlite3.Error:
            return "torn"
        if problems:
            return "torn"
        if acked - backups - labels:
            return "lost"
    return "fine"


def run(
    folder: Path,
    labels: int,
    synchronous: str,
    seed: int,
    repeats: int,
    budget: Budget | None = None,
) -> Counter[str]:
    disk, log = record(folder, labels, synchronous)
    return replay(disk, log, seed, repeats, folder / "after", budget or Budget())


def main() -> None:
    if sys.argv[1:2] == ["work"]:
        path, ack, labels, synchronous = sys.argv[2:]
        work(Path(path), Path(ack), int(labels), synchronous)
    parser = argparse.ArgumentParser()
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--synchronous", default="EXTRA")
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        budget = Budget(args.seconds, said_every=30)
        found = run(Path(folder), args.labels, args.synchronous, args.seed, args.repeats, budget)
    sys.stdout.write(json.dumps({"synchronous": args.synchronous, **found}) + "\n")
    if args.synchronous == "EXTRA" and found["lost"] + found["torn"]:
        sys.exit("a power cut would lose something")


if __name__ == "__main__":
    main()
