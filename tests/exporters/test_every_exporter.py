"""One suite for every exporter, variant and stage found in the folder, golden bytes included."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from helpers import Cli, ranking, record, write_jsonl

from labelkit import plugins
from labelkit.domain.asked import Carries
from labelkit.domain.columns import row_mismatch
from labelkit.domain.pairs import fold
from labelkit.domain.template_tokens import has_template_tokens
from labelkit.plugins import Exporter, Stage
from labelkit.services.export_options import STAGES

GOLDEN = Path(__file__).parent / "golden"


class Case:
    """One way to write one stage."""

    def __init__(self, name: str, variant: str | None, stage: str, how: Stage) -> None:
        self.name, self.variant, self.stage, self.how = name, variant, stage, how
        self.id = ".".join(filter(None, (name, variant, stage)))

    def args(self, *more: object) -> list[object]:
        variant = ("--variant", self.variant) if self.variant else ()
        return ["export", "--format", self.stage, "--for", self.name, *variant, *more]

    def lines(self, cli: Cli, *more: object) -> bytes:
        return cli(*self.args("--out", "-", *more)).out_bytes

    def rows(self, cli: Cli, *more: object) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines(cli, *more).splitlines()]


def found() -> Iterator[Case]:
    for name in plugins.exporters.names():
        exporter: Exporter = plugins.exporters.get(name)
        for variant, stages in ((None, exporter.stages), *exporter.variants.items()):
            for stage, how in stages.items():
                yield Case(name, variant, stage, how)


CASES = list(found())
SHAPED = [case for case in CASES if case.how.columns]
CHOOSY = [  # no flattening helps a prompt that holds a marker
    case
    for case in CASES
    if replace(case.how.carries, markers=()) not in (Carries(), Carries(alternating=True))
]
PAIRS = [case for case in CASES if case.stage in ("rm", "dpo")]


def every(cases: list[Case]) -> pytest.MarkDecorator:
    assert cases, "an empty list of cases would test nothing"
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.id)


AWKWARD = 'Grüße,\n"quoted" \\ 日本 \u2028 👩\u200d👧 <b>[x]</b>\t.'


def corpus() -> list[dict[str, Any]]:
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
            {"text": "Sure.<|im_end|>", "labeler": "ben"},
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
            {"id": "v", "text": "Fine, and.</s>"},
        ],
        "demonstrations": [{"text": "Tell me more.", "labeler": "chloe"}],
        "rankings": [
            ranking("chloe", "w > v > x > y", unranked=["z"], shown=["z", "y", "x", "w", "v"])
        ],
    }
    asked = {"prompt_id": "only", "prompt": "Only asked.", "split": "test", "language": "en"}
    shots = [("dog", "chien"), ("cat", "chat"), ("cow", "vache")]
    few = {
        "prompt_id": "few",
        "kind": "few_shot",
        "prompt": [
            {"role": role, "content": text}
            for shot in shots
            for role, text in zip(("user", "assistant"), shot, strict=True)
        ],
    }
    marked = {
        "prompt_id": "marked",
        "prompt": "Go on:\n\nHuman: hello\n\nAssistant: hi",
        "completions": [{"id": "1", "text": "One."}, {"id": "2", "text": "Two."}],
        "rankings": [ranking("ana", "1 > 2")],
    }
    broken = {
        "prompt_id": "broken",
        "prompt": "Say <|endoftext|>",
        "demonstrations": [{"text": "No.", "labeler": "ana"}],
    }
    return [full, talk, asked, few, marked, broken]


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    cli("import", write_jsonl(tmp_path / "corpus.jsonl", corpus()))
    return cli


def test_there_are_exporters() -> None:
    names = {case.id for case in CASES}
    assert {"trl.rm", "labelkit.records", "llamafactory.alpaca.kto"} <= names
    assert {case.stage for case in CASES} == set(STAGES)


@every(CASES)
def test_golden_bytes(filled: Cli, golden: Callable[[Path, bytes], None], case: Case) -> None:
    golden(GOLDEN / f"{case.id}.jsonl", case.lines(filled))


@every(CHOOSY)
def test_golden_bytes_of_what_was_flattened(
    filled: Cli, golden: Callable[[Path, bytes], None], case: Case
) -> None:
    flat = case.lines(filled, "--misfits", "flatten")
    assert len(flat.splitlines()) >= len(case.rows(filled))
    golden(GOLDEN / f"{case.id}.flat.jsonl", flat)


def test_no_golden_file_is_left_behind() -> None:
    known = {f"{case.id}.jsonl" for case in CASES} | {f"{case.id}.flat.jsonl" for case in CHOOSY}
    assert {path.name for path in GOLDEN.iterdir()} == known


@every(SHAPED)
def test_rows_are_as_declared_without_nulls(filled: Cli, case: Case, tmp_path: Path) -> None:
    filled(*case.args("--out", tmp_path / "out", "--container", *container(case)))
    columns = json.loads((tmp_path / "out" / "manifest.json").read_text())["columns"]
    rows = case.rows(filled)
    assert rows
    assert [row_mismatch(row, columns) for row in rows] == [None] * len(rows)
    assert list(columns)[: len(case.how.columns)] == list(case.how.columns)


def container(case: Case) -> list[str]:
    return ["parquet"] if case.how.container == "parquet" else ["jsonl"]


@every(CASES)
def test_the_same_bytes_whatever_the_order_of_arrival(
    filled: Cli, tmp_path: Path, case: Case
) -> None:
    from labelkit.services import project

    other = Cli(tmp_path / "other.db")
    project.init(other.store, write_settings=False)
    for i, item in enumerate(reversed(corpus())):
        other("import", write_jsonl(tmp_path / f"{i}.jsonl", [item]))
    assert case.lines(other) == case.lines(filled)


# -- what a trainer makes of the rows ------------------------------------------------------------


def majority() -> set[tuple[str, str]]:
    """Every (chosen, rejected) text that the corpus holds, worked out the long way."""
    result = set()
    for item in corpus():
        texts = {c["id"]: fold(c["text"]) for c in item.get("completions", ())}
        votes: Counter[tuple[str, str]] = Counter()
        heard = set()
        for said in item.get("rankings", ()):
            if said.get("labeler_kind") == "model":
                continue
            place = {name: i for i, tier in enumerate(said["tiers"]) for name in tier}
            best = {texts[name]: i for name, i in sorted(place.items(), key=lambda x: -x[1])}
            for a in best:
                for b in best:
                    if best[a] < best[b] and (said["labeler"], frozenset((a, b))) not in heard:
                        votes[a, b] += 1
            heard |= {(said["labeler"], frozenset((a, b))) for a in best for b in best}
        result |= {(a, b) for (a, b), n in votes.items() if n > votes[b, a]}
    return {pair for pair in result if all(text and not has_template_tokens(text) for text in pair)}


def test_the_oracle_knows_something() -> None:
    assert ("Fine.", fold(AWKWARD)) in majority()
    assert len(majority()) == 7


@every(PAIRS)
def test_what_a_trainer_reads_is_what_labelers_chose(filled: Cli, case: Case) -> None:
    seen = [case.how.read(row) for row in case.rows(filled, "--misfits", "flatten")]
    read = {(fold(s.answers[0]), fold(s.answers[1])) for s in seen}
    assert len(read) == len(seen)
    refused = {("One.", "Two.")} if case.how.carries.markers else set()
    assert read == majority() - refused
    assert all(s.ranks == (1, 2) for s in seen)


@every([case for case in CASES if case.stage == "sft"])
def test_sft_rows_are_demonstrations_and_few_shot_examples(filled: Cli, case: Case) -> None:
    seen = [case.how.read(row) for row in case.rows(filled, "--misfits", "flatten")]
    assert sorted(s.answers for s in seen) == [
        ("Ideal.",),
        ("Tell me more.",),
        ("chat",),
        ("chien",),
        ("vache",),
    ]
    assert len({s.prompt for s in seen}) == 5


@every([case for case in CASES if case.stage == "kto"])
def test_kto_rows_are_the_best_and_the_worst_tier(filled: Cli, case: Case) -> None:
    seen = [case.how.read(row) for row in case.rows(filled, "--misfits", "flatten")]
    answer = "answer {} to Why is the sky blue?"
    assert {(fold(s.answers[0]), s.label) for s in seen} == {
        (answer.format("c"), True),
        (answer.format("d"), False),
        ("Fine.", True),
        (fold(AWKWARD), False),
        ("One.", True),
        ("Two.", False),
    }
    assert all(a.prompt != b.prompt for a, b in pairwise(seen))


@every([case for case in CASES if case.stage == "rankings"])
def test_rankings_keep_their_order(filled: Cli, case: Case) -> None:
    seen = [case.how.read(row) for row in case.rows(filled, "--misfits", "flatten")]
    assert seen
    for ranked in seen:
        assert len(ranked.answers) == len(ranked.ranks) > 1
        assert list(ranked.ranks) == sorted(ranked.ranks)
        assert ranked.ranks[0] == 1
    assert any(s.answers[0] == "Fine." for s in seen)


@every([case for case in CASES if case.stage == "prompts"])
def test_prompts_all_ask_something(filled: Cli, case: Case) -> None:
    """The few-shot prompt that ends in an answer and the one with a template token stay out."""
    seen = [case.how.read(row) for row in case.rows(filled, "--misfits", "flatten")]
    assert len({s.prompt for s in seen}) == len(seen) == 4
    assert not any("vache" in s.prompt or "<|endoftext|>" in s.prompt for s in seen)


@every(SHAPED)
def test_template_tokens_and_blanks_never_leave(filled: Cli, case: Case) -> None:
    for row in case.rows(filled):
        assert not has_template_tokens(json.dumps(row, ensure_ascii=False))
        assert all(text.strip() for text in case.how.read(row).answers)


@every(CASES)
def test_verify_and_why_understand_every_row(filled: Cli, case: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    filled(*case.args("--out", out, "--misfits", "flatten"))
    report = filled("verify", out, "--against", filled.store, "--json").json
    assert report["ok"]
    assert report["rows"] == len(case.rows(filled, "--misfits", "flatten"))
    for number in range(1, report["rows"] + 1):
        traced = filled("why", f"{out}#{number}", "--json").json
        assert traced["labels"] or case.stage in ("prompts", "records", "sft")


# -- containers and columns ----------------------------------------------------------------------


@every([case for case in SHAPED if not case.how.files])
def test_every_container_holds_the_same_rows(filled: Cli, case: Case, tmp_path: Path) -> None:
    import pyarrow.parquet

    rows = {}
    for kind in ("jsonl", "jsonl.gz", "parquet"):
        out = tmp_path / kind
        filled(*case.args("--out", out, "--container", kind))
        rows[kind] = {}
        for path in out.glob(f"*.{kind}"):
            split = path.name.removesuffix(f".{kind}")
            if kind == "parquet":
                rows[kind][split] = pyarrow.parquet.read_table(path).to_pylist()
                continue
            data = gzip.decompress(path.read_bytes()) if kind.endswith("gz") else path.read_bytes()
            rows[kind][split] = [json.loads(line) for line in data.splitlines()]
    assert rows["jsonl"]
    assert rows["jsonl"] == rows["jsonl.gz"] == rows["parquet"]


@every(PAIRS)
def test_by_group_adds_what_a_listwise_loss_needs_or_refuses(filled: Cli, case: Case) -> None:
    ran = filled.run(*case.args("--out", "-", "--by-group", "--misfits", "flatten"))
    if not case.how.extras:
        assert ran.code == 2
        assert "may hold no further columns" in ran.err
        return
    assert ran.code == 0
    groups: dict[str, list[Any]] = {}
    for row in ran.rows:
        groups.setdefault(row["ranking_id"], []).append(row)
    assert len(groups) == 3
    for rows in groups.values():
        k = rows[0]["k"]
        assert {(r["k"], r["n_pairs"]) for r in rows} == {(k, len(rows))}
        assert {r["weight"] for r in rows} == {round(1 / (k * (k - 1) / 2), 9)}
    assert len({row["pair_id"] for row in ran.rows}) == len(ran.rows)


@every(PAIRS)
def test_a_margin_is_written_only_for_a_trainer_that_reads_it(filled: Cli, case: Case) -> None:
    ran = filled.run(*case.args("--out", "-", "--margin", "rank"))
    if case.how.margin:
        assert all(0 < row["margin"] <= 1 for row in ran.rows)
    else:
        assert (ran.code, ran.out) == (2, "")
        assert "reads no margin" in ran.err


@every(CASES)
def test_every_stage_says_how_to_use_it(case: Case) -> None:
    assert plugins.exporters.get(case.name).title
    assert case.how.usage or case.variant
