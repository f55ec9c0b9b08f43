"""How fast agreement is measured, against packages that do a part of it.

python -m benchmarks.agreement [ROUNDS [PROMPTS]]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import _rankings
from benchmarks._against import OURS, against, call, present, same
from benchmarks._rounds import rounds as processes
from benchmarks._turns import verdict
from labelkit.agreement._bootstrap import Means
from labelkit.agreement._units import Answers
from labelkit.agreement.krippendorff_alpha import krippendorff_alpha, measure

UNITS, LABELERS, EACH = 333_333, 40, 3
PAIRS_A_PROMPT = 20
PROMPTS, OVERLAP = 66_667, 3
VALUES = (0, 1, 2)
PEERS = {"irrCAC": 0.05, "nltk": 0.05, "crowd-kit": 0.05}
SECONDS_MOST, MIB_MOST, READING_MOST = 60, 2048, 1.5

LABELKIT = str(Path(sys.executable).parent / "labelkit")
READ = """
import sys
from pathlib import Path
from labelkit.services.agreement import AgreementOptions, collect
from labelkit.services.project import opened
with opened(Path(sys.argv[1])) as store:
    collect(store, AgreementOptions())
"""


def answers(units: int) -> Answers:
    """A million judgements that agree on three out of four."""
    chance = np.random.default_rng(1)
    truth = chance.choice(3, units, p=[0.45, 0.1, 0.45])
    who = np.argsort(chance.random((units, LABELERS), dtype=np.float32), axis=1)[:, :EACH]
    seen = chance.random((units, EACH)) < 0.75
    value = np.where(seen, truth[:, None], chance.choice(3, (units, EACH)))
    unit = np.repeat(np.arange(units), EACH)
    return Answers(unit, who.ravel(), value.ravel().astype(np.int64), np.arange(units))


def statistics(n: int, folder: Path) -> bool:
    """Alpha and its intervals."""
    said = answers(UNITS)
    counts = said.counts(VALUES)
    data = folder / "answers.npz"
    np.savez(data, counts=counts, unit=said.unit, labeler=said.labeler, value=said.value)
    ours = krippendorff_alpha(counts)
    for peer in present(["krippendorff", *PEERS]):
        same(peer, ours, call(peer, data)["value"], 1e-9)
    met = against("alpha from counts", lambda: krippendorff_alpha(counts),
                  {"krippendorff": 1.0}, data, n)  # fmt: skip
    met &= against("alpha from answers", lambda: krippendorff_alpha(said.counts(VALUES)),
                   PEERS, data, n)  # fmt: skip
    met &= against("1,000 resamples of 333,333 prompts: of one call",
                   lambda: measure(said, VALUES, ["nominal"], Means()),
                   {"krippendorff": 2.0}, data, n)  # fmt: skip
    prompts = np.arange(UNITS) // PAIRS_A_PROMPT
    whole = Answers(said.unit, said.labeler, said.value, prompts)
    return met & against("1,000 resamples of prompts of 20 pairs: of one call",
                         lambda: measure(whole, VALUES, ["nominal"], Means()),
                         {"krippendorff": 100.0}, data, n)  # fmt: skip


def command(n: int, prompts: int, folder: Path) -> bool:
    """The whole of `labelkit agreement`, on rankings of K 4 to 9 by 40 labelers."""
    _rankings.write(folder / "in.jsonl", prompts, OVERLAP)
    store = str(folder / "labelkit.db")
    labelkit = [LABELKIT, "-q", "--db", store]
    subprocess.run([*labelkit, "init"], check=True, cwd=folder)
    subprocess.run([*labelkit, "import", str(folder / "in.jsonl")], check=True)
    reading = "reading its table"
    found = processes(
        {reading: [sys.executable, "-c", READ, store], OURS: [*labelkit, "agreement"]}, n
    )[OURS]
    what = f"agreement of {prompts * OVERLAP:,} rankings, B = 1,000"
    met = [
        verdict(f"{what}: CPU", found.cpu, SECONDS_MOST, " s"),
        verdict(f"{what}: wall", found.wall, SECONDS_MOST, " s"),
        verdict(f"{what}: memory", found.rss, MIB_MOST, " MiB"),
        verdict(f"{what}: x {reading}", found.cpu_ratio, READING_MOST),
    ]
    return all(met)


def main() -> bool:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    prompts = int(sys.argv[2]) if len(sys.argv) > 2 else PROMPTS
    print("\n## Agreement\n")
    with tempfile.TemporaryDirectory() as name:
        met = statistics(n, Path(name))
        return command(min(n, 3), prompts, Path(name)) & met


if __name__ == "__main__":
    sys.exit(not main())
