"""`labelkit report`: one page that is whole, inert and the same every time."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from helpers import REPO, Cli, ranking, record, write_jsonl

from labelkit.cli._report import draw
from labelkit.plugins import Measured
from labelkit.report.content import Dots, Heat
from labelkit.report.page import GROUPS
from labelkit.services import report as service

SAMPLE = REPO / "sample_data" / "prompts.jsonl"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=http://evil.example/x onerror=alert(1)>',
    "</style></svg><b onclick='x'>",
    "&lt;b&gt; ]]> <!-- -->",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "[bold]markup[/bold]",
)
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "h1", "h2", "h3", "p", "dl",
    "div", "dt", "dd", "b", "section", "details", "summary", "table", "thead", "tbody", "tr", "th",
    "td", "svg", "g", "path", "line", "rect", "text",
}  # fmt: skip


class Reader(HTMLParser):
    """What a browser would see: tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def page_of(cli: Cli, tmp_path: Path, *args: str) -> str:
    cli("report", "--out", tmp_path / "report.html", *args)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def filled(cli: Cli) -> Cli:
    cli("import", SAMPLE)
    return cli


@pytest.fixture
def hostile(cli: Cli, tmp_path: Path) -> Cli:
    """A store in which everything that can be named has a name that means harm."""
    said = []
    for i in range(30):
        one = record(f"q{i}", k=4, source=HOSTILE[i % 7], use_case=HOSTILE[(i + 1) % 7])
        one["user"] = HOSTILE[(i + 2) % 7]
        for completion, name in zip(one["completions"], HOSTILE[i % 4 :], strict=False):
            completion["model"] = name
        one["rankings"] = [
            ranking(
                HOSTILE[(i + j) % 7],
                "a > b > c > d" if (i + j) % 3 else "d > c > b = a",
                shown=["a", "b", "c", "d"],
                flags={"a": ["hallucination"]},
                seconds=60,
                submitted_at=f"2026-{1 + i % 9:02d}-10T10:00:00Z",
            )
            for j in range(3)
        ]
        one["skips"] = [{"labeler": HOSTILE[0], "reason": "unclear", "task": "rank"}]
        said.append(one)
    cli("import", write_jsonl(tmp_path / "hostile.jsonl", said))
    return cli


def test_the_page_is_small_whole_and_the_same_every_time(filled: Cli, tmp_path: Path) -> None:
    first = page_of(filled, tmp_path)
    assert page_of(filled, tmp_path) == first
    assert len(first.encode()) < 400_000
    assert first.startswith("<!doctype html>")
    seen = Reader(first)
    for wanted in ("Pairwise agreement, rule drop", "Nobody stands out.", "Who agrees with whom",
                   "Agreement by week", "Win rates", "Tasks done per week", "Flags per model",
                   "Active time per ranking", "Position effect", "Length effect", "Skipped tasks",
                   "Sizes of the splits", "Texts per source"):  # fmt: skip
        assert wanted in seen.texts, wanted
    assert first.count("<svg") == 8
    assert not list(tmp_path.glob(".*.part"))


def assert_inert(page: str) -> None:
    seen = Reader(page)
    assert seen.tags <= TAGS
    names = {name for name, _ in seen.attributes}
    assert not [name for name in names if name.startswith("on")]
    assert not names & {"href", "src", "style", "action", "xlink:href", "srcset"}
    assert not re.search(r"url\(|@import|expression\(", page)
    policy = next(v for _, v in seen.attributes if v.startswith("default-src"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert page.count("<style>") == 1


def test_nothing_on_it_runs_or_reaches_out(filled: Cli, tmp_path: Path) -> None:
    page = page_of(filled, tmp_path)
    assert_inert(page)
    assert "://" not in page


def test_hostile_names_are_text(hostile: Cli, tmp_path: Path) -> None:
    page = page_of(hostile, tmp_path)
    assert_inert(page)
    seen = Reader(page)
    text = "\n".join(seen.texts)
    for name in (HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[4]):
        assert name in text
    assert "49" not in seen.texts


def test_names_are_no_markup_in_a_terminal(hostile: Cli) -> None:
    assert "[bold]markup[/bold]" in hostile("report", "--terminal").out


def test_control_characters_are_made_visible(
    filled: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever came in before records were checked for them."""
    evil = "\x1b[31mred\x1b]0;title\x07\u202etxt\ud800\x00"
    content = service.report(filled.store)
    evils = [
        replace(s, title=evil, note=evil, rows=[(evil,) * len(s.header)], nothing=evil)
        for s in content.sections
    ]
    marks = {evil: Measured(value=0.5, low=0.4, high=0.6, n=3)}
    evils[0] = replace(evils[0], picture=Dots("agreement", marks))
    evils[1] = replace(evils[1], picture=Heat([evil, "b"], {(evil, "b"): 0.5}))
    made = replace(content, title=evil, sentence=evil, about=evil, sections=evils)
    page = service.html(made).decode()
    assert_inert(page)
    draw(replace(made, sections=evils[:2]))
    for shown in (page, capsys.readouterr().out):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", shown)
        assert "␛[31mred" in shown


def test_the_style_is_the_one_the_policy_allows(filled: Cli, tmp_path: Path) -> None:
    from base64 import b64encode
    from hashlib import sha256

    page = page_of(filled, tmp_path)
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert b64encode(sha256(style.encode()).digest()).decode() in page.partition("<style>")[0]
    for wanted in ("prefers-color-scheme: dark", "@media print"):
        assert wanted in style


def test_numbers_are_those_of_the_other_commands(filled: Cli) -> None:
    found = filled("report", "--json").json
    agreement = filled("agreement", "--json").json
    headline = {f["title"]: f for f in found["headline"]}
    drop = headline["Pairwise agreement, rule drop"]
    assert [drop[k] for k in ("rate", "low", "high", "n")] == [
        agreement["pairwise"]["drop"][k] for k in ("rate", "low", "high", "n")
    ]
    alpha = headline["Krippendorff's alpha, ordinal, on pairs"]
    assert alpha["value"] == agreement["krippendorff_alpha"]["pairs"]["ordinal"]["value"]
    assert all(f["rule"] for f in found["headline"])
    board = filled("leaderboard", "--json").json
    models = found["sections"]["models"]["values"]
    assert list(models) == [m["model"] for m in board["models"]]
    assert [m["value"] for m in models.values()] == [
        m["win_rate"]["value"] for m in board["models"]
    ]
    assert found["sentence"] == filled("quality", "--json").json["sentence"]
    weeks = filled("agreement", "--by", "week", "--json").json["groups"]
    assert {w: m["rate"] for w, m in found["sections"]["weeks"]["values"].items()} == {
        w: g["pairwise"]["drop"]["rate"] for w, g in weeks.items()
    }
    counts = filled("status", "--json").json
    for name in ("prompts", "completions", "demonstrations", "rankings"):
        assert found["counts"][name] == counts[name]


def test_the_terminal_shows_the_same(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = filled("report", "--terminal").out
    found = filled("report", "--json").json
    assert {s["title"] for s in found["sections"].values()} <= {
        line.strip() for line in shown.splitlines()
    }
    for fact in found["headline"]:
        assert fact["title"] in shown
    assert "●" in shown
    assert "ana" in shown


@pytest.fixture
def effects(cli: Cli, tmp_path: Path) -> Any:
    """Ana always prefers the first shown and the longer one; ben never does."""
    said = []
    for i in range(12):
        one = record(f"q{i}", k=2, source="web" if i % 2 else None, user=f"u{i % 3}")
        one["completions"][0]["text"] = f"{i} " + "a" * 98
        one["completions"][1]["text"] = f"{i} " + "b" * 998
        flags = {"a": ["hallucination"]}
        one["rankings"] = [
            ranking("ana", "b > a", shown=["b", "a"], seconds=10 * (i + 1), flags=flags,
                    submitted_at="2026-11-02T10:00:00Z", guideline="house@1"),
            ranking("ben", "a = b", shown=["a", "b"], submitted_at="2026-11-10T10:00:00Z"),
        ]  # fmt: skip
        if i < 5:
            one["demonstrations"] = [{"text": "x" * 40, "labeler": "ana"}]
            one["skips"] = [{"labeler": "ben", "reason": "unclear", "task": "rank"}]
        if i == 0:
            one["split"] = "test"
        said.append(one)
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    return cli("report", "--json").json["sections"]


def test_effects_are_counted(effects: Any) -> None:
    positions = effects["positions"]["values"]
    assert (positions["A"]["value"], positions["A"]["n"]) == (pytest.approx(1.5), 24)
    assert positions["B"]["value"] == pytest.approx(0.5)
    lengths = effects["lengths"]["values"]
    assert {name: (m["value"], m["n"]) for name, m in lengths.items() if m["n"]} == {
        "over 4 x": (1.0, 12)
    }
    assert effects["seconds"]["values"]["ana"] == pytest.approx([21, 37.5, 65, 92.5, 109])
    assert effects["flags"]["values"] == {"m-a": {"hallucination": {"value": 1.0, "n": 12}}}
    assert effects["skips"]["rows"] == [["unclear", "5", "ben 5"]]
    assert effects["work"]["values"]["2026-W45"] == {"rankings": 12, "demonstrations": 0}


def test_sizes_are_counted(effects: Any) -> None:
    assert effects["sizes"]["rows"] == [
        ["test", "(not said)", "1", "1", "1", "1", "2", "1", "1.00"],
        ["train", "(not said)", "5", "2", "2", "5", "10", "3", "1.67"],
        ["train", "web", "6", "2", "2", "6", "12", "3", "2.00"],
        ["all", "all", "12", "5", "5", "12", "24", "3", "4.00"],
    ]
    assert ["demonstrations", "web", "2", "10", "10", "10", "10", "10"] in effects["sources"][
        "rows"
    ]
    assert effects["use_cases"]["rows"] == [["(not said)", "100.0 %", "12", "5", "24"]]


def test_splits_are_those_of_an_export(filled: Cli, tmp_path: Path) -> None:
    plan = ("--split", "train=0.7,valid=0.3")
    rows = filled("report", "--json", *plan).json["sections"]["sizes"]["rows"]
    counted = {split: sum(int(r[6]) for r in rows if r[0] == split) for split in ("train", "valid")}
    filled("export", "--format", "records", "--out", tmp_path / "out", *plan)
    for split, n in counted.items():
        text = (tmp_path / "out" / f"{split}.jsonl").read_text()
        assert n == text.count('"tiers"') > 0


def test_selections(filled: Cli) -> None:
    some = filled("report", "--json", "--since", "2026-10-20").json
    every = filled("report", "--json").json
    assert 0 < some["counts"]["rankings"] < every["counts"]["rankings"]
    assert "from 2026-10-20" in some["about"]
    models = filled("report", "--json", "--labelers", "model").json
    assert models["counts"]["rankings"] == 0
    assert "labels by models" in models["about"]


def test_stdout_takes_the_page(filled: Cli, tmp_path: Path) -> None:
    assert filled("report", "--out", "-").out_bytes.decode() == page_of(filled, tmp_path)


def test_refusals(filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filled.run("report").code == 2
    ran = filled.run("report", "--out", tmp_path / "no" / "report.html")
    assert (ran.code, "cannot be written" in ran.err) == (1, True)
    for name in ("altair", "vl_convert", "jinja2"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            ran = filled.run("report", "--out", tmp_path / "report.html")
            assert (ran.code, name in ran.err) == (1, True)
            assert "pip install 'labelkit-rlhf[report]'" in ran.err
            assert not (tmp_path / "report.html").exists()


def test_many_names_stay_small(cli: Cli, tmp_path: Path) -> None:
    """70 labelers with long names and 70 models: charts show some, tables say how many are left."""
    said = []
    for i in range(70):
        one = record(f"q{i}", k=4)
        for j, completion in enumerate(one["completions"]):
            completion["model"] = f"model-{(i + j) % 70}-" + "m" * 60
        one["rankings"] = [
            ranking(f"labeler-{(i + j) % 70}-" + "l" * 60, "a > b > c > d", shown=list("abcd"),
                    seconds=9 + i + j, submitted_at=f"2026-0{1 + i % 9}-01T00:00:00Z")
            for j in range(6)
        ]  # fmt: skip
        said.append(one)
    cli("import", write_jsonl(tmp_path / "in.jsonl", said))
    page = page_of(cli, tmp_path)
    assert len(page.encode()) < 400_000
    assert "and 10 more rows: labelkit report --json" in page
    assert len(cli("report", "--json").json["sections"]["labelers"]["rows"]) == 70


def test_an_empty_store_gets_sentences(cli: Cli, tmp_path: Path) -> None:
    page = page_of(cli, tmp_path)
    assert_inert(page)
    assert "<svg" not in page
    texts = Reader(page).texts
    found = cli("report", "--json").json
    assert "There are no rankings yet." in texts
    assert found["sentence"] == "There are no rankings yet."
    assert {s for s, _ in GROUPS} == {"people", "models", "data"}
    assert all(s["rows"] == [] for s in found["sections"].values())
    assert "There are no prompts yet." in cli("report", "--terminal").out


def test_a_report_on_a_crowd(llmfao: Cli, tmp_path: Path) -> None:
    """124 people, 59 models, whose names and texts nobody vetted."""
    page = page_of(llmfao, tmp_path)
    assert_inert(page)
    assert len(page.encode()) < 400_000
    texts = Reader(page).texts
    for wanted in ("70.1 %", "53.2 %", "8,931", "124"):
        assert wanted in texts
