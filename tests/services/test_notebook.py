"""`labelkit.load(path)`: frames that say what the store and the commands say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import REPO, Cli, ranking, record, write_jsonl

import labelkit
from labelkit.agreement.krippendorff_alpha import krippendorff_alpha
from labelkit.agreement.pairwise import agreeing
from labelkit.errors import LabelkitError, StoreMissing, UsageError
from labelkit.services.notebook import Notebook

SAID = record(
    rankings=[
        ranking("ana", "c > a = b", unranked=["d"], shown=["b", "a", "d", "c"], ratings={"a": 6},
                flags={"b": ["hallucination"]}, seconds=9, guideline="house@2"),
        ranking("judge", "a > b > c > d", labeler_kind="model"),
    ],
    demonstrations=[{"text": "Because.", "labeler": "ana"}],
    skips=[{"labeler": "ben", "reason": "unclear", "task": "rank"}],
)  # fmt: skip


@pytest.fixture
def told(cli: Cli, tmp_path: Path) -> Notebook:
    cli("import", write_jsonl(tmp_path / "in.jsonl", [SAID]))
    return labelkit.load(cli.store)


def test_rankings(told: Notebook) -> None:
    frame = told.rankings_frame()
    assert list(frame["rank"]) == [1, 2, 2]
    assert set(frame["labeler"]) == {"ana"}
    by_model = frame.set_index("model")
    assert by_model.loc["m-a", "rating"] == 6
    assert by_model.loc["m-b", "flags"] == ("hallucination",)
    assert dict(by_model["shown"]) == {"m-a": 2, "m-b": 1, "m-c": 4}
    assert len(told.rankings_frame("all")) == 7
    assert set(told.rankings_frame("model")["labeler"]) == {"judge"}


def test_pairs(told: Notebook) -> None:
    frame = told.pairs_frame()
    said = {frozenset({(r.model_a, r.value), (r.model_b, -r.value)}) for r in frame.itertuples()}
    assert said == {
        frozenset({("m-c", 1), ("m-a", -1)}),
        frozenset({("m-c", 1), ("m-b", -1)}),
        frozenset({("m-a", 0), ("m-b", 0)}),
    }
    assert (frame["a"] < frame["b"]).all()
    assert len(told.pairs_frame("all")) == 9


def test_labels(told: Notebook) -> None:
    frame = told.labels_frame("all").set_index("kind")
    assert list(frame.index) == ["ranking", "ranking", "demonstration", "skip"]
    assert frame.loc["demonstration", "text"] == "Because."
    assert (frame.loc["skip", "labeler"], frame.loc["skip", "text"]) == ("ben", "unclear")
    first = frame.iloc[0]
    assert (first["labeler"], first["k"], first["seconds"]) == ("ana", 3, 9)
    assert first["guideline"] == "house@2"
    assert list(told.labels_frame()["kind"]) == ["ranking", "demonstration", "skip"]


def test_superseded_labels_are_left_out(cli: Cli, tmp_path: Path) -> None:
    one = ranking("ana", "a > b > c > d", submitted_at="2026-11-01T10:00:00Z")
    cli("import", write_jsonl(tmp_path / "in.jsonl", [record(rankings=[one])]))
    before = labelkit.load(cli.store).labels_frame()
    two = ranking("ana", "d > c > b > a", supersedes=before["label"][0])
    cli("import", write_jsonl(tmp_path / "more.jsonl", [record(rankings=[two])]))
    after = labelkit.load(cli.store)
    assert len(after.labels_frame()) == 1
    best = after.rankings_frame().query("rank == 1")
    assert list(best["model"]) == ["m-d"]


def test_an_empty_store_gives_empty_frames(cli: Cli) -> None:
    book = labelkit.load(cli.store)
    for frame in (book.labels_frame(), book.rankings_frame(), book.pairs_frame()):
        assert len(frame) == 0
        assert "labeler" in frame.columns


def test_refusals(cli: Cli, tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        labelkit.load(tmp_path / "nowhere.db")
    with pytest.raises(UsageError):
        labelkit.load(cli.store).pairs_frame("everybody")
    assert issubclass(UsageError, LabelkitError)


def test_functions_on_frames_give_what_the_command_gives(cli: Cli) -> None:
    cli("import", REPO / "sample_data" / "prompts.jsonl")
    found = cli("agreement", "--json").json
    pairs = labelkit.load(cli.store).pairs_frame().drop_duplicates(["a", "b", "labeler"])
    counts = (
        pd.crosstab([pairs["a"], pairs["b"]], pairs["value"])
        .reindex(columns=[-1, 0, 1], fill_value=0)
        .to_numpy()
    )
    alpha = krippendorff_alpha(counts, "ordinal", turn=True)
    assert alpha == pytest.approx(found["krippendorff_alpha"]["pairs"]["ordinal"]["value"])
    for rule, (agree, n) in agreeing(counts).items():
        assert np.sum(agree) == found["pairwise"][rule]["agree"]
        assert np.sum(n) == found["pairwise"][rule]["n"]
