"""Stores that hold next to nothing: every measuring command says a sentence, and nothing breaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit import plugins


def several(n: int, *rankings: dict[str, Any], k: int = 4) -> list[dict[str, Any]]:
    return [record(f"q{i}", k=k, rankings=list(rankings)) for i in range(n)]


ABCD = "a > b > c > d"
STORES = {
    "empty": [],
    "nobody ranked": [record()],
    "one labeler": several(3, ranking("ana", ABCD)),
    "no overlap": [record("q1", rankings=[ranking("ana", ABCD)]),
                   record("q2", rankings=[ranking("ben", ABCD)])],
    "all ties": several(12, ranking("ana", "a = b = c = d"), ranking("ben", "a = b = c = d")),
    "K of 2": several(12, ranking("ana", "a > b"), ranking("ben", "b > a"), k=2),
    "one prompt": several(1, ranking("ana", ABCD), ranking("ben", "a > c > b > d")),
    "one placed": several(2, ranking("ana", "a", unranked=list("bcd")),
                          ranking("ben", "b", unranked=list("acd"))),
    "one model": [{**one, "completions": [{**c, "model": "m"} for c in one["completions"]]}
                  for one in several(2, ranking("ana", ABCD), ranking("ben", ABCD))],
    "no models": [{**one, "completions": [{**c, "model": None} for c in one["completions"]]}
                  for one in several(2, ranking("ana", ABCD), ranking("ben", ABCD))],
}  # fmt: skip

NOT_TWO = "no two models were compared"
NO_CANDIDATES = "There are no candidates"
EARLY = "Too early to tell: nobody has 10 rankings yet."
SENTENCES = {
    "empty": {
        "agreement": "there are no rankings to compare: labelkit rank --as NAME",
        "quality": "There are no rankings yet.",
        "consensus": "there are no rankings to merge",
        "leaderboard": NOT_TWO,
        "report": "There are no rankings yet.",
    },
    "nobody ranked": {
        "agreement": "there are no rankings to compare",
        "quality": "There are no rankings yet.",
        "consensus": "there are no rankings to merge",
        "leaderboard": NOT_TWO,
        "report": "There are no rankings yet.",
    },
    "one labeler": {
        "agreement": "only one labeler: agreement needs two",
        "quality": "Only ana has ranked: there is nobody to compare with.",
        "consensus": "prompts with one labeler, whose ranking is the consensus: 3",
        "leaderboard": "has no score",
        "report": "only one labeler: agreement needs two",
    },
    "no overlap": {
        "agreement": "no two labelers judged the same pair: labelkit assign --overlap 2",
        "quality": EARLY,
        "consensus": "prompts with one labeler, whose ranking is the consensus: 2",
        "leaderboard": "has no score",
        "report": "no two labelers judged the same pair",
    },
    "all ties": {
        "agreement": "the rule drop has nothing to compare",
        "quality": "Nobody stands out.",
        "consensus": "undefined",
        "leaderboard": "100.0 % ties",
        "report": "the rule drop has nothing to compare",
    },
    "K of 2": {
        "agreement": "drop\t0.0 %",
        "quality": "Nobody stands out.",
        "consensus": "=",
        "leaderboard": "24 comparisons on 12 prompts",
        "report": "0.0 %",
    },
    "one prompt": {
        "agreement": "one prompt is too few for intervals",
        "quality": EARLY,
        "consensus": ">",
        "leaderboard": "12 comparisons on 1 prompt,",
        "report": "one prompt is too few for intervals",
    },
    "one placed": {
        "agreement": "no two labelers judged the same pair",
        "quality": EARLY,
        "consensus": "undefined",
        "leaderboard": NOT_TWO,
        "report": NOT_TWO,
    },
    "one model": {
        "agreement": "drop\t100.0 %",
        "quality": EARLY,
        "consensus": ">",
        "leaderboard": NOT_TWO,
        "report": NOT_TWO,
    },
    "no models": {
        "agreement": "drop\t100.0 %",
        "quality": EARLY,
        "consensus": ">",
        "leaderboard": "completions that name no model, left out: 8",
        "report": "completions that name no model, left out: 8",
    },
}


@pytest.fixture(params=sorted(STORES))
def degenerate(request: pytest.FixtureRequest, cli: Cli, tmp_path: Path) -> tuple[str, Cli]:
    said = STORES[request.param]
    if said:
        cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return request.param, cli


def strict(text: str) -> Any:
    """Parse JSON that holds no NaN and no infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} in JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_sentence_and_no_crash(
    degenerate: tuple[str, Cli], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, cli = degenerate
    monkeypatch.setenv("COLUMNS", "300")
    for command, sentence in {**SENTENCES[name], "screen": NO_CANDIDATES}.items():
        args = ["--terminal"] if command == "report" else []
        ran = cli(command, *args)
        said = ran.out + ran.err
        assert sentence in said, f"{name}: {command}\n{said}"
        for word in ("nan", "NaN", "None", " inf", "Traceback"):
            assert word not in said, f"{name}: {command}\n{said}"
        strict(cli(command, "--json").out)


def test_every_way_to_cut_it(degenerate: tuple[str, Cli], tmp_path: Path) -> None:
    _, cli = degenerate
    for method in plugins.consensus.names():
        assert cli("consensus", "--method", method).out
    for field in ("use_case", "language", "batch", "guideline", "week"):
        assert cli("agreement", "--by", field).out
    for field in ("use_case", "language", "source", "length"):
        assert cli("leaderboard", "--by", field).out
    for kind in ("model", "all"):
        for command in ("agreement", "quality", "consensus", "leaderboard"):
            assert cli(command, "--labelers", kind).out
    assert cli("report", "--out", tmp_path / "report.html").err.startswith("wrote ")


def test_a_check_that_cannot_be_made_fails(degenerate: tuple[str, Cli]) -> None:
    """Undefined is not good enough: `--min` exits with 3."""
    name, cli = degenerate
    ran = cli.run("agreement", "--min", "0.01")
    defined = name in ("one prompt", "one model", "no models")
    assert ran.code == (0 if defined else 3)
    assert ("agreement cannot be told" in ran.err) == (not defined and name != "K of 2")


def test_every_store_has_its_sentences() -> None:
    assert set(SENTENCES) == set(STORES)
