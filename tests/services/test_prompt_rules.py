"""Rules that decide about many prompts: near-duplicates, caps, personal data, splits, tags."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from labelkit.domain.use_cases import PAPER
from labelkit.errors import Conflict
from labelkit.services import project, splitting
from labelkit.services.importing import import_file


def load(cli: Cli, tmp_path: Path, records: list[dict[str, Any]]) -> Cli:
    cli("import", write_jsonl(tmp_path / "in.jsonl", records))
    return cli


def used(cli: Cli) -> set[str]:
    return {p["prompt_id"] for p in cli("prompts", "list", "--used", "--json").json["prompts"]}


# -- near-duplicates -----------------------------------------------------------------------------

LONG = "Write a poem about the sea, the sky and a small boat that never came home to its harbour"


def test_of_near_duplicates_the_labelled_one_stays(cli: Cli, tmp_path: Path) -> None:
    said = [
        record(LONG),
        record(f"{LONG} again", rankings=[ranking("ana", "a > b > c > d")]),
        record(f"{LONG}, please"),
        record("Something else entirely"),
    ]
    load(cli, tmp_path, said)
    tried = cli("prompts", "dedupe", "--dry-run", "--json").json
    assert tried["duplicates"] == 2
    assert len(used(cli)) == 4
    found = cli("prompts", "dedupe", "--json").json
    assert found["groups"] == tried["groups"]
    assert used(cli) == {f"id of {LONG} again", "id of Something else entirely"}
    assert "nothing to be excluded" in cli("prompts", "dedupe").err
    shown = cli("prompts", "show", f"id of {LONG}").out
    assert f"of the words of id of {LONG} again" in shown
    cli("prompts", "undo", found["decision"]["run"])
    assert len(used(cli)) == 4


def test_a_kept_prompt_is_no_duplicate(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record(LONG), record(f"{LONG}!")])
    cli("prompts", "keep", f"id of {LONG}", f"id of {LONG}!")
    cli("prompts", "dedupe")
    assert len(used(cli)) == 2


def test_a_common_system_message_is_no_common_prefix(cli: Cli, tmp_path: Path) -> None:
    system = {"role": "system", "content": "You are a helpful assistant. " * 20}
    asked = [[system, {"role": "user", "content": q}] for q in ("Why?", "What is a boat for?")]
    said = [record("x") | {"prompt": q, "prompt_id": str(i)} for i, q in enumerate(asked)]
    load(cli, tmp_path, said)
    assert cli("prompts", "dedupe", "--json").json["duplicates"] == 0


@pytest.mark.parametrize("threshold", ["0.4", "1.1"])
def test_a_threshold_that_makes_no_sense(cli: Cli, threshold: str) -> None:
    assert cli.run("prompts", "dedupe", "--threshold", threshold).code == 2


# -- caps ----------------------------------------------------------------------------------------


def test_at_most_so_many_of_one_user(cli: Cli, tmp_path: Path) -> None:
    said = [record(f"q{i}", user="u1" if i < 5 else "u2", meta={"app": "x"}) for i in range(7)]
    load(cli, tmp_path, [*said, record("nobody's")])
    found = cli("prompts", "cap", "--most", 2, "--json").json
    assert found["groups"] == [{"value": "u1", "prompts": 5, "excluded": 3}]
    assert found["without_key"] == 1
    assert len(used(cli)) == 5
    assert "nothing to be excluded" in cli("prompts", "cap", "--most", 2).err
    by_app = cli("prompts", "cap", "--key", "meta.app", "--most", 1, "--json").json
    assert by_app["groups"] == [{"value": "x", "prompts": 4, "excluded": 3}]
    assert cli.run("prompts", "cap", "--key", "height").code == 2


def test_a_cap_of_another_seed_draws_others(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record(f"q{i}", user="u1") for i in range(40)])

    def drawn(seed: str) -> set[str]:
        run = cli("prompts", "cap", "--most", 20, "--seed", seed, "--json").json["decision"]["run"]
        left = used(cli)
        cli("prompts", "undo", run)
        return left

    assert drawn("a") == drawn("a") != drawn("b")


# -- personal data -------------------------------------------------------------------------------


@pytest.fixture
def personal(cli: Cli, tmp_path: Path) -> Cli:
    said = [
        record("Write to jo@web.de"),
        record("Call +49 171 2345678 or write to jo@web.de", split="test"),
        record("Ping 84.17.46.53 and 84.17.46.54"),
        record("No harm in this"),
    ]
    return load(cli, tmp_path, said)


def out(cli: Cli, tmp_path: Path, *more: object) -> Any:
    args = ("export", "--format", "prompts", "--out", tmp_path / "out", "--json", *more)
    return cli(*args)


def test_undecided_hints_stay_out_of_training_only(personal: Cli, tmp_path: Path) -> None:
    ran = out(personal, tmp_path)
    names = ["id of Ping 84.17.46.53 and 84.17.46.54", "id of Write to jo@web.de"]
    assert ran.json["undecided_pii"] == names
    assert ran.json["counts"]["undecided_pii"] == 2
    assert {f["split"]: f["rows"] for f in ran.json["files"]} == {"train": 1, "test": 1}
    assert f"2 prompts with undecided PII hints: {', '.join(names)}" in ran.err
    personal("verify", tmp_path / "out", "--against", personal.store)


def test_hints_may_be_allowed(personal: Cli, tmp_path: Path) -> None:
    ran = out(personal, tmp_path, "--allow-pii")
    assert ran.json["counts"]["prompts"] == 4
    assert ran.json["options"]["allow_pii"] is True
    personal("verify", tmp_path / "out", "--against", personal.store)


def test_hints_are_shown_masked_and_decided(personal: Cli, tmp_path: Path) -> None:
    shown = personal("prompts", "pii").out
    assert "j***@w***.de" in shown
    assert "jo@web.de\tundecided" not in shown
    assert "jo@web.de" in personal("prompts", "pii", "--unmasked").out.replace("id of", "")
    assert personal("prompts", "pii", "--kind", "ip", "--json").json["prompts"][0]["hints"] == [
        {"kind": "ip", "found": "***53"},
        {"kind": "ip", "found": "***54"},
    ]
    personal("prompts", "pii", "--decide", "keep", "--kind", "ip", "--all")
    personal("prompts", "pii", "--decide", "exclude", "id of Write to jo@web.de")
    left = personal("prompts", "pii", "--json").json["prompts"]
    assert [p["prompt_id"] for p in left] == ["id of Call +49 171 2345678 or write to jo@web.de"]
    counts = out(personal, tmp_path).json["counts"]
    assert (counts["prompts"], counts["excluded"], counts["undecided_pii"]) == (3, 1, 0)


def test_keep_by_kind_leaves_prompts_with_other_hints(personal: Cli) -> None:
    personal("prompts", "pii", "--decide", "keep", "--kind", "email", "--all")
    assert {
        p["prompt_id"].split()[2] for p in personal("prompts", "pii", "--json").json["prompts"]
    } == {
        "Call",
        "Ping",
    }
    personal("prompts", "pii", "--decide", "exclude", "--all")
    assert personal.run("prompts", "pii", "--decide", "exclude", "--all").code == 4


def test_a_prompt_kept_by_hand_passes(personal: Cli, tmp_path: Path) -> None:
    personal("prompts", "keep", "id of Write to jo@web.de")
    assert out(personal, tmp_path).json["counts"]["undecided_pii"] == 1


def test_nothing_left_says_why(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record("Write to jo@web.de")])
    ran = cli.run("export", "--format", "prompts", "--out", "-")
    assert (ran.code, "labelkit prompts pii" in ran.err) == (4, True)
    cli("prompts", "exclude", "id of Write to jo@web.de")
    assert "every prompt is excluded" in cli.run("export", "--format", "prompts", "--out", "-").err


@pytest.mark.parametrize(
    "more", [("maybe",), ("keep",), ("keep", "x", "--all"), ("keep", "--kind", "z")]
)
def test_decisions_that_make_no_sense(personal: Cli, more: tuple[str, ...]) -> None:
    assert personal.run("prompts", "pii", "--decide", *more).code == 2


# -- splits --------------------------------------------------------------------------------------

people = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([None, None, "train", "test"])), max_size=12
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("splits")


@settings(max_examples=25, phases=[Phase.generate])
@given(said=people, later=people)
def test_nobody_is_in_two_splits(folder: Path, said: Any, later: Any) -> None:
    path = folder / "labelkit.db"
    for old in folder.glob("labelkit.db*"):
        old.unlink()
    project.init(path, write_settings=False)
    cli = Cli(path)
    import_people(path, "first", said)
    try:
        splitting.split(path, "train=0.5,valid=0.3,test=0.2")
    except Conflict:
        splitting.split(path, "train=0.5,valid=0.3,test=0.2", move=True)
    assert straddlers(cli, folder) == {}
    import_people(path, "later", [(user, None) for user, _ in later])
    splitting.split(path, "train=0.5,valid=0.3,test=0.2")
    assert straddlers(cli, folder) == {}


def import_people(path: Path, name: str, said: Any) -> None:
    records = [record(f"{name} {i}", user=f"u{u}", split=s) for i, (u, s) in enumerate(said)]
    records.append(record(f"{name} of nobody"))
    import_file(path, str(write_jsonl(path.with_suffix(".jsonl"), records)))


def straddlers(cli: Cli, folder: Path) -> dict[str, set[str]]:
    where: dict[str, set[str]] = defaultdict(set)
    for prompt in cli("prompts", "list", "--json").json["prompts"]:
        where[prompt["user"] or prompt["uid"]].add(prompt["split"])
    assert all(None not in splits for splits in where.values())
    return {who: splits for who, splits in where.items() if len(splits) > 1}


def test_sizes_stand_as_in_the_papers_table(cli: Cli, tmp_path: Path) -> None:
    said = [
        record("q1", source="labeler", rankings=[ranking("ana", "a > b > c > d")]),
        record("q2", source="labeler", demonstrations=[{"text": "yes", "labeler": "ana"}]),
        record("q3", source="api", user="u1"),
    ]
    load(cli, tmp_path, said)
    before = cli("prompts", "split", "--json").json
    assert before["plan"] is None
    assert before["sizes"] == [
        {"split": "(none yet)", "source": "api", "users": 1, "sft": 0, "rm": 0, "ppo": 1},
        {"split": "(none yet)", "source": "labeler", "users": 0, "sft": 1, "rm": 1, "ppo": 2},
    ]
    tried = cli("prompts", "split", "train=1", "--dry-run", "--json").json
    done = cli("prompts", "split", "train=1", "--json").json
    assert tried["sizes"] == done["sizes"] == cli("prompts", "split", "--json").json["sizes"]
    assert {row["split"] for row in done["sizes"]} == {"train"}


def test_exports_follow_the_splits_and_the_plan(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record(f"q{i}", user=f"u{i}") for i in range(30)])
    run = cli("prompts", "split", "train=0.5,test=0.5", "--json").json["decision"]["run"]
    decided = {p["prompt_id"]: p["split"] for p in cli("prompts", "list", "--json").json["prompts"]}
    later = [record(f"later {i}", user=f"u{i}") for i in range(30)]
    cli("import", write_jsonl(tmp_path / "later.jsonl", later))
    cli("export", "--format", "prompts", "--out", tmp_path / "out")
    found = {}
    for split in ("train", "test"):
        for line in (tmp_path / "out" / f"{split}.jsonl").read_text().splitlines():
            found[json.loads(line)["prompt_id"]] = split
    assert {k: found[k] for k in decided} == decided
    assert all(found[f"id of later {i}"] == found[f"id of q{i}"] for i in range(30))
    cli("verify", tmp_path / "out", "--against", cli.store)
    cli("prompts", "undo", run)
    ran = cli("export", "--format", "prompts", "--out", tmp_path / "whole", "--json")
    assert {f["split"] for f in ran.json["files"]} == {"train"}


def test_who_is_in_two_splits_is_named(cli: Cli, tmp_path: Path) -> None:
    load(
        cli,
        tmp_path,
        [record("q1", user="u7", split="train"), record("q2", user="u7", split="test")],
    )
    ran = cli.run("prompts", "split", "train=0.9,test=0.1")
    assert (ran.code, "in two splits already: u7" in ran.err) == (1, True)
    cli("prompts", "split", "train=0.9,test=0.1", "--move")
    assert len({p["split"] for p in cli("prompts", "list", "--json").json["prompts"]}) == 1


# -- tags ----------------------------------------------------------------------------------------


def test_the_papers_distribution_stands_beside_ours(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record("q1", use_case="chat"), record("q2"), record("q3")])
    cli("prompts", "tag", "Open QA", "id of q2")
    rows = {r["use_case"]: r for r in cli("prompts", "tag", "--json").json["use_cases"]}
    assert list(rows)[:10] == list(PAPER)
    assert rows["open_qa"] == {"use_case": "open_qa", "prompts": 1, "share": 0.5, "paper": 0.124}
    assert rows[None]["prompts"] == 1
    assert abs(sum(PAPER.values()) - 1) < 0.002


def test_tags_hold_everywhere(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record("q1", use_case="chat"), record("q2", use_case="chat")])
    cli("prompts", "tag", "extract", "id of q2")
    assert cli("status", "--json").json["use_cases"] == {"chat": 1, "extract": 1}
    assert cli("assign", "--use-case", "extract", "--json").json["prompts"] == 1
    assert len(cli("prompts", "list", "--use-case", "chat", "--ids").out.split()) == 1


def test_tags_come_from_files(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record(f"q{i}") for i in range(4)])
    table = tmp_path / "tags.csv"
    table.write_text("prompt_id,use_case\nid of q0,chat\nid of q1,Summarisation\n")
    cli("prompts", "tag", "--file", table)
    lines = [{"prompt_id": "id of q2", "use_case": "other"}]
    cli("prompts", "tag", "--file", write_jsonl(tmp_path / "tags.jsonl", lines))
    assert cli("status", "--json").json["use_cases"] == {
        "": 1,
        "chat": 1,
        "other": 1,
        "summarization": 1,
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prompt_id,use_case\nid of q0,chat\nnobody,chat\n", "tags.csv:3: prompt_id: there is no"),
        ("prompt_id,use_case\nid of q0,chitchat\n", "tags.csv:2: use_case: there is no use case"),
        ("prompt_id,use_case\nid of q0,\n", "tags.csv:2: use_case: is missing"),
        ("prompt_id,tag\nid of q0,chat\n", "tags.csv:1: use_case: there is no such column"),
        (
            "prompt_id,use_case\nid of q0,chat\nid of q0,other\n",
            "tags.csv:3: prompt_id: 'id of q0'",
        ),
    ],
)
def test_bad_rows_are_named_and_nothing_is_tagged(
    cli: Cli, tmp_path: Path, text: str, told: str
) -> None:
    load(cli, tmp_path, [record("q0")])
    (tmp_path / "tags.csv").write_text(text)
    ran = cli.run("prompts", "tag", "--file", tmp_path / "tags.csv")
    assert ran.code == 1
    assert told in ran.err
    assert cli("status", "--json").json["use_cases"] == {"": 1}


def test_new_use_cases_are_made_on_purpose(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record("q0")])
    assert cli.run("prompts", "tag", "poetry", "id of q0").code == 2
    cli("prompts", "tag", "poetry", "id of q0", "--new")
    assert cli("status", "--json").json["use_cases"] == {"poetry": 1}


# -- looking -------------------------------------------------------------------------------------


def test_lists_are_searched(cli: Cli, tmp_path: Path) -> None:
    said = [
        record("a short one", user="u1", source="api", language="en"),
        record("a long one " * 400, user="u2", language="de") | {"prompt_id": "long"},
    ]
    load(cli, tmp_path, said)

    def found(*args: object) -> list[str]:
        return [p["user"] for p in cli("prompts", "list", "--json", *args).json["prompts"]]

    assert found("--longer-than", 1000) == ["u2"]
    assert found("--text", "SHORT") == ["u1"]
    assert found("--source", "api") == found("--language", "en") == found("--user", "u1") == ["u1"]
    assert found("--pii") == found("--split", "test") == []
    assert len(found("--limit", 1)) == 1
    assert cli("prompts", "list").out.splitlines()[0].startswith("prompt\tuser\tsource")


def test_hostile_prompts_are_shown_inert(cli: Cli, tmp_path: Path) -> None:
    load(cli, tmp_path, [record("\x1b]52;c;aGk=\x07 [bold]x") | {"prompt_id": "hostile"}])
    for ran in (cli("prompts", "list"), cli("prompts", "show", "hostile")):
        assert "\x1b" not in ran.out
        assert "\x07" not in ran.out
