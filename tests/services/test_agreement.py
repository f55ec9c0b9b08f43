"""`labelkit agreement`: what is selected, what is said, and real data through the whole of it."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import by_hand
import pytest
from helpers import REPO, Cli, ranking, record, write_jsonl

from labelkit import plugins

GOLDEN = REPO / "tests" / "agreement" / "golden.json"

TWO = [
    record("one", rankings=[ranking("ana", "a > b > c = d"), ranking("ben", "a > c > b > d")]),
    record("two", rankings=[ranking("ana", "b > a > c > d"), ranking("ben", "b > a > d > c")]),
]


def agreement_of(cli: Cli, tmp_path: Path, said: list[Any], *args: str) -> Any:
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli("agreement", "--json", *args).json


def test_the_json_that_others_read(cli: Cli, tmp_path: Path) -> None:
    found = agreement_of(cli, tmp_path, TWO)
    assert found["schema"] == "labelkit.agreement/1"
    pairwise = found["pairwise"]
    assert list(pairwise) == ["category", "drop", "half"]
    assert pairwise["category"]["agree"] == 9
    assert pairwise["category"]["n"] == 12
    assert pairwise["drop"] == {"agree": 9, "n": 11, "rate": 9 / 11, "low": 0.8, "high": 5 / 6}
    assert pairwise["half"]["agree"] == 9.5
    names = {name.replace("-", "_") for name in plugins.statistics.names()}
    assert names <= set(found)
    assert set(found["krippendorff_alpha"]) == {"pairs", "ratings", "flags"}
    assert list(found["krippendorff_alpha"]["pairs"]) == ["nominal", "ordinal", "interval"]
    for name in ("kendall_tau_b", "kendall_w", "fleiss_kappa", "leave_one_out", "gold", "intra"):
        assert {"value", "low", "high", "n"} <= set(found[name]), name
    assert found["statistics"]["kendall_w"]["title"] == "Kendall's W"
    assert found["reference"]["instructgpt"]["training_labelers"]["rate"] == 0.726


def test_tau_b_of_the_two_is_the_mean_over_prompts(cli: Cli, tmp_path: Path) -> None:
    found = agreement_of(cli, tmp_path, TWO)["kendall_tau_b"]
    first = by_hand.tau_b([1, 2, 3, 3], [1, 3, 2, 4])
    second = by_hand.tau_b([2, 1, 3, 4], [2, 1, 4, 3])
    assert first is not None
    assert second is not None
    assert found["value"] == pytest.approx((first + second) / 2)
    assert found["labelers"]["ana"]["ben"]["n"] == 2


def test_leave_one_out_is_as_defined(cli: Cli, tmp_path: Path) -> None:
    more = [*TWO, record("one", rankings=[ranking("chloe", "d > a > b > c")])]
    more[2]["completions"] = TWO[0]["completions"]
    found = agreement_of(cli, tmp_path, more)["leave_one_out"]
    units: dict[object, dict[str, int]] = defaultdict(dict)
    for i, said in enumerate(more):
        for r in said["rankings"]:
            place = {uid: p for p, tier in enumerate(r["tiers"]) for uid in tier}
            for a in "abcd":
                for b in "abcd":
                    if a < b:
                        prompt = said["prompt"]
                        units[prompt, a, b][r["labeler"]] = by_hand.sign(place[b] - place[a])
        assert i < 3
    total, n = 0.0, 0
    for who in ("ana", "ben", "chloe"):
        agree, count = by_hand.leave_one_out(units, who)
        assert found["labelers"][who]["n"] == count
        assert found["labelers"][who]["value"] == pytest.approx(agree / count)
        total, n = total + agree, n + count
    assert (found["value"], found["n"]) == (pytest.approx(total / n), n)


def test_judgements_of_one_pair_from_different_tasks_meet(cli: Cli, tmp_path: Path) -> None:
    said = [record(k=6)]
    whole = [ranking("ana", "a > b > c > d", shown=list("abcd"))]
    part = [ranking("ben", "a > b > e > f", shown=list("abef"))]
    said[0]["rankings"] = whole + part
    found = agreement_of(cli, tmp_path, said)
    assert (found["pairwise"]["category"]["agree"], found["pairwise"]["category"]["n"]) == (1, 1)
    assert (found["units"], found["shared_units"]) == (11, 1)


def test_the_first_word_counts_by_time_then_by_place(cli: Cli, tmp_path: Path) -> None:
    late = ranking("ana", "b > a > c > d", submitted_at="2026-11-02T00:00:00Z")
    early = ranking("ana", "a > b > c > d", submitted_at="2026-11-01T00:00:00Z")
    said = [record("one", rankings=[late, early, ranking("ben", "a > b > c > d")])]
    found = agreement_of(cli, tmp_path, said)
    assert found["pairwise"]["category"]["rate"] == 1
    assert (found["intra"]["value"], found["intra"]["n"]) == (pytest.approx(5 / 6), 6)
    first, second = ranking("ana", "a > b > c > d"), ranking("ana", "d > c > b > a")
    said = [record("two", rankings=[first, second, ranking("ben", "a > b > c > d")])]
    found = agreement_of(cli, tmp_path, said)
    assert found["pairwise"]["category"]["rate"] == 1


def test_models_are_kept_apart(cli: Cli, tmp_path: Path) -> None:
    robot = ranking("judge", "d > c > b > a", labeler_kind="model")
    people = [ranking("ana", "a > b > c > d"), ranking("ben", "a > b > c > d")]
    found = agreement_of(cli, tmp_path, [record(rankings=[*people, robot])])
    assert (found["labelers"], found["pairwise"]["category"]["rate"]) == (2, 1)
    found = cli("agreement", "--json", "--labelers", "all").json
    assert (found["labelers"], found["pairwise"]["category"]["n"]) == (3, 18)
    assert cli("agreement", "--json", "--labelers", "model").json["labelers"] == 1


def dated(who: str, tiers: str, day: str, **more: Any) -> dict[str, Any]:
    return ranking(who, tiers, submitted_at=f"2026-{day}T10:00:00Z", **more)


@pytest.fixture
def mixed(cli: Cli, tmp_path: Path) -> Cli:
    old, new = "a > b > c > d", "a > b > d > c"
    said = [
        record(
            "one",
            use_case="chat",
            language="en",
            rankings=[dated("ana", old, "11-02", batch="x"), dated("ben", old, "11-12", batch="x")],
        ),
        record(
            "two",
            use_case="qa",
            language="de",
            rankings=[
                dated("ana", old, "11-03", batch="x", guideline="rules@1"),
                dated("chloe", new, "11-04", batch="x", guideline="rules@1"),
            ],
        ),
        record("three", rankings=[ranking("ana", old), ranking("ben", new)]),
    ]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli


@pytest.mark.parametrize(
    ("args", "n"),
    [
        ((), 18),
        (("--batch", "x"), 12),
        (("--batch", "none"), 0),
        (("--since", "2026-11-03"), 6),
        (("--since", "2026-11-13"), 0),
        (("--labeler", "ana", "--labeler", "ben"), 12),
        (("--labeler", "ana"), 0),
    ],
)
def test_selections(mixed: Cli, args: tuple[str, ...], n: int) -> None:
    assert mixed("agreement", "--json", *args).json["pairwise"]["category"]["n"] == n


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("use_case", {"chat": 6, "qa": 6, "(not said)": 6}),
        ("language", {"en": 6, "de": 6, "(not said)": 6}),
        ("batch", {"x": 12, "(not said)": 6}),
        ("guideline", {"rules@1": 6, "(not said)": 12}),
        ("week", {"2026-W45": 6, "2026-W46": 6, "(not said)": 6}),
    ],
)
def test_groups(mixed: Cli, field: str, wanted: dict[str, int]) -> None:
    found = mixed("agreement", "--json", "--by", field).json
    assert found["by"] == field
    groups = {name: g["pairwise"]["category"]["n"] for name, g in found["groups"].items()}
    assert groups == wanted
    text = mixed("agreement", "--by", field).out
    assert all(f"\n{name}\t" in text for name in wanted)


def test_a_group_is_what_selecting_it_gives(mixed: Cli) -> None:
    whole = mixed("agreement", "--json", "--batch", "x").json
    group = mixed("agreement", "--json", "--by", "batch").json["groups"]["x"]
    assert {k: v for k, v in whole.items() if k in group} == group


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--by", "colour"), 2, "--by: not one of them: 'colour'"),
        (("--since", "yesterday"), 2, "--since: 'yesterday' is not a moment in time"),
        (("--labeler", "zoe"), 1, "there is no labeler 'zoe'"),
        (("--labelers", "dogs"), 2, "--labelers: not one of them"),
        (("--min", "0.95"), 3, "under 0.95"),
        (("--min", "0.5", "--batch", "none"), 3, "agreement cannot be told"),
    ],
)
def test_refusals_and_checks(mixed: Cli, args: tuple[str, ...], code: int, said: str) -> None:
    ran = mixed.run("agreement", "--json", *args)
    assert (ran.code, said in ran.err) == (code, True), ran.err


def test_a_check_that_holds(mixed: Cli) -> None:
    assert mixed.run("agreement", "--min", "0.8").code == 0


def test_flags_are_answers_only_where_the_guideline_asks(cli: Cli, tmp_path: Path) -> None:
    guideline = tmp_path / "g.md"
    rules = "flags: [{key: opinion, label: Opinion}]"
    guideline.write_text(f"---\nname: rules\nversion: 1\n{rules}\n---\nBe kind.\n")
    cli("guidelines", "add", guideline)
    said = [
        record(
            f"q{i}",
            rankings=[
                ranking("ana", "a > b > c > d", guideline="rules@1", flags={"a": ["opinion"]}),
                ranking("ben", "a > b > c > d", guideline="rules@1"),
                ranking("chloe", "a > b > c > d", flags={"a": ["funny"]}),
            ],
        )
        for i in range(3)
    ]
    flags = agreement_of(cli, tmp_path, said)["krippendorff_alpha"]["flags"]
    assert (flags["opinion"]["n"], flags["funny"]["n"]) == (12, 0)


DEGENERATE = {
    "an empty store": ([], "there are no rankings to compare"),
    "prompts without rankings": ([record()], "there are no rankings to compare"),
    "one labeler": ([record(rankings=[ranking("ana", "a > b > c > d")])], "only one labeler"),
    "no overlap": (
        [
            record("one", rankings=[ranking("ana", "a > b > c > d")]),
            record("two", rankings=[ranking("ben", "a > b > c > d")]),
        ],
        "no two labelers judged the same pair",
    ),
    "all ties": (
        [record(rankings=[ranking("ana", "a = b = c = d"), ranking("ben", "a = b = c = d")])],
        "has nothing to compare",
    ),
    "one prompt": ([TWO[0]], "one prompt is too few for intervals"),
    "K of 2": (
        [record(k=2, rankings=[ranking("ana", "a > b"), ranking("ben", "b > a")])],
        "one prompt is too few for intervals",
    ),
    "one placed": (
        [
            record(
                k=2,
                rankings=[{"labeler": who, "tiers": [["a"]], "unranked": ["b"]} for who in "xy"],
            )
        ],
        "no two labelers judged the same pair",
    ),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_input_gets_a_sentence(cli: Cli, tmp_path: Path, name: str) -> None:
    said, sentence = DEGENERATE[name]
    if said:
        cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    ran = cli("agreement")
    assert sentence in ran.err
    assert "nan" not in ran.out.lower().replace("dominan", "")
    found = cli("agreement", "--json").json
    assert "NaN" not in json.dumps(found)
    assert any(sentence in remark for remark in found["remarks"])


def test_text_says_each_rule_and_n(cli: Cli, tmp_path: Path) -> None:
    cli("import", write_jsonl(tmp_path / "in.jsonl", TWO))
    out = cli("agreement", "--min-overlap", "5").out
    for name in plugins.statistics.names():
        if name != "pairwise":
            statistic = plugins.statistics.get(name)
            assert f"{statistic.title}. {statistic.rule}" in out
    assert "InstructGPT: 72.6 ± 1.5 %" in out
    assert "\tana\tben\nana\t\t" in out
    assert "does not say what it does with ties" in out


# -- real data -----------------------------------------------------------------------------------


def test_llmfao_comes_out_as_published(llmfao: Cli) -> None:
    wanted = next(c for c in json.loads(GOLDEN.read_text()) if c["name"] == "llmfao")["expected"]
    found = llmfao("agreement", "--json").json
    for rule in ("category", "drop"):
        assert [found["pairwise"][rule]["agree"], found["pairwise"][rule]["n"]] == wanted[rule]
    for metric in ("nominal", "ordinal", "interval"):
        alpha = found["krippendorff_alpha"]["pairs"][metric]["value"]
        assert round(alpha, 6) == wanted[f"alpha_{metric}"]
    assert (found["rankings"], found["labelers"], found["units"]) == (8931, 124, 2139)


def test_llmfao_prints_as_published(llmfao: Cli) -> None:
    lines = [line.split("\t") for line in llmfao("agreement").out.splitlines()]
    printed = {line[0]: line[1:4:2] for line in lines if line[0] in ("category", "drop")}
    assert printed == {"category": ["53.2 %", "15,112"], "drop": ["70.1 %", "6,755"]}
    assert lines[0][0].startswith("8,931 rankings by 124 labelers on ")
