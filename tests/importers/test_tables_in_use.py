"""Tables that people have: who won, what was asked, and what holds the rows."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, write_jsonl
from helpers import record as record_of
from published import VOTE, WON, Row, assistant, imported, orders, system, user

from labelkit.errors import ExitCode

# -- tables: who won -----------------------------------------------------------------------------

SHP = {"history": "Why?", "human_ref_A": "good", "human_ref_B": "bad", "labels": 1}
SHP_MAP = ("--map", "history=prompt", "--map", "human_ref_A=completion_a")
SHP_MAP = (*SHP_MAP, "--map", "human_ref_B=completion_b", "--map", "labels=winner")


def test_numbers_mean_what_the_user_says(cli: Cli, tmp_path: Path) -> None:
    """Stanford's SHP: 1 is A and 0 is B."""
    second = {**SHP, "human_ref_A": "bad", "human_ref_B": "good", "labels": 0}
    other = {**SHP, "history": "Who?", "labels": 0.5}
    path = write_jsonl(tmp_path / "shp.jsonl", [SHP, second, other])
    said = ("--winner", "1=a", "--winner", "0=B", "--winner", "0.5=tie")
    (tie, won), _ = imported(cli, path, *SHP_MAP, *said)
    assert orders(won) == WON * 2
    assert orders(tie) == [[["bad", "good"]]]
    ran = cli.run("import", path, *SHP_MAP, *said[:4])
    assert ran.code == ExitCode.ERROR
    assert f"{path}:3: winner: '0.5' is not among --winner" in ran.err


@pytest.mark.parametrize("number", [0, 3, -1, "0"])
def test_a_number_that_is_no_column_stops_the_import(
    cli: Cli, tmp_path: Path, number: object
) -> None:
    """Where answer_1 and answer_2 go with 0 and 1, each 1 would be taken for the other answer."""
    rows = [{"q": "Why?", "answer_1": "bad", "answer_2": "good", "best": n} for n in (1, number)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    maps = ("--map", "q=prompt", "--map", "answer_1=completion_a", "--map", "answer_2=completion_b")
    ran = cli.run("import", path, *maps, "--map", "best=winner", "--max-bad", "9")
    assert ran.code == ExitCode.ERROR
    assert f"{path}:2: winner: {number} is none of answer_1, answer_2" in ran.err
    assert f"--winner {number}=a" in ran.err
    assert cli.run("export", "--format", "records", "--out", "-").code == ExitCode.NOTHING_TO_DO


def test_a_winner_of_one_completion_is_a_bad_row(cli: Cli, tmp_path: Path) -> None:
    whole = {"q": "Why?", "answer_0": "bad", "answer_1": "good", "best": 1}
    path = write_jsonl(tmp_path / "a.jsonl", [whole, {**whole, "answer_0": None}])
    maps = ("--map", "q=prompt", "--map", "answer_0=completion_a", "--map", "answer_1=completion_b")
    ran = cli("import", path, *maps, "--map", "best=winner", "--max-bad", "1")
    assert f"{path}:2: winner: '1' is none of the completions" in ran.err
    (record,) = cli("export", "--format", "records", "--out", "-").rows
    assert orders(record) == WON


def test_a_winner_that_may_be_either_is_refused(cli: Cli, tmp_path: Path) -> None:
    row = {"prompt": "Why?", "completion_a": "good", "completion_b": "bad", "winner": "m"}
    path = write_jsonl(tmp_path / "a.jsonl", [{**row, "model_a": "m", "model_b": "m"}])
    assert "winner: 'm' may be 2 of the completions" in cli.run("import", path).err
    crossed = {"prompt": "Why?", "text_b": "good", "text_a": "bad"}
    maps = ("--map", "text_b=completion_a", "--map", "text_a=completion_b")
    for said in ("a", "B", "left", "model_b"):
        path = write_jsonl(tmp_path / "b.jsonl", [{**crossed, "winner": said}])
        assert cli.run("import", path, *maps).code == ExitCode.ERROR
    path = write_jsonl(tmp_path / "c.jsonl", [{**crossed, "winner": "text_b"}])
    (record,), _ = imported(cli, path, *maps)
    assert orders(record) == WON


@pytest.mark.parametrize("said", ["tie", "Tie (bothbad)", "both_bad", "Both are equal", "DRAW"])
def test_words_for_a_tie(cli: Cli, tmp_path: Path, said: str) -> None:
    row = {"prompt": "Why?", "completion_a": "good", "completion_b": "bad", "winner": said}
    (record,), _ = imported(cli, write_jsonl(tmp_path / "a.jsonl", [row]))
    assert orders(record) == [[["bad", "good"]]]


def test_a_name_that_begins_like_a_tie_is_none(cli: Cli, tmp_path: Path) -> None:
    row = {"prompt": "Why?", "completion_a": "good", "completion_b": "bad", "winner": "tiefighter"}
    path = write_jsonl(tmp_path / "a.jsonl", [row])
    assert "winner: 'tiefighter' is none of the completions" in cli.run("import", path).err
    (record,), _ = imported(cli, write_jsonl(path, [{**row, "model_a": "Tiefighter"}]))
    assert orders(record) == WON


def test_an_empty_winner_is_counted(cli: Cli, tmp_path: Path) -> None:
    row = {"prompt": "Why?", "completion_a": "good", "completion_b": "bad", "winner": None}
    (record,), report = imported(cli, write_jsonl(tmp_path / "a.jsonl", [row]))
    assert orders(record) == []
    assert report["lost"] == {"winner that is empty": 1}


@pytest.mark.parametrize("wrong", ["1", "=a", "1=", "1=z", "1=first"])
def test_winners_that_make_no_sense(cli: Cli, tmp_path: Path, wrong: str) -> None:
    ran = cli.run("import", write_jsonl(tmp_path / "a.jsonl", [SHP]), "--winner", wrong)
    assert ran.code == ExitCode.USAGE
    assert "--winner WORD=a" in ran.err


def test_winners_are_for_tables_and_said_once(cli: Cli, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [SHP])
    assert "takes no --winner" in cli.run("import", path, "--from", "pairs", "--winner", "1=a").err
    twice = ("--winner", "1=a", "--winner", "1=b")
    assert "given twice" in cli.run("import", path, *SHP_MAP, *twice).err


# -- tables: what was asked ----------------------------------------------------------------------

ARENA_MAP = ("--map", "response_a=completion_a", "--map", "response_b=completion_b")
ARENA_MAP = (*ARENA_MAP, "--map", "winner_model_a=rating_a", "--map", "winner_model_b=rating_b")


def arena(a: str, b: str, won: tuple[int, int], prompt: str = '["Why?"]') -> Row:
    row = {"model_a": "m", "model_b": "n", "prompt": prompt, "response_a": a, "response_b": b}
    return row | {"winner_model_a": won[0], "winner_model_b": won[1]}


@pytest.mark.parametrize("container", ["csv", "jsonl"])
def test_turns_in_lists_of_texts_are_read(cli: Cli, tmp_path: Path, container: str) -> None:
    """Chatbot Arena's 55k votes: lists as text, and one column for each outcome."""
    rows = [
        arena('["good"]', '["bad"]', (1, 0)),
        arena('["bad"]', '["good"]', (0, 1), '["Who?"]'),
        arena('["good"]', '["bad"]', (0, 0), '["What\\n\\ud83d\\ude42?"]'),
        arena('["Yes?", "good"]', '["Yes?", "bad"]', (1, 0), '["Hi", "Why?"]'),
    ]
    path = write_jsonl(tmp_path / "arena.jsonl", rows)
    if container == "csv":
        path = tmp_path / "arena.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    records, _ = imported(cli, path, *ARENA_MAP)
    assert {str(r["prompt"]): orders(r) for r in records} == {
        "Why?": WON,
        "Who?": WON,
        "What\n🙂?": [[["bad", "good"]]],
        str([user("Hi"), assistant("Yes?"), user("Why?")]): WON,
    }
    models = {(c["text"], c["model"]) for r in records for c in r["completions"]}
    assert models == {("good", "m"), ("bad", "n"), ("bad", "m"), ("good", "n")}


def test_turns_that_do_not_fit_the_prompt_are_refused(cli: Cli, tmp_path: Path) -> None:
    for a in ("[null]", '["x", "y"]'):
        path = write_jsonl(tmp_path / "a.jsonl", [arena(a, '["bad"]', (1, 0))])
        ran = cli.run("import", path, *ARENA_MAP)
        assert f"{path}:1: completion_a: must be 1 texts, one for each turn" in ran.err


def test_texts_that_begin_with_a_bracket_stay_texts(cli: Cli, tmp_path: Path) -> None:
    rows = [
        arena('["good"]', '["bad"]', (1, 0), "[sic] Why?"),
        arena("[good]", '["bad"]', (1, 0)),
    ]
    records, _ = imported(cli, write_jsonl(tmp_path / "a.jsonl", rows), *ARENA_MAP)
    assert sorted(str(r["prompt"]) for r in records) == ['["Why?"]', "[sic] Why?"]


def test_a_table_of_conversations_keeps_its_system_column(cli: Cli, tmp_path: Path) -> None:
    sides = {f"conversation_{s}": [user("Why?"), assistant(s)] for s in "ab"}
    maps = [x for s in "ab" for x in ("--map", f"conversation_{s}=completion_{s}")]
    row = {"system": "Be brief.", "prompt": "Why?", **sides, "winner": "model_a"}
    path = write_jsonl(tmp_path / "a.jsonl", [row, {**row, "prompt": "Who?"}])
    (record,), report = imported(cli, path, *maps)
    assert record["prompt"] == [system("Be brief."), user("Why?")]
    assert report["lost"] == {"field prompt": 1}


def test_ratings_off_any_scale_are_not_kept_by_halves(cli: Cli, tmp_path: Path) -> None:
    """WebGPT's scores: what is not kept of one side is not kept of the other."""
    row = {"question": {"full_text": "Why?"}, "answer_0": "good", "answer_1": "bad"}
    maps = ("--map", "question.full_text=prompt", "--map", "answer_0=completion_a")
    maps = (*maps, "--map", "answer_1=completion_b")
    scores = ("--map", "score_0=rating_a", "--map", "score_1=rating_b")
    path = write_jsonl(tmp_path / "a.jsonl", [{**row, "score_0": 1, "score_1": -1}])
    (record,), report = imported(cli, path, *maps, *scores)
    assert orders(record) == WON
    assert record["rankings"][0]["ratings"] == {}
    assert report["lost"] == {"rating as a number": 2}


# -- completions in a list -----------------------------------------------------------------------

LISTED = {"q": "Why?", "all": ["bad", "good", "fair"], "by": ["m", "n", None]}
LISTED_MAP = ("--map", "q=prompt", "--map", "all=completions", "--map", "by=models")


@pytest.mark.parametrize(
    ("column", "said", "tiers"),
    [
        ("ratings", [1.5, 4, 4], [["fair", "good"], ["bad"]]),
        ("ratings", [1, 5, None], [["good"], ["bad"]]),
        ("ranks", [3, 1, 2], [["good"], ["fair"], ["bad"]]),
    ],
)
def test_completions_in_a_list_are_placed(
    cli: Cli, tmp_path: Path, column: str, said: list[Any], tiers: list[list[str]]
) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{**LISTED, "said": said}])
    (record,), _ = imported(cli, path, *LISTED_MAP, "--map", f"said={column}")
    assert orders(record) == [tiers]
    assert {(c["text"], c["model"]) for c in record["completions"]} == {
        *(("bad", "m"), ("good", "n"), ("fair", None))
    }


@pytest.mark.parametrize("said", [[1, 2], [1, 2, 3, 4], 1, "1, 2, 3"])
def test_a_list_of_another_length_is_refused(cli: Cli, tmp_path: Path, said: object) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{**LISTED, "said": said}])
    ran = cli.run("import", path, *LISTED_MAP, "--map", "said=ratings")
    assert f"{path}:1: ratings: must be a list of 3, one for each completion" in ran.err


def test_rankings_exported_for_trl_come_back(cli: Cli, tmp_path: Path) -> None:
    source = record_of("Why?", 4, rankings=[ranking("ana", "c > a = b > d")])
    cli("import", write_jsonl(tmp_path / "a.jsonl", [source]))
    cli("export", "--format", "rankings", "--out", tmp_path / "out")
    other = Cli(tmp_path / "other.db")
    other("init")
    (back,), report = imported(other, tmp_path / "out" / "train.jsonl")
    assert report["format"] == "table"
    assert orders(back) == orders(cli("export", "--format", "records", "--out", "-").rows[0])


def test_lists_without_completions_are_told(cli: Cli, tmp_path: Path) -> None:
    row = {**VOTE, "winner": "a", "ratings": [1, 2]}
    _, report = imported(cli, write_jsonl(tmp_path / "a.jsonl", [row]))
    assert report["lost"] == {"column ratings": 1}


# -- what holds the rows -------------------------------------------------------------------------


def test_plain_prompts_in_a_table_or_a_list_are_taken(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "prompts.csv"
    path.write_text("prompt,source\nWhy?,web\n")
    (record,), report = imported(cli, path)
    assert (report["format"], record["prompt"], record["source"]) == ("table", "Why?", "web")
    path = tmp_path / "prompts.json"
    chat = [system("Be brief."), user("Who?")]
    path.write_text(json.dumps([{"prompt": chat, "prompt_id": "p1"}]))
    records, report = imported(cli, path)
    assert report["prompts"]["added"] == 1
    assert chat in [each["prompt"] for each in records]


def test_records_in_a_list_are_still_told_apart_from_a_table(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"prompt": "Who?", "completions": []}]')
    assert "these are labelkit's own records" in cli.run("import", path).err


@pytest.mark.parametrize("text", ["prompt,chosen,rejected\n", "[]", "[\n]\n"])
def test_a_file_without_rows_is_said_to_have_none(cli: Cli, tmp_path: Path, text: str) -> None:
    path = tmp_path / "a"
    path.write_text(text)
    ran = cli.run("import", path)
    assert (ran.code, "the file has no rows" in ran.err) == (ExitCode.ERROR, True)


def test_columns_without_a_name_are_counted_like_others(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",prompt,chosen,rejected,,\n0,Why?,good,bad,,\n")
    (record,), report = imported(cli, path)
    assert orders(record) == WON
    assert report["lost"] == {"field column 1": 1}


@pytest.mark.parametrize("mark", [";", "\t", "|", ","])
def test_a_table_out_of_excel_is_read(cli: Cli, tmp_path: Path, mark: str) -> None:
    """A byte order mark, a line for Excel, line breaks in a cell, cells in quotes."""
    rows = [["prompt", "chosen", "rejected"], [f"Why{mark} \r\nwhy?", "good", "bad"]]
    lines = [mark.join(f'"{cell}"' for cell in row) for row in rows]
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join([f"\ufeffsep={mark}", *lines, ""]).encode())
    (record,), _ = imported(cli, path)
    assert record["prompt"] == f"Why{mark} \r\nwhy?"
    assert orders(record) == WON
    path.write_bytes(path.read_bytes() + f"x{mark}y\r\n".encode())
    assert f"{path}:5: line: not a row of a table: 2 cells" in cli.run("import", path).err


@pytest.mark.parametrize(
    ("pack", "hint"),
    [
        (bz2.compress, "bzip2 -dc FILE | labelkit import -"),
        (lzma.compress, "xz -dc FILE | labelkit import -"),
        (lambda data: b"\x28\xb5\x2f\xfd" + bytes(9), "zstd -dc FILE | labelkit import -"),
        (lambda data: b"PK\x03\x04" + bytes(9), "unzip -p FILE | labelkit import -"),
    ],
)
def test_other_packings_are_named(
    cli: Cli, tmp_path: Path, pack: Callable[[bytes], bytes], hint: str
) -> None:
    path = tmp_path / "packed"
    path.write_bytes(pack(b'{"prompt": "Why?", "chosen": "good", "rejected": "bad"}\n' * 9))
    for options in ((), ("--from", "pairs")):
        ran = cli.run("import", path, *options)
        assert (ran.code, hint in ran.err) == (ExitCode.ERROR, True)


def test_a_gzip_stream_and_a_folder_are_told_what_to_do(cli: Cli, tmp_path: Path) -> None:
    zipped = gzip.compress(b'{"prompt": "Why?"}\n')
    assert "gzip -dc FILE | labelkit import -" in cli.run("import", "-", stdin=zipped).err
    assert "one file at a time" in cli.run("import", tmp_path).err
