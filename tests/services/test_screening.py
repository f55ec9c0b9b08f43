"""`labelkit screen`: four looks, soft cut-offs, cohorts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit.plugins import Measured
from labelkit.services.screening import Candidate, Criterion


def csv(path: Path, header: str, *rows: str) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    items = [f"i{n}" for n in range(20)]
    key = csv(tmp_path / "key.csv", "item,value", *(f"{i},yes" for i in items))
    answers = [f"ana,{i},yes" for i in items]
    answers += [f"ben,{i},{'yes' if n < 14 else 'no'}" for n, i in enumerate(items)]
    answers += [f"cy,{i},{'yes' if n < 5 else 'no'}" for n, i in enumerate(items)]
    flags = csv(tmp_path / "flags.csv", "candidate,item,value", *answers)
    scores = [{"candidate": "ana", "item": i, "score": 6 + n % 2} for n, i in enumerate(items)]
    scores += [{"candidate": "cy", "item": i, "score": "3"} for i in items]
    groups = csv(
        tmp_path / "self.tsv",
        "candidate\tgroup\table",
        "ana\treligion\tyes",
        "ana\tcaste\tno",
        "cy\tcaste\tno",
    )
    return {
        "flags": flags,
        "key": key,
        "demonstrations": write_jsonl(tmp_path / "scores.jsonl", scores),
        "self-assessment": groups,
    }


def args(files: dict[str, Path]) -> list[str]:
    return [part for name, path in files.items() for part in (f"--{name}", str(path))]


def by_name(found: Any) -> Any:
    return {c["candidate"]: c for c in found["candidates"]}


def test_a_report_on_each_candidate(cli: Cli, files: dict[str, Path]) -> None:
    found = cli("screen", "--json", *args(files)).json
    who = by_name(found)
    assert {name: c["suggestion"] for name, c in who.items()} == {
        "ana": "suggest",
        "ben": "look again",
        "cy": "no",
    }
    flags = who["ben"]["criteria"]["flags"]
    assert (flags["value"], flags["n"], flags["standing"]) == (0.7, 20, "close")
    assert flags["low"] < 0.7 < flags["high"]
    assert who["cy"]["criteria"]["demonstrations"]["value"] == 3
    assert who["cy"]["criteria"]["demonstrations"]["standing"] == "below"
    assert who["ben"]["criteria"]["demonstrations"]["standing"] == "not measured"
    assert who["ana"]["self_assessment"] == {"able": ["religion"], "unable": ["caste"]}
    assert found["uncovered_groups"] == ["caste"]
    assert found["sentence"].startswith("1 of 3 meet every cut-off that was measured: ana.")
    text = cli("screen", *args(files)).out
    assert "\nben: look again\n" in text
    assert "demonstrations\t6.50\t" in text
    assert "feels able to judge: religion\ndoes not: caste" in text


def test_cutoffs_are_options(cli: Cli, files: dict[str, Path]) -> None:
    more = ("--flags-cutoff", "0.2", "--demonstrations-cutoff", "2.5")
    found = by_name(cli("screen", "--json", *args(files), *more).json)
    assert {c["suggestion"] for c in found.values()} == {"suggest"}


def test_rankings_against_researchers(cli: Cli, tmp_path: Path) -> None:
    for name, cohort in (("ana", "candidate"), ("cy", "candidate"), ("lea", "researcher"),
                         ("max", "researcher"), ("far", "candidate")):  # fmt: skip
        cli("labelers", "add", name, "--cohort", cohort)
    said = [
        record(
            f"q{i}",
            rankings=[
                ranking("lea", "a > b > c > d"),
                ranking("max", "a > b > d > c"),
                ranking("ana", "a > b > c > d"),
                ranking("cy", "d > c > b = a"),
            ],
        )
        for i in range(6)
    ]
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    found = by_name(cli("screen", "--json").json)
    ana, cy = (found[name]["criteria"]["rankings"] for name in ("ana", "cy"))
    assert (ana["value"], ana["n"], ana["standing"]) == (1.0, 30, "meets")
    assert cy["value"] == pytest.approx(0.1)
    assert cy["standing"] == "below"
    assert found["far"]["suggestion"] == "nothing measured"
    assert cli("screen", "--json", "--candidates", "nobody").json["candidates"] == []


def cohorts(cli: Cli) -> dict[str, str | None]:
    return {x["name"]: x["cohort"] for x in cli("labelers", "list", "--json").json["labelers"]}


def test_cohorts_follow(cli: Cli, files: dict[str, Path]) -> None:
    cli("labelers", "add", "ana", "--cohort", "candidate")
    more = ("--set-cohort", "--accept", "ben", "--hold-out", "cy")
    ran = cli("screen", *args(files), *more, "--dry-run")
    assert ran.err.splitlines() == ["ana: training", "ben: training", "cy: held-out"]
    assert cohorts(cli) == {"ana": "candidate"}
    cli("screen", *args(files), *more)
    assert cohorts(cli) == {"ana": "training", "ben": "training", "cy": "held-out"}


def test_who_is_held_out_is_not_trained_on(cli: Cli, files: dict[str, Path]) -> None:
    cli("screen", *args(files), "--set-cohort", "--hold-out", "ana")
    assert cohorts(cli) == {"ana": "held-out"}


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--set-cohort", "--accept", "zoe"), 1, "there is no candidate 'zoe'"),
        (("--set-cohort", "--accept", "cy", "--hold-out", "cy"), 2, "both accepted and held out"),
        (("--accept", "cy"), 2, "go with --set-cohort"),
        (("--dry-run",), 2, "go with --set-cohort"),
    ],
)
def test_decisions_that_make_no_sense(
    cli: Cli, files: dict[str, Path], more: tuple[str, ...], code: int, said: str
) -> None:
    ran = cli.run("screen", *args(files), *more)
    assert (ran.code, said in ran.err) == (code, True), ran.err
    assert cohorts(cli) == {}


BAD = {
    "flags.csv:2: value: 'maybe' is neither yes nor no": ("flags", "ana,i1,maybe"),
    "flags.csv:2: item: 'i99' is not in the key": ("flags", "ana,i99,yes"),
    "flags.csv:2: candidate: is missing": ("flags", ",i1,yes"),
    "flags.csv:3: item: 'ana' answered 'i1' twice": ("flags", "ana,i1,yes\nana,i1,no"),
    "key.csv:3: item: 'i1' has two different answers": ("key", "i1,yes\ni1,no"),
    "scores.jsonl:1: score: 8 is not between 1 and 7": (
        "demonstrations",
        '{"candidate": "a", "item": "i", "score": 8}',
    ),
    "scores.jsonl:1: score: 'high' is not a number": (
        "demonstrations",
        '{"candidate": "a", "item": "i", "score": "high"}',
    ),
    "scores.jsonl:1: not JSON": ("demonstrations", "{"),
    "scores.jsonl:1: not an object": ("demonstrations", "[]"),
}


@pytest.mark.parametrize("said", BAD)
def test_bad_rows_are_named(cli: Cli, files: dict[str, Path], said: str) -> None:
    name, rows = BAD[said]
    header = {"flags": "candidate,item,value\n", "key": "item,value\n"}.get(name, "")
    files[name].write_text(header + rows + "\n")
    ran = cli.run("screen", *args(files))
    assert (ran.code, said in ran.err) == (1, True), ran.err
    assert ran.out == ""


def test_files_that_cannot_be_read(cli: Cli, tmp_path: Path) -> None:
    ran = cli.run("screen", "--demonstrations", tmp_path / "none.csv")
    assert (ran.code, "cannot be read: No such file" in ran.err) == (1, True)
    (tmp_path / "latin.csv").write_bytes(b"candidate,item,score\nn\xe9e,i,5\n")
    ran = cli.run("screen", "--demonstrations", tmp_path / "latin.csv")
    assert (ran.code, "not UTF-8" in ran.err) == (1, True)
    ran = cli.run("screen", "--flags", tmp_path / "latin.csv")
    assert (ran.code, "flags need a key" in ran.err) == (2, True)


def test_nobody_gets_a_sentence(cli: Cli) -> None:
    assert cli("screen").out.startswith("There are no candidates")


def test_standing_is_meets_close_or_below() -> None:
    def standing(value: float | None, high: float | None = None) -> str:
        return Criterion("x", Measured(value=value, high=high), 0.75).standing

    assert standing(0.75) == "meets"
    assert standing(0.7, 0.75) == "close"
    assert standing(0.7, 0.74) == "below"
    assert standing(0.7) == "below"
    assert standing(None) == "not measured"
    assert Candidate("a", (), (), ()).suggestion == "nothing measured"
