"""`labelkit quality`: planted habits are found, careful people are left in peace."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

Habit = Callable[[dict[str, Any], random.Random], None]
CAREFUL = ("ana", "ben", "chloe", "dmitri")
ORDER = "abcde"


def honest(who: str, chance: random.Random) -> dict[str, Any]:
    """A careful ranking: a is best and e worst, seen through a little noise."""
    seen = {name: -place + chance.gauss(0, 0.7) for place, name in enumerate(ORDER)}
    order = sorted(ORDER, key=seen.__getitem__, reverse=True)
    return {
        **ranking(who, " > ".join(order)),
        "shown": chance.sample(ORDER, 5),
        "seconds": chance.uniform(60, 180),
        "ratings": {name: 6 - place for place, name in enumerate(order)},
    }


def clicker(said: dict[str, Any], chance: random.Random) -> None:
    said["tiers"] = [[name] for name in chance.sample(ORDER, 5)]
    said["ratings"] = {}


def hasty(said: dict[str, Any], chance: random.Random) -> None:
    said["seconds"] = chance.uniform(1, 3)


def tied(said: dict[str, Any], chance: random.Random) -> None:
    if chance.random() < 0.6:
        said["tiers"], said["ratings"] = [list(ORDER)], {}


def copier(said: dict[str, Any], chance: random.Random) -> None:
    if chance.random() < 0.5:
        said["tiers"], said["ratings"] = [[name] for name in said["shown"]], {}


def first_shown(said: dict[str, Any], chance: random.Random) -> None:
    best, rest = said["shown"][0], [t for t in said["tiers"] if t != [said["shown"][0]]]
    said["tiers"], said["ratings"] = [[best], *rest], {}


def contrary(said: dict[str, Any], chance: random.Random) -> None:
    said["ratings"] = {name: 7 - value for name, value in said["ratings"].items()}


HABITS: dict[str, Habit] = {
    "agreement": clicker,
    "hurried": hasty,
    "all_tied": tied,
    "copies_of_shown": copier,
    "position_p": first_shown,
    "contradictions": contrary,
}


def team(cli: Cli, tmp_path: Path, habit: Habit | None, seed: int = 0) -> Any:
    chance = random.Random(seed)
    said = []
    for i in range(60):
        rankings = [honest(who, chance) for who in CAREFUL]
        if habit:
            odd = honest("zoe", chance)
            habit(odd, chance)
            rankings.append(odd)
        said.append(record(f"question {i}", k=5, rankings=rankings))
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli("quality", "--json").json


def standing_out(found: Any) -> dict[str, set[str]]:
    return {
        x["labeler"]: {name for name, e in x["evidence"].items() if e["stands_out"]}
        for x in found["labelers"]
    }


@pytest.mark.parametrize("name", HABITS)
def test_a_planted_habit_is_found_and_the_careful_are_not_named(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    found = team(cli, tmp_path, HABITS[name])
    out = standing_out(found)
    assert name in out["zoe"]
    assert not any(out[who] for who in CAREFUL)
    assert found["sentence"].startswith("Talk to zoe first: ")
    evidence = next(x for x in found["labelers"] if x["labeler"] == "zoe")["evidence"]
    assert evidence[name]["why"]
    assert cli("quality").out.startswith("Talk to zoe first: ")


@pytest.mark.parametrize("seed", range(3))
def test_a_careful_team_is_left_in_peace(cli: Cli, tmp_path: Path, seed: int) -> None:
    found = team(cli, tmp_path, None, seed)
    assert found["sentence"] == "Nobody stands out."
    assert not any(standing_out(found).values())


def test_a_love_of_length_is_found(cli: Cli, tmp_path: Path) -> None:
    chance = random.Random(1)
    said = []
    for i in range(60):
        one = record(f"question {i}", k=5, rankings=[honest(who, chance) for who in CAREFUL])
        sizes = chance.sample((100, 200, 300, 400, 500), 5)
        for completion, size in zip(one["completions"], sizes, strict=True):
            completion["text"] = completion["text"].ljust(size, ".")
        long = sorted(ORDER, key=lambda name, s=sizes: -s[ORDER.index(name)])
        one["rankings"].append(ranking("zoe", " > ".join(long)))
        said.append(one)
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    out = standing_out(cli("quality", "--json").json)
    assert "longer_preferred" in out["zoe"]
    assert not any("longer_preferred" in out[who] for who in CAREFUL)


def test_circles_and_turned_pairs(cli: Cli, tmp_path: Path) -> None:
    said = []
    for i in range(30):
        one = record(f"q{i}", k=4)
        one["rankings"] = [
            ranking("zoe", "a > b", shown=["a", "b"]),
            ranking("zoe", "b > c", shown=["b", "c"]),
            ranking("zoe", "c > a > b", shown=["a", "b", "c"]),
            ranking("zoe", "b > a", shown=["a", "b"]),
            ranking("ana", "a > b > c > d"),
            ranking("ana", "a > b > c > d", repeat=True),
        ]
        said.append(one)
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    found = cli("quality", "--json").json
    zoe = next(x for x in found["labelers"] if x["labeler"] == "zoe")["evidence"]
    assert (zoe["circles"]["value"], zoe["circles"]["n"]) == (1.0, 30)
    assert zoe["turned_round"]["value"] == pytest.approx(2 / 3)
    assert {"circles", "turned_round"} <= standing_out(found)["zoe"]
    assert not standing_out(found)["ana"]


def test_skips_by_reason(cli: Cli, tmp_path: Path) -> None:
    chance = random.Random(0)
    said = []
    for i in range(40):
        one = record(f"q{i}", k=5, rankings=[honest(who, chance) for who in ("ana", "zoe")])
        one["skips"] = [{"labeler": "zoe", "reason": "unclear"}]
        said.append(one)
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    found = cli("quality", "--json").json
    zoe = next(x for x in found["labelers"] if x["labeler"] == "zoe")
    assert zoe["skips"] == {"unclear": 40}
    assert zoe["evidence"]["skipped"]["value"] == 0.5
    assert "skipped" in standing_out(found)["zoe"]
    assert "zoe: 40 rankings, skipped 40: unclear" in cli("quality").out


def test_too_few_rankings_name_nobody(cli: Cli, tmp_path: Path) -> None:
    chance = random.Random(0)
    said = [record(f"q{i}", k=5, rankings=[honest("ana", chance)]) for i in range(9)]
    said += [record(f"r{i}", k=5, rankings=[honest("ben", chance)]) for i in range(20)]
    for one in said[:9]:
        one["rankings"][0]["seconds"] = 1.0
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    assert cli("quality", "--json").json["sentence"] == "Nobody stands out."


def test_models_are_kept_apart(cli: Cli, tmp_path: Path) -> None:
    robot = ranking("judge", "d > c > b > a", labeler_kind="model")
    said = record(rankings=[ranking("ana", "a > b > c > d"), robot])
    cli("import", write_jsonl(tmp_path / "in.jsonl", [said]))
    assert [x["labeler"] for x in cli("quality", "--json").json["labelers"]] == ["ana"]
    found = cli("quality", "--json", "--labelers", "model").json
    assert [x["labeler"] for x in found["labelers"]] == ["judge"]


def test_degenerate_stores_get_a_sentence(cli: Cli, tmp_path: Path) -> None:
    assert cli("quality").out == "There are no rankings yet.\n"
    alone = record(rankings=[ranking("ana", "a = b = c = d")])
    cli("import", write_jsonl(tmp_path / "in.jsonl", [alone]))
    assert cli("quality").out.startswith("Only ana has ranked: there is nobody to compare with.")
