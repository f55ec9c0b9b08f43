"""Fuzz one reader: `python -m fuzz records --seconds 60` with tests/ on the path.

With atheris installed it follows coverage; without it inputs are mutated blindly. What breaks a
reader is kept in the corpus, where `make test` plays it again from then on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fuzz.mutate import LONGEST, mutated

CORPUS = Path(__file__).parent / "corpus"
MOST_KIB = 32 << 10
"""By how much a reader may make the process grow, whatever it is fed."""

Call = Callable[[bytes], None]


def seeds_of(name: str) -> list[bytes]:
    found = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    assert found, f"no corpus for {name}"
    return found


def memory() -> int:
    """The most memory this process ever had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def blindly(call: Call, name: str, seconds: float, seed: int, most: int = 1 << 62) -> int:
    """Mutate for so long; return how many inputs that were. Raises what a reader raised."""
    rnd, seeds, runs = random.Random(seed), seeds_of(name), 0
    until = time.monotonic() + seconds
    while runs < most and time.monotonic() < until:
        data = mutated(rnd, seeds)
        try:
            call(data)
        except Exception:
            _keep(name, data)
            raise
        runs += 1
    return runs


def _keep(name: str, data: bytes) -> None:
    path = CORPUS / name / f"broke-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    sys.stderr.write(f"kept as {path}\n")


def _with_atheris(call: Call, name: str, seconds: int) -> None:
    import atheris

    def once(data: bytes) -> None:
        try:
            call(data)
        except Exception:
            _keep(name, data)
            traceback.print_exc()
            raise

    argv = [sys.argv[0], f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-rss_limit_mb=2048"]
    with tempfile.TemporaryDirectory() as found:
        atheris.Setup([*argv, found, str(CORPUS / name)], once)
        atheris.Fuzz()


def _target(name: str, folder: str) -> Call:
    """Loaded here and not above, so that it can be instrumented first."""
    from fuzz.targets import TARGETS, call

    return partial(call, TARGETS[name](Path(folder)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=sorted(p.name for p in CORPUS.iterdir()))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--atheris", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.atheris:
            import atheris

            with atheris.instrument_imports(include=["labelkit"]):
                call = _target(args.target, folder)
            _with_atheris(call, args.target, args.seconds)
            return
        call = _target(args.target, folder)
        for data in seeds_of(args.target):
            call(data)
        before = memory()
        runs = blindly(call, args.target, args.seconds, args.seed)
        grew = memory() - before
        said = {"target": args.target, "runs": runs, "seed": args.seed, "grew_kib": grew}
        sys.stdout.write(json.dumps(said) + "\n")
        if grew > MOST_KIB:
            sys.exit("memory grew")


if __name__ == "__main__":
    main()
