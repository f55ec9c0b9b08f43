"""More keys at once than anybody types, on the real screen: nothing is put away, nothing breaks.

Run as `python -m torture.flood --rounds 20` with tests/ on the path. What a terminal sends comes in
one piece: letters, names of keys, mouse, focus, pastes, halves of sequences. No label may come of
it; the screen must live, obey Ctrl+Q at the end, and come up again with the draft.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from helpers import Cli, record, write_jsonl
from terminal import KEYS, Terminal, labelkit
from torture.budget import Budget
from torture.plants import PLANTS

from labelkit.services import project
from labelkit.tui.bench import FLOOD

FIRST = {"rank": "Completion A", "write": "Write the best answer"}
SIZES = ((80, 24), (160, 45), (60, 16), (20, 5))
SIGNS = [*"abcdefghijklmnoprstuvwxyz0123456789=+-<>,.?", "é", "🙂", "שלום", "\x00", "\x1c", "\x9b"]
# An escape would join the sign after it, and both end the flood.
NAMED = [keys for name, keys in KEYS.items() if name not in ("ctrl+c", "escape")]
SEQUENCES = ["\x1b[<0;10;10M", "\x1b[<0;10;10m", "\x1b[<64;10;10M", "\x1b[I", "\x1b[O", "\x1b[99~"]
PASTES = ["\x1b[200~7\r\rs1\x1b[201~", "\x1b[200~\x1b[201~"]
LEAVE = "\x11"
HARMLESS = "é" * (2 * FLOOD)
"""How a flood begins: fewer keys than these may have been typed ahead."""


@dataclass
class Floods:
    """What a run did; each of `wrong` is a failure."""

    floods: int = 0
    keys: int = 0
    wrong: list[str] = field(default_factory=list)


def desk(folder: Path) -> Cli:
    """A store with something to rank and to write, and one labeler."""
    store = folder / "labelkit.db"
    project.init(store, write_settings=False)
    cli = Cli(store)
    rows = [record(f"question {i}") for i in range(4)]
    cli("import", write_jsonl(folder / "in.jsonl", rows))
    cli("labelers", "add", "ana")
    cli("assign", "--overlap", 2)
    return cli


def begun(cli: Cli, verb: str, size: tuple[int, int] = (80, 24), plant: str = "") -> Terminal:
    """Start the screen and wait for its first task; `size` is what it has from then on."""
    argv = labelkit(cli.store, verb, "--as", "ana")
    if plant:
        argv = [sys.executable, "-m", "torture.flood", "--work", plant, *argv[3:]]
    term = Terminal(argv, env={"PYTHONPATH": str(Path(__file__).parent.parent)})
    term.wait_for("Task 1 of ")
    term.resize(*size)
    return term


def at_once(term: Terminal, keys: str) -> None:
    """Type without waiting for anything, reading what is drawn so that nobody blocks."""
    data = keys.encode()
    os.set_blocking(term.master, False)
    while data and term.process.poll() is None:
        with suppress(BlockingIOError):
            data = data[os.write(term.master, data[:1024]) :]
        term.read(0.001)
    os.set_blocking(term.master, True)


def labels(cli: Cli) -> int:
    status = cli("status", "--json").json
    return int(status["rankings"] + status["demonstrations"] + sum(status["skips"].values()))


def keys(rnd: random.Random, n: int) -> str:
    """So many keys; some floods are of few kinds, and those get far."""
    kinds = [*SIGNS, *NAMED, *SEQUENCES, *PASTES]
    some = rnd.choice([kinds, [*"1234567", "\r", "\r", "=", "s"], [*"abcdmnvxu123", "\r", "\t"]])
    return "".join(rnd.choice(some) for _ in range(n))


def flood(cli: Cli, verb: str, seed: int, n: int, found: Floods, plant: str = "") -> None:
    """One flood, and a look at what came of it."""
    rnd = random.Random(seed)
    where = f"{verb}, seed {seed}"
    with begun(cli, verb, rnd.choice(SIZES), plant) as term:
        at_once(term, HARMLESS + keys(rnd, n))
        at_once(term, LEAVE)
        try:
            code = term.end(30 + n / 20)
        except AssertionError:
            code = None
        if code != 0 or not term.restored or b"Traceback" in term.raw:
            found.wrong.append(f"{where}: ended with {code}: {term.screen.text.strip()[-300:]}")
    if stored := labels(cli):
        found.wrong.append(f"{where}: {stored} labels")
    else:
        with begun(cli, verb):
            """It comes up again."""
    found.floods += 1
    found.keys += n


def run(folder: Path, seed: int, rounds: int, n: int, budget: Budget, plant: str = "") -> Floods:
    """Flood both screens in turn; with a plant, until that is seen."""
    found = Floods()
    for turn in range(rounds):
        place = folder / str(turn)
        place.mkdir()
        flood(desk(place), [*FIRST][turn % len(FIRST)], seed + turn, n, found, plant)
        if (plant and found.wrong) or not budget.goes_on(turn + 1, rounds):
            break
    return found


def main() -> None:
    if sys.argv[1:2] == ["--work"]:
        from labelkit.__main__ import main as work

        PLANTS[sys.argv[2]]()
        sys.argv[1:3] = []
        work()
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--keys", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--plant", choices=[*PLANTS], default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        budget = Budget(args.seconds, said_every=30)
        found = run(Path(folder), args.seed, args.rounds, args.keys, budget, args.plant)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    if found.wrong and not args.plant:
        sys.exit("a flood of keys did something")


if __name__ == "__main__":
    main()
