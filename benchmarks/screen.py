"""How fast the ranking screen starts and answers, and how many keys a task takes.

python -m benchmarks.screen [ROUNDS]
"""

from __future__ import annotations

import json
import os
import random
import resource
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks._peers import as_installed
from benchmarks._turns import ratio, rounds, verdict

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from terminal import KEYS, Terminal, labelkit

from labelkit.tui.state import RankState, Rules

START_MOST, MEDIAN_MOST, SLOWEST_MOST = 2.5, 50.0, 150.0
KEYS_MOST = {4: 12, 7: 21, 9: 27}
WORDS = 800


def a_store(folder: Path, *, k: int, words: int) -> Path:
    """A store with one labeler and long completions that resemble each other in pairs."""
    rng = random.Random(1)
    vocabulary = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(900)]
    texts = [" ".join(rng.choices(vocabulary, k=words)) for _ in range(k)]
    for i in range(1, k, 2):
        tokens = texts[i - 1].split()
        for at in rng.sample(range(words), words // 10):
            tokens[at] = rng.choice(vocabulary)
        texts[i] = " ".join(tokens)
    completions = [{"id": str(i), "text": t} for i, t in enumerate(texts)]
    path = folder / "in.jsonl"
    rows = [{"prompt": f"Write about {i}", "completions": completions} for i in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    store = folder / "labelkit.db"
    for args in (("-q", "init"), ("-q", "import", str(path)), ("-q", "labelers", "add", "ana")):
        subprocess.run(labelkit(store, *args), check=True, cwd=folder)
    return store


def start_of_screen(store: Path) -> float:
    """Seconds from the command to the first task on the screen."""
    begin = time.perf_counter()
    with Terminal(labelkit(store, "rank", "--as", "ana")) as term:
        while "How good is" not in term.screen.text:
            term.read(0.002)
        return time.perf_counter() - begin


def import_of_textual() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True)
    return time.perf_counter() - begin


def cpu(work: Callable[[], float]) -> float:
    """CPU seconds of what `work` starts and ends: a busy machine tells less on them."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def key_latencies(store: Path, size: tuple[int, int]) -> list[float]:
    """Milliseconds from each key to the end of the picture that it changes."""
    k = 9
    keys = [key for i in range(k) for key in (str(1 + i % 7), "space", "enter")]
    keys += [*"dbgiace", "k", "j", "j", "u", "r", "=", "v", "tab", "space", "w", "escape", "?"]
    keys += ["space", "escape", "m", "1", "enter", "z", "z", "w", "w", *("tab",) * 8]
    found = []
    shutil.rmtree(store.with_name(f"{store.name}.drafts"), ignore_errors=True)
    with Terminal(labelkit(store, "rank", "--as", "ana"), size=size) as term:
        term.wait_for("How good is")
        term.read(0.4)
        for key in keys:
            found.append(1000 * answer_time(term, key))
            if key == "escape":
                term.read(0.3)
        term.process.kill()
    return found


def answer_time(term: Terminal, key: str) -> float:
    """Seconds until the last byte that follows a key; a picture is over after 40 ms of silence."""
    begin = last = time.perf_counter()
    os.write(term.master, KEYS.get(key, key).encode())
    silence = 0.5
    while select.select([term.master], [], [], silence)[0]:
        piece = os.read(term.master, 65536)
        term.screen.feed(piece.decode("utf-8", "replace"))
        last = time.perf_counter()
        silence = 0.04
    # Textual waits a tenth of a second to tell Escape from the start of a sequence.
    return last - begin - (0.1 if key == "escape" else 0.0)


def keys_needed(k: int, tasks: int = 2000) -> float:
    """Mean keys for rating and ranking a task, reading aside, for labelers who know their order."""
    rng = random.Random(k)
    return statistics.mean(keys_of_one(k, rng) for _ in range(tasks))


def keys_of_one(k: int, rng: random.Random) -> int:
    """Rate all, then take the automatic ties apart or keep them, with the real state machine."""
    worth = [rng.gauss(0, 1) for _ in range(k)]
    letters = Rules(k).letters
    wanted = wanted_tiers(worth)
    ratings = {i: max(1, min(7, round(4 + 1.5 * worth[tier[0]]))) for tier in wanted for i in tier}
    state = RankState(Rules(k))
    for i, letter in enumerate(letters):
        state.rate(letter, ratings[i])
    state.begin_ranking()
    place = {letters[i]: n for n, tier in enumerate(wanted) for i in tier}
    keys = 2 * k + settle_ties(state, place)
    assert [sorted(t) for t in state.tiers] == [sorted(letters[i] for i in t) for t in wanted]
    assert state.obstacles() == []
    return keys + 2


def wanted_tiers(worth: list[float]) -> list[list[int]]:
    tiers: list[list[int]] = []
    for i in sorted(range(len(worth)), key=lambda i: -worth[i]):
        if tiers and worth[tiers[-1][0]] - worth[i] < 0.15:
            tiers[-1].append(i)
        else:
            tiers.append([i])
    return tiers


def settle_ties(state: RankState, place: dict[str, int]) -> int:
    """Keys for every automatic tie: the screen has its first letter in front when it comes up."""
    keys = 0
    while state.work.unconfirmed:
        group = state.work.unconfirmed[0]
        places = sorted({place[x] for x in group})
        front = group[0]
        if len(places) == 1:
            state.tie(front)
            keys += 1
            continue
        keys += break_up(state, group, place, front)
    return keys


def break_up(state: RankState, group: tuple[str, ...], place: dict[str, int], front: str) -> int:
    """Move the best or the worst of a tie out of it; its equals join by the digit of its place."""
    by_place = {n: [x for x in group if place[x] == n] for n in {place[x] for x in group}}
    best, worst = by_place[min(by_place)], by_place[max(by_place)]
    up = len(best) < len(worst) or (len(best) == len(worst) and front in best)
    movers = best if up else worst
    movers = sorted(movers, key=lambda x: x != front)
    keys = 0
    for n, letter in enumerate(movers):
        keys += 1 + (letter != front)
        if n == 0:
            state.move(letter, up=up)
        else:
            at = next(i for i, p in enumerate(state.work.places) if movers[0] in p)
            state.place(letter, at)
    return keys


def main(n: int = 5) -> int:
    met = []
    as_installed()
    with tempfile.TemporaryDirectory() as name:
        store = a_store(Path(name), k=9, words=WORDS)
        work = {"import": import_of_textual, "screen": lambda: start_of_screen(store)}
        found = rounds(work, n)
        first = statistics.median(found["screen"])
        print(f"start to first screen: {1000 * first:.0f} ms (median of {n} rounds)")
        spent = rounds({name: partial(cpu, run) for name, run in work.items()}, n)
        for what, took in (("wall", found), ("CPU", spent)):
            times = ratio(took, "screen", "import")
            met.append(verdict(f"start / import textual.app, {what}", times, START_MOST))
        for size in ((80, 24), (200, 50)):
            times = key_latencies(store, size)
            what = f"key to picture at {size[0]}x{size[1]}, {len(times)} keys"
            met.append(verdict(f"{what}: median", statistics.median(times), MEDIAN_MOST, " ms"))
            met.append(verdict(f"{what}: slowest", max(times), SLOWEST_MOST, " ms"))
    for k, most in KEYS_MOST.items():
        met.append(verdict(f"keys to rate and rank {k} completions, mean", keys_needed(k), most))
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
