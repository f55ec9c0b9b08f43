"""`labelkit consensus`, and exports that train on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit import plugins

SAID = [
    record(
        "one",
        rankings=[
            ranking("ana", "a > b > c > d"),
            ranking("ben", "a > c > b > d"),
            ranking("chloe", "b > a > c = d"),
        ],
    ),
    record("two", rankings=[ranking("ana", "d > c > b = a")]),
    record("three"),
]


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    cli("import", write_jsonl(tmp_path / "in.jsonl", SAID))
    return cli


@pytest.mark.parametrize("method", plugins.consensus.names())
def test_every_method_by_name(filled: Cli, method: str) -> None:
    found = filled("consensus", "--method", method, "--json").json
    assert (found["schema"], found["method"]) == ("labelkit.consensus/1", method)
    one = next(p for p in found["prompts"] if p["prompt_id"] == "id of one")
    assert one["tiers"][0] == ["a"]
    assert one["tiers"][-1] == ["d"]
    assert (one["labelers"], one["rankings"]) == (3, 3)
    assert one["support"]["n"] >= 16
    assert len(found["prompts"]) == 2
    assert found["remarks"] == ["prompts with one labeler, whose ranking is the consensus: 1"]


def test_text_and_one_prompt(filled: Cli) -> None:
    out = filled("consensus", "--prompt", "id of two").out
    assert out.splitlines()[-1] == "id of two\t1\t100.0 %\td > c > a = b"
    assert "id of one" not in out


def test_a_prompt_is_found_by_every_name_that_files_gave_it(filled: Cli, tmp_path: Path) -> None:
    again = record("two") | {"prompt_id": "also two"}
    filled("import", write_jsonl(tmp_path / "again.jsonl", [again]))
    found = filled("consensus", "--prompt", "also two", "--json").json["prompts"]
    assert [prompt["prompt_id"] for prompt in found] == ["id of two"]


def test_weights_are_said(filled: Cli) -> None:
    weights = filled("consensus", "--method", "bradley-terry", "--json").json["weights"]
    assert set(weights) == {"ana", "ben", "chloe"}
    assert filled("consensus", "--json").json["weights"] == {}


def test_an_empty_store_gets_a_sentence(cli: Cli) -> None:
    ran = cli("consensus")
    assert "there are no rankings to merge" in ran.err
    assert cli("consensus", "--json").json["prompts"] == []
    assert cli.run("consensus", "--method", "coin").code == 2


def test_more_completions_than_kemeny_can_take(cli: Cli, tmp_path: Path) -> None:
    said = record(k=12)
    said["rankings"] = [
        ranking("ana", "a > b > c > d > e > f", shown=list("abcdef")),
        ranking("ben", "g > h > i > j > k > l", shown=list("ghijkl")),
    ]
    cli("import", write_jsonl(tmp_path / "in.jsonl", [said]))
    ran = cli("consensus", "--method", "kemeny")
    assert "more than the 9 ranked completions that kemeny can take" in ran.err
    assert len(cli("consensus", "--json").json["prompts"]) == 1


# -- exports -------------------------------------------------------------------------------------


def rows(cli: Cli, *args: str) -> list[Any]:
    return cli("export", "--format", "rm", "--out", "-", *args).rows


def test_pairs_of_a_consensus(filled: Cli) -> None:
    found = rows(filled, "--labels", "consensus:borda")
    told = {(r["chosen"][0]["content"], r["rejected"][0]["content"]) for r in found}
    assert ("answer a to one", "answer b to one") in told
    assert ("answer b to one", "answer a to one") not in told
    assert len(found) == 6 + 5


def test_a_pair_names_the_rankings_that_said_the_same(filled: Cli) -> None:
    from labelkit.services.consensus import export_merger
    from labelkit.services.project import opened
    from labelkit.store.bundles import read_bundles

    with opened(filled.store) as store:
        merger = export_merger(store, "borda", "human")
        bundle = next(b for b in read_bundles(store) if len(b.rankings) == 3)
    names = {c.name: c.uid for c in bundle.completions}
    from labelkit.domain.pairs import Pair

    pair = Pair(names["a"], names["b"], None, ("made up",), "", 4, 6)
    credited = merger.credited(bundle, pair)
    wanted = sorted(r.uid for r in bundle.rankings if r.labeler in ("ana", "ben"))
    assert list(credited.rankings) == wanted
    merged = merger.merged(bundle).rankings[0]
    assert (merged.labeler, merged.origin) == (None, "consensus:borda")


def test_a_consensus_of_models_stays_with_models(cli: Cli, tmp_path: Path) -> None:
    robot = ranking("judge", "d > c > b > a", labeler_kind="model")
    said = record(rankings=[ranking("ana", "a > b > c > d"), robot])
    cli("import", write_jsonl(tmp_path / "in.jsonl", [said]))
    people = rows(cli, "--labels", "consensus:borda")
    models = rows(cli, "--labels", "consensus:borda", "--labelers", "model")
    assert people[0]["chosen"][0]["content"] == "answer a to Why is the sky blue?"
    assert {(r["chosen"][0]["content"], r["rejected"][0]["content"]) for r in models} == {
        (r["rejected"][0]["content"], r["chosen"][0]["content"]) for r in people
    }


def test_the_manifest_says_which_method(filled: Cli, tmp_path: Path) -> None:
    out = tmp_path / "rm"
    filled("export", "--format", "rm", "--out", out, "--labels", "consensus:schulze")
    about = json.loads((out / "manifest.json").read_text())
    assert about["options"]["labels"] == "consensus:schulze"
    assert about["counts"]["rankings"] == 2
    again = tmp_path / "again"
    filled("export", "--format", "rm", "--out", again, "--labels", "consensus:schulze")
    for file in ("manifest.json", "train.jsonl"):
        assert (out / file).read_bytes() == (again / file).read_bytes()


def test_rankings_of_a_consensus_are_one_a_prompt(filled: Cli) -> None:
    args = ("export", "--format", "rankings", "--out", "-", "--labels", "consensus:mean-margin")
    assert len(filled(*args).rows) == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("rm", "--labels", "consensus:coin"), "there is no consensus method 'coin'"),
        (("rm", "--labels", "consensus"), "there is no consensus method ''"),
        (("rm", "--labels", "consensus:borda", "--margin", "votes"), "has no votes"),
        (("rm", "--labels", "consensus:borda", "--min-majority", "0.6"), "has no votes"),
        (("records", "--labels", "consensus:borda"), "nothing to merge"),
    ],
)
def test_refusals(filled: Cli, args: tuple[str, ...], said: str) -> None:
    ran = filled.run("export", "--format", *args, "--out", "-")
    assert (ran.code, said in ran.err) == (2, True), ran.err
