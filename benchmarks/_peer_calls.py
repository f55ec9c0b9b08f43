"""One call of a peer on saved arrays, timed without its imports and without making its input.

Runs under the peers' Python, so it knows nothing of labelkit: CALL FILE prints seconds and value.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]
Call = Callable[[], Any]


def krippendorff(data: Arrays) -> Call:
    import krippendorff

    counts, values = data["counts"], list(range(data["counts"].shape[1]))
    return lambda: krippendorff.alpha(
        value_counts=counts, value_domain=values, level_of_measurement="nominal"
    )


def irrcac(data: Arrays) -> Call:
    import pandas as pd
    from irrCAC.raw import CAC

    answers = np.full((len(data["counts"]), int(data["labeler"].max()) + 1), np.nan)
    answers[data["unit"], data["labeler"]] = data["value"]
    frame = pd.DataFrame(answers)
    return lambda: CAC(frame, digits=12).krippendorff()["est"]["coefficient_value"]


def nltk(data: Arrays) -> Call:
    from nltk.metrics.agreement import AnnotationTask

    rows = list(zip(*(data[x].tolist() for x in ("labeler", "unit", "value")), strict=True))
    return lambda: AnnotationTask(rows).alpha()


def crowd_kit(data: Arrays) -> Call:
    import pandas as pd
    from crowdkit.metrics.data import alpha_krippendorff

    columns = {"task": data["unit"], "worker": data["labeler"], "label": data["value"]}
    frame = pd.DataFrame(columns)
    return lambda: alpha_krippendorff(frame)


def evalica(data: Arrays) -> Call:
    import evalica

    names = [f"m{i:02d}" for i in range(int(data["models"]))]
    left, right = ([names[i] for i in data[side].tolist()] for side in ("a", "b"))
    kinds = {1: evalica.Winner.X, -1: evalica.Winner.Y, 0: evalica.Winner.Draw}
    won = [kinds[v] for v in data["value"].tolist()]

    def call() -> Any:
        found = evalica.bradley_terry(left, right, won, tolerance=1e-10, limit=10_000)
        return np.log(found.scores.loc[names].to_numpy()).tolist()

    return call


def arena_rank(data: Arrays) -> Call:
    import pandas as pd
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    names = np.array([f"m{i:02d}" for i in range(int(data["models"]))])
    kinds = np.array(["model_b", "tie", "model_a"])
    frame = pd.DataFrame(
        {
            "model_a": names[data["a"]],
            "model_b": names[data["b"]],
            "winner": kinds[data["value"] + 1],
        }
    )

    def call() -> Any:
        games = PairDataset.from_pandas(frame)
        model = BradleyTerry(n_competitors=len(games.competitors))
        model.fit(games)
        found = dict(zip(games.competitors, np.asarray(model.params["ratings"]), strict=True))
        return [float(found[name]) for name in names]

    return call


def choix(data: Arrays) -> Call:
    import choix

    m = int(data["models"])
    won = np.zeros((m, m))
    for a, b, share in (("a", "b", 1 + data["value"]), ("b", "a", 1 - data["value"])):
        np.add.at(won, (data[a], data[b]), share / 2)
    return lambda: choix.ilsr_pairwise_dense(won, tol=1e-12).tolist()


CALLS: dict[str, Callable[[Arrays], Call]] = {
    "krippendorff": krippendorff,
    "irrCAC": irrcac,
    "nltk": nltk,
    "crowd-kit": crowd_kit,
    "evalica": evalica,
    "arena-rank": arena_rank,
    "choix": choix,
}


def main() -> None:
    call = CALLS[sys.argv[1]](np.load(sys.argv[2]))
    start = time.perf_counter()
    value = call()
    print(json.dumps({"seconds": time.perf_counter() - start, "value": value}))


if __name__ == "__main__":
    main()
