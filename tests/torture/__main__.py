"""Every harness, one after the other, for hours or for so many seconds.

`python -m torture` with tests/ on the path runs them to their ends; `--seconds 600` shares ten
minutes among those that can be cut short, which then take what they try in another order for every
`--seed`. First come the planted faults: a harness that does not see them proves nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz.targets import TARGETS
from torture import commands, kills, test_commands, test_kills, test_power

TESTS = Path(__file__).parent.parent
BAD = ("lost", "torn", "rude", "wrong")


@dataclass(frozen=True)
class Part:
    """One harness with one thing to do. `planted` must be seen; `share` is of the time there is."""

    name: str
    argv: tuple[str, ...]
    planted: bool = False
    share: float = 0.0


def parts(most_kills: int, most_labels: int) -> list[Part]:
    """Everything there is to run, planted faults first."""
    return [
        *_planted(),
        Part("streams", ("torture.streams",)),
        Part("power under exports", ("torture.power_export",)),
        *(_killed(job, most_kills) for job in kills.JOBS),
        Part("power while ranking", ("torture.power", "--labels", str(most_labels)), share=2),
        Part("faults while ranking", ("torture.faults",), share=2),
        *(Part(f"faults in {c}", ("torture.commands", c), share=1) for c in commands.COMMANDS),
        Part("floods of keys", ("torture.flood",), share=2),
        *(Part(f"fuzz {reader}", ("fuzz", reader), share=1) for reader in TARGETS),
    ]


def _killed(job: str, most: int) -> Part:
    return Part(f"kills while {job}", ("torture.kills", job, "--kills", str(most)), share=2)


def _planted() -> list[Part]:
    plants = [("torture.kills", job, plant) for job, plant in test_kills.PLANTED]
    plants += [("torture.commands --most 12", *each) for each in test_commands.PLANTED]
    plants += [("torture.power_export", "", plant) for plant in test_power.PLANTED]
    plants += [("torture.faults", "", "no-transaction"), ("torture.flood", "", "blind-keys")]
    found = [
        Part(f"{plant} in {what or module}",
             (*module.split(), *([what] if what else []), "--plant", plant), planted=True)
        for module, what, plant in plants
    ]  # fmt: skip
    found.append(
        Part("lost-output in streams",
             ("torture.streams", "--only", "status", "--plant", "lost-output"), planted=True)
    )  # fmt: skip
    weak = ("torture.power", "--labels", "2", "--repeats", "1", "--synchronous")
    return found + [Part(f"synchronous={s}", (*weak, s), planted=True) for s in test_power.WEAKER]


def run(part: Part, seconds: float | None, seed: int) -> tuple[bool, str]:
    """Run one part to its end; return whether all is well, and what there is to say."""
    argv = [sys.executable, "-m", *part.argv]
    if part.share and seconds is not None:
        argv += ["--seconds", str(round(seconds) if part.argv[0] == "fuzz" else seconds)]
    if part.share:
        argv += ["--seed", str(seed)]
    ran = subprocess.run(argv, cwd=TESTS, stdout=subprocess.PIPE, text=True, check=False)
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1]) if ran.stdout else {}
    bad = sum(x if isinstance(x := said.get(key, 0), int) else len(x) for key in BAD)
    well = bad > 0 if part.planted else not bad and ran.returncode == 0 and bool(said)
    numbers = ", ".join(f"{n:,} {key}" for key, n in said.items() if isinstance(n, int) and n >= 0)
    examples = said.get("examples", []) + (said.get("wrong", []) if not part.planted else [])
    return well, "\n".join([numbers, *("  " * (not well) + e for e in examples if not well)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="beginnings of names of parts")
    parser.add_argument("--seconds", type=float, help="in all; without it, to the end")
    parser.add_argument("--kills", type=int, default=2000, help="of each job")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    began, wrong = time.monotonic(), []
    every = parts(args.kills, 40 if args.seconds is None else 8)  # all of a log is played once
    todo = [p for p in every if not args.only or p.name.startswith(tuple(args.only))]
    sys.stdout.write(f"{len(todo)} parts, seed {args.seed}\n")
    for at, part in enumerate(todo):
        rest = sum(p.share for p in todo[at:])
        started = time.monotonic()
        left = None if args.seconds is None else max(1.0, args.seconds - (started - began))
        well, said = run(part, left and left * part.share / (rest or 1), args.seed)
        verdict = ("seen" if part.planted else "ok") if well else "WRONG"
        took = time.monotonic() - started
        sys.stdout.write(f"{part.name:<36} {verdict:<6} {took:6.0f} s  {said}\n")
        sys.stdout.flush()
        wrong += [] if well else [part.name]
    sys.stdout.write(f"{len(todo) - len(wrong)} of {len(todo)} parts well\n")
    if wrong:
        sys.exit(f"not well: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
