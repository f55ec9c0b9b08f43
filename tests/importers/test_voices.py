"""Judgements that name nobody: they are not one person's."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from pathlib import Path

from helpers import Cli, write_jsonl
from published import VOTE, imported

from labelkit.errors import ExitCode
from labelkit.services.import_voices import Voices


def majority(cli: Cli) -> list[tuple[str, str]]:
    rows = cli("export", "--format", "rm", "--variant", "standard", "--out", "-").rows
    return [(row["chosen"], row["rejected"]) for row in rows]


def test_nameless_votes_on_one_pair_count_one_by_one(cli: Cli, tmp_path: Path) -> None:
    """As one labeler's, the first of them would decide against the other two."""
    rows = [{**VOTE, "winner": said} for said in "baa"]
    path = write_jsonl(
        tmp_path / "votes.jsonl", [rows[0], {**rows[1], "prompt": "Who?"}, *rows[1:]]
    )
    (_, record), report = imported(cli, path)
    voices = {each["labeler"] for each in record["rankings"]}
    assert voices == {"table", "table-2", "table-3"}
    assert ("good", "bad") in majority(cli)
    assert ("bad", "good") not in majority(cli)
    again = cli("import", path)
    assert "2 judged what was judged before, and name nobody" in again.err
    assert "rankings: 4 known" in again.err
    assert report["rankings"]["added"] == 4


def test_rows_that_contradict_each_other_make_no_pair(cli: Cli, tmp_path: Path) -> None:
    rows = [{"prompt": "Why?", "chosen": c, "rejected": r} for c, r in (("x", "y"), ("y", "x"))]
    cli("import", write_jsonl(tmp_path / "a.jsonl", rows))
    assert cli.run("export", "--format", "rm", "--out", "-").code == ExitCode.NOTHING_TO_DO


def test_who_is_named_has_one_vote(cli: Cli, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{**VOTE, "winner": said} for said in "ab"])
    (record,), _ = imported(cli, path, "--labeler", "ana")
    assert {each["labeler"] for each in record["rankings"]} == {"ana"}
    assert len(majority(cli)) == 1
    named = [{**VOTE, "prompt": "Who?", "winner": said, "labeler": "ben"} for said in "ab"]
    (who, _), _ = imported(cli, write_jsonl(tmp_path / "b.jsonl", named))
    assert {each["labeler"] for each in who["rankings"]} == {"ben"}


def test_every_set_of_completions_has_its_first_voice() -> None:
    """Far more of them than the table begins with, each twice."""
    voices = Voices()
    for suffix in ("", "-2"):
        for i in range(3000):
            completions = [{"id": "a", "text": "good"}, {"id": "b", "text": f"bad {i}"}]
            record = {"prompt": f"Why {i % 7}?", "completions": completions}
            assert voices.name("n", record, {"tiers": [["a"], ["b"]]}) == f"n{suffix}"
    assert voices.repeats == 3000


def test_no_voice_judges_a_pair_twice() -> None:
    """Also where the rankings of a prompt are of different completions."""
    voices, record = Voices(), {"prompt": "Why?", "completions": []}
    heard: Counter[tuple[str, str, str]] = Counter()
    said = random.Random(1)
    for _ in range(60):
        names = said.sample("abcdef", said.randint(2, 4))
        voice = voices.name("n", record, {"tiers": [[name] for name in names]})
        heard.update((voice, *pair) for pair in combinations(sorted(names), 2))
    assert set(heard.values()) == {1}


def test_a_judge_that_was_added_as_a_model_stays_one(cli: Cli, tmp_path: Path) -> None:
    """Binarized sets do not say that a model chose."""
    cli("labelers", "add", "gpt-4", "--kind", "model")
    row = {"prompt": "Why?", "chosen": "good", "rejected": "bad"}
    cli("import", write_jsonl(tmp_path / "a.jsonl", [row]), "--labeler", "gpt-4")
    assert cli.run("export", "--format", "rm", "--out", "-").code == ExitCode.NOTHING_TO_DO
    assert len(cli("export", "--format", "rm", "--labelers", "model", "--out", "-").rows) == 1
