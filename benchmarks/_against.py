"""Our call and the peers' calls on the same arrays: first equal, then timed in turn."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._peers import PYTHON, installed
from benchmarks._turns import ratio, rounds, timed, verdict

OURS = "labelkit"
SCRIPT = Path(__file__).with_name("_peer_calls.py")


def call(peer: str, data: Path) -> Any:
    """Run a peer once in its own environment."""
    ran = subprocess.run(
        [PYTHON, "-W", "ignore", str(SCRIPT), peer, str(data)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(ran.stdout.splitlines()[-1])


def present(peers: Sequence[str]) -> list[str]:
    """Return the peers that are installed; say which are not."""
    for peer in peers:
        if peer not in installed():
            print(f"{peer} is not installed: no comparison with it")
    return [peer for peer in peers if peer in installed()]


def same(peer: str, ours: Any, theirs: Any, within: float) -> None:
    """Raise AssertionError when two results differ by more than `within`."""
    apart = float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())
    assert apart <= within, f"{peer} is {apart:.2e} from labelkit"
    print(f"{f'{peer} {installed()[peer]}: furthest from labelkit by':<62} {apart:9.1e}")


def against(
    what: str,
    ours: Callable[[], object],
    goals: Mapping[str, float],
    data: Path,
    n: int,
) -> bool:
    """Time our call against peers, and print the median ratio to each beside its goal."""
    peers = present(list(goals))
    work: dict[str, Callable[[], float]] = {OURS: lambda: timed(ours)}
    for peer in peers:
        work[peer] = lambda peer=peer: call(peer, data)["seconds"]  # type: ignore[misc]
    found = rounds(work, n)
    met = [verdict(f"{what}: x {peer}", ratio(found, OURS, peer), goals[peer]) for peer in peers]
    return all(met)
