"""`labelkit leaderboard`: scores that exist, win rates, and a word where there is none."""

from __future__ import annotations

import json
from math import log
from pathlib import Path
from typing import Any

import pytest
from helpers import REPO, Cli, ranking, write_jsonl

GOLDEN = REPO / "tests" / "agreement" / "golden.json"


def contest(prompt: str, order: str, who: str = "ana", **more: Any) -> dict[str, Any]:
    """A record whose completions carry the names of their models."""
    names = [name for tier in order.split(">") for name in tier.replace(" ", "").split("=")]
    completions = [
        {"id": name, "text": f"{name} says {prompt}", "model": name} for name in sorted(names)
    ]
    return {
        "prompt_id": prompt,
        "prompt": prompt,
        "completions": completions,
        "rankings": [ranking(who, order)],
        **more,
    }


def board(cli: Cli, tmp_path: Path, said: list[Any], *args: str) -> Any:
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli("leaderboard", "--json", *args).json


THREE_TO_ONE = [contest(f"q{i}", "x > y" if i else "y > x") for i in range(4)]


def test_scores_and_win_rates(cli: Cli, tmp_path: Path) -> None:
    found = board(cli, tmp_path, THREE_TO_ONE)
    assert (found["schema"], found["comparisons"], found["prompts"]) == (
        "labelkit.leaderboard/1",
        4,
        4,
    )
    x, y = found["models"]
    assert (x["model"], y["model"]) == ("x", "y")
    assert x["score"]["value"] == pytest.approx(log(3) / 2)
    assert x["worth"] == pytest.approx(0.75)
    assert x["win_rate"]["value"] == 0.75
    assert (y["win_rate"]["value"], y["win_rate"]["n"]) == (0.25, 4)
    assert found["win_rates"]["x"]["y"]["value"] == 0.75
    low, high = (found["win_rates"]["x"]["y"][end] for end in ("low", "high"))
    assert (found["win_rates"]["y"]["x"]["low"], found["win_rates"]["y"]["x"]["high"]) == (
        1 - high,
        1 - low,
    )
    assert found["tie_parameter"]["value"] is None
    assert found["tie_parameter"]["reason"] == "there are no ties"


def test_a_tie_is_half_a_win(cli: Cli, tmp_path: Path) -> None:
    said = [contest("q1", "x > y"), contest("q2", "y > x"), contest("q3", "x = y")]
    found = board(cli, tmp_path, said)
    assert [m["score"]["value"] for m in found["models"]] == [pytest.approx(0), pytest.approx(0)]
    assert found["ties"] == pytest.approx(1 / 3)
    assert found["tie_parameter"]["value"] == pytest.approx(1)  # win : tie : loss = 1 : nu : 1


def test_a_baseline(cli: Cli, tmp_path: Path) -> None:
    said = [*THREE_TO_ONE, contest("q9", "x > z > y"), contest("q8", "z > y > x")]
    found = board(cli, tmp_path, said, "--against", "y")
    against = {m["model"]: m.get("against") for m in found["models"]}
    assert against["y"] is None
    assert (against["x"]["value"], against["x"]["n"]) == (pytest.approx(4 / 6), 6)
    assert (against["z"]["value"], against["z"]["n"]) == (1.0, 2)
    ran = cli.run("leaderboard", "--against", "w")
    assert (ran.code, "there is no model 'w'" in ran.err, "models: x, y, z" in ran.err) == (
        1,
        True,
        True,
    )
    assert "\tagainst y\t" in cli("leaderboard", "--against", "y").out


def test_who_never_lost_has_no_score_and_is_named(cli: Cli, tmp_path: Path) -> None:
    said = [
        contest("q1", "best > a > b > worst"),
        contest("q2", "best > b > a > worst"),
        contest("q3", "elsewhere > nowhere"),
    ]
    found = board(cli, tmp_path, said)
    scores = {m["model"]: m["score"] for m in found["models"]}
    assert scores["a"]["value"] == pytest.approx(0)
    assert "never lost" in scores["best"]["reason"]
    assert "never beat" in scores["worst"]["reason"]
    assert "never compared" in scores["elsewhere"]["reason"]
    assert len(found["remarks"]) == 4
    ran = cli("leaderboard")
    assert "best has no score: never lost" in ran.err
    assert "nan" not in ran.out
    missing = found["win_rates"]["a"]["nowhere"]
    assert (missing["value"], missing["reason"]) == (None, "never compared")


def test_a_text_of_several_models_plays_for_all_of_them(cli: Cli, tmp_path: Path) -> None:
    said = contest("q1", "x > y > z")
    said["completions"][1]["text"] = said["completions"][0]["text"]  # x and y said the same
    found = board(cli, tmp_path, [said])
    assert found["comparisons"] == 2
    rates = {m["model"]: (m["win_rate"]["value"], m["win_rate"]["n"]) for m in found["models"]}
    assert rates == {"x": (1.0, 1), "y": (1.0, 1), "z": (0.0, 2)}


def test_a_model_does_not_play_itself_and_no_model_plays_nobody(cli: Cli, tmp_path: Path) -> None:
    said = contest("q1", "x > y > z")
    said["completions"][1]["model"] = "x"
    said["completions"][2]["model"] = None
    found = board(cli, tmp_path, [said])
    assert (found["comparisons"], found["models"]) == (0, [])
    assert "completions that name no model, left out: 1" in found["remarks"]


def test_demonstrations_stand_as_a_contestant(cli: Cli, tmp_path: Path) -> None:
    said = contest("q1", "mine > x")
    del said["completions"][0]["model"]
    said["demonstrations"] = [{"text": "mine says q1", "labeler": "ana"}]
    found = board(cli, tmp_path, [said])
    assert [m["model"] for m in found["models"]] == ["(demonstrations)", "x"]
    assert cli("leaderboard", "--no-demonstrations", "--json").json["models"] == []


def test_groups(cli: Cli, tmp_path: Path) -> None:
    said = [contest("q1", "x > y", use_case="chat"), contest("q2", "y > x"), *THREE_TO_ONE[:1]]
    found = board(cli, tmp_path, said, "--by", "use_case")
    groups = {name: g["comparisons"] for name, g in found["groups"].items()}
    assert groups == {"chat": 1, "(not said)": 2}
    assert "\nchat\n1 comparison on 1 prompt" in cli("leaderboard", "--by", "use_case").out


def test_by_length(cli: Cli, tmp_path: Path) -> None:
    said = [contest(f"q{i}", "x > y > z") for i in range(2)]
    for one in said:
        for completion, size in zip(one["completions"], (100, 100, 300), strict=True):
            completion["text"] = completion["text"].ljust(size, ".")
    found = board(cli, tmp_path, said, "--by", "length")
    x = found["models"][0]["by_length"]
    assert {name: (m["value"], m["n"]) for name, m in x.items()} == {
        "shorter": (1.0, 2),
        "alike": (1.0, 2),
        "longer": (None, 0),
    }
    z = next(m for m in found["models"] if m["model"] == "z")["by_length"]
    assert (z["longer"]["value"], z["longer"]["n"]) == (0.0, 4)
    assert "when shorter\twhen alike\twhen longer" in cli("leaderboard", "--by", "length").out


def test_nothing_depends_on_order(cli: Cli, tmp_path: Path) -> None:
    said = [contest("q1", "x > y > z"), contest("q2", "z > y > x"), contest("q3", "y > x = z")]
    one = board(cli, tmp_path, said)
    other = Cli(tmp_path / "other.db")
    other("init")
    text = json.dumps(said).replace('"model": "x"', '"model": "m3"')
    renamed = json.loads(text.replace('"model": "z"', '"model": "m1"'))
    two = board(other, tmp_path, renamed[::-1])
    back = {"m3": "x", "m1": "z"}
    scores = {m["model"]: round(m["score"]["value"], 9) for m in one["models"]}
    assert scores == {
        back.get(m["model"], m["model"]): round(m["score"]["value"], 9) for m in two["models"]
    }


def test_an_empty_store_gets_a_sentence(cli: Cli) -> None:
    ran = cli("leaderboard")
    assert "no two models were compared" in ran.err
    assert cli("leaderboard", "--json").json["models"] == []
    assert cli.run("leaderboard", "--by", "colour").code == 2


def test_models_as_labelers_are_kept_apart(cli: Cli, tmp_path: Path) -> None:
    said = contest("q1", "x > y")
    said["rankings"].append(ranking("judge", "y > x", labeler_kind="model"))
    assert board(cli, tmp_path, [said])["comparisons"] == 1
    assert cli("leaderboard", "--labelers", "all", "--json").json["comparisons"] == 2


def test_llmfao_scores_come_out_as_published(llmfao: Cli) -> None:
    wanted = next(c for c in json.loads(GOLDEN.read_text()) if c["name"] == "llmfao")["expected"]
    found = llmfao("leaderboard", "--json").json
    top = {m["model"]: round(m["worth"], 5) for m in found["models"][:5]}
    assert top == wanted["bradley_terry"]
    assert (found["comparisons"], len(found["models"])) == (8931, 59)
