"""One suite for every exporter and stage that is found in the folder, golden bytes included."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit import plugins
from labelkit.domain.pairs import fold

GOLDEN = Path(__file__).parent / "golden"
CASES = [
    (name, stage)
    for name in plugins.exporters.names()
    for stage in plugins.exporters.get(name).stages
]

AWKWARD = 'Grüße,\n"quoted" \\ 日本 \u2028 👩\u200d👧 <b>[x]</b>\t.'


def corpus() -> list[dict[str, object]]:
    """A little of everything: ties, copies, blanks, turns, partial and repeated rankings."""
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": AWKWARD},
    ]
    when = "2026-10-0{}T09:00:00Z"
    full = record(
        k=4,
        user="u1",
        demonstrations=[
            {"text": "Ideal.", "labeler": "ana"},
            {"text": " Ideal.\n", "labeler": "ben"},
        ],
        rankings=[
            ranking("ana", "c > a = b > d", ratings={"a": 5, "b": 5, "c": 7, "d": 1}, seconds=80),
            ranking("ben", "a > c > b > d", submitted_at=when.format(1)),
            ranking("ben", "d > c > b > a", submitted_at=when.format(2), repeat=True),
            ranking("gpt", "d > b > a > c", labeler_kind="model"),
        ],
    )
    talk = {
        "prompt_id": "talk",
        "prompt": chat,
        "user": "u2",
        "completions": [
            {"id": "x", "text": AWKWARD, "model": "m", "params": {"top_p": 1.0, "t": 0.7}},
            {"id": "y", "text": " " + AWKWARD, "model": "n"},
            {"id": "z", "text": " \n"},
            {"id": "w", "text": "Fine."},
        ],
        "rankings": [ranking("chloe", "w > x > y", unranked=["z"], shown=["z", "y", "x", "w"])],
    }
    asked = {"prompt_id": "only", "prompt": "Only asked.", "split": "test", "language": "en"}
    return [full, talk, asked]


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    cli("import", write_jsonl(tmp_path / "corpus.jsonl", corpus()))
    return cli


def lines(cli: Cli, name: str, stage: str, *more: str) -> bytes:
    return cli("export", "--format", stage, "--for", name, "--out", "-", *more).out_bytes


def test_there_are_exporters() -> None:
    assert ("trl", "rm") in CASES
    assert ("labelkit", "records") in CASES


@pytest.mark.parametrize(("name", "stage"), CASES)
def test_golden_bytes(
    filled: Cli, golden: Callable[[Path, bytes], None], name: str, stage: str
) -> None:
    golden(GOLDEN / f"{name}.{stage}.jsonl", lines(filled, name, stage))


@pytest.mark.parametrize(("name", "stage"), CASES)
def test_rows_are_one_shape_without_nulls(filled: Cli, name: str, stage: str) -> None:
    rows = [json.loads(line) for line in lines(filled, name, stage).splitlines()]
    assert rows
    if stage == "records":
        return  # a record says what it does not know
    assert len({tuple(row) for row in rows}) == 1
    assert all(value is not None for row in rows for value in row.values())


@pytest.mark.parametrize(("name", "stage"), CASES)
def test_the_same_bytes_whatever_the_order_of_arrival(
    filled: Cli, tmp_path: Path, name: str, stage: str
) -> None:
    from labelkit.services import project

    other = Cli(tmp_path / "other.db")
    project.init(other.store, write_settings=False)
    for i, item in enumerate(reversed(corpus())):
        other("import", write_jsonl(tmp_path / f"{i}.jsonl", [item]))
    assert lines(other, name, stage) == lines(filled, name, stage)


def test_no_pair_is_empty_identical_or_contradicted(filled: Cli) -> None:
    rows = [json.loads(line) for line in lines(filled, "trl", "rm").splitlines()]
    pairs = {
        (
            json.dumps(r["prompt"]),
            fold(r["chosen"][0]["content"]),
            fold(r["rejected"][0]["content"]),
        )
        for r in rows
    }
    assert len(pairs) == len(rows)
    assert all(chosen and rejected and chosen != rejected for _, chosen, rejected in pairs)
    assert not {(p, r, c) for p, c, r in pairs} & pairs
