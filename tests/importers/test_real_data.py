"""Five published data sets, where they are at hand: all is taken, and trainers may read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import REPO, Cli

DATA = REPO.parent / "shared" / "data"


@dataclass(frozen=True)
class Published:
    """A data set: how it is read, what comes of it, and what it holds for each stage."""

    path: str
    format: str
    prompts: int
    rankings: int
    stages: tuple[str, ...] = ("rm", "dpo", "kto", "sft")
    demonstrations: int = 0
    options: tuple[str, ...] = ()
    rejected: int = 0
    why: str = ""


LLMFAO = (
    *("--items", "llmfao/pairs-crowd.jsonl", "--map", "text=prompt", "--map", "slug=prompt_id"),
    *("--map", "result_x=completion_a", "--map", "result_y=completion_b"),
    *("--map", "left=model_a", "--map", "right=model_b", "--map", "worker=labeler"),
)
SETS = [
    Published("fine-grained-rlhf.jsonl", "records", 500, 478, demonstrations=487),
    Published("open-assistant/en_100_tree.jsonl", "open-assistant", 480, 212),
    # 191 times a labeler says of the same two texts, by other models, what they said before.
    Published("llmfao/crowd-comparisons.csv", "table", 13, 8740, options=LLMFAO),
    Published(
        "hh-rlhf/harmless-base-test.jsonl.gz",
        "pairs",
        2305,
        2307,
        rejected=5,
        why="rejected: chosen and rejected part before the last answer",
    ),
    Published("self-instruct/seed_tasks.jsonl", "self-instruct", 175, 0, ("sft",), 175),
]


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the published data sets are not at hand")
@pytest.mark.parametrize("said", SETS, ids=lambda s: s.path)
def test_a_published_set_comes_in_and_goes_out(cli: Cli, tmp_path: Path, said: Published) -> None:
    options = [str(DATA / o) if o.startswith("llmfao/") else o for o in said.options]
    ran = cli("import", DATA / said.path, *options, "--max-bad", said.rejected, "--json")
    report = ran.json
    assert (report["format"], report["rejected"]) == (said.format, said.rejected)
    assert ran.err.count(said.why) >= said.rejected
    found = {kind: report[kind]["added"] for kind in ("prompts", "rankings", "demonstrations")}
    wanted = {"prompts": said.prompts, "rankings": said.rankings}
    assert found == {**wanted, "demonstrations": said.demonstrations}
    again = cli("import", DATA / said.path, *options, "--max-bad", said.rejected, "--json").json
    assert again["rankings"]["added"] == again["prompts"]["added"] == 0
    for stage in said.stages:
        folder = tmp_path / stage
        more = ("--from", "both") if stage == "sft" else ()
        cli("export", "--format", stage, "--for", "trl", *more, "--out", folder)
        cli("verify", folder, "--against", cli.store)
