"""What tests share: records, the command line, and strategies for both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from typer.testing import CliRunner

REPO = Path(__file__).parent.parent


def at_most(examples: int) -> settings:
    """Settings for a slow property: so many examples, or fewer where the profile asks for fewer."""
    return settings(max_examples=min(examples, settings.default.max_examples))


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str
    out_bytes: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out_bytes.splitlines()]


@dataclass(frozen=True)
class Cli:
    """The command line, in this process, on one store."""

    store: Path

    def __call__(self, *args: object, stdin: str | bytes | None = None) -> Ran:
        """Run and demand success."""
        ran = self.run(*args, stdin=stdin)
        assert ran.code == 0, f"exit {ran.code}: {ran.err or ran.out}"
        return ran

    def run(self, *args: object, stdin: str | bytes | None = None) -> Ran:
        """Run, whatever comes of it."""
        return bare("--db", self.store, *args, stdin=stdin)


def bare(*args: object, stdin: str | bytes | None = None) -> Ran:
    """Run a command line as it is, in this process."""
    from labelkit.cli.app import app

    result = CliRunner().invoke(app, [*map(str, args)], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr, result.stdout_bytes)


def write_jsonl(path: Path, records: list[Any]) -> Path:
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def record(prompt: str = "Why is the sky blue?", k: int = 4, **more: Any) -> dict[str, Any]:
    """A record whose completions are named a, b, c, ..."""
    names = "abcdefghijklmnop"[:k]
    completions = [{"id": n, "text": f"answer {n} to {prompt}", "model": f"m-{n}"} for n in names]
    return {"prompt_id": f"id of {prompt}", "prompt": prompt, "completions": completions, **more}


def ranking(labeler: str, tiers: str, **more: Any) -> dict[str, Any]:
    """A ranking written as `c > a = b`."""
    places = [part.replace(" ", "").split("=") for part in tiers.split(">")]
    return {"labeler": labeler, "tiers": places, **more}


# -- strategies ----------------------------------------------------------------------------------

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
)
solid_texts = texts.filter(lambda t: bool(t.strip()))
names = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzäß0123456789-_."), min_size=1, max_size=12
)
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes(timezones=st.just(None)).map(
    lambda d: d.replace(year=2026).isoformat() + "Z"
)


@st.composite
def tiers_of(draw: st.DrawFn, members: list[str]) -> list[list[str]]:
    """Any way to put all members in tiers."""
    order = draw(st.permutations(members))
    cuts = draw(st.lists(st.booleans(), min_size=len(order) - 1, max_size=len(order) - 1))
    tiers = [[order[0]]]
    for name, cut in zip(order[1:], cuts, strict=True):
        if cut:
            tiers.append([name])
        else:
            tiers[-1].append(name)
    return tiers


@st.composite
def rankings_of(draw: st.DrawFn, members: list[str]) -> dict[str, Any]:
    """A ranking of some or all of the members, with any of the things a ranking can carry."""
    subset = draw(st.permutations(members))[: draw(st.integers(2, min(9, len(members))))]
    placed = subset[: draw(st.integers(1, len(subset)))]
    some = st.sampled_from(subset)
    said: dict[str, Any] = {
        "labeler": draw(st.sampled_from(["ana", "ben", "chloe"])),
        "tiers": draw(tiers_of(placed)),
        "unranked": subset[len(placed) :],
        "shown": draw(st.permutations(subset)),
        "ratings": draw(st.dictionaries(some, st.integers(1, 7))),
        "flags": draw(st.dictionaries(some, st.lists(st.just("opinion"), min_size=1, max_size=2))),
        "notes": draw(st.dictionaries(some, solid_texts)),
        "seconds": draw(st.none() | st.floats(0, 1e6, allow_nan=False)),
        "note": draw(st.just("") | solid_texts),
        "guideline": draw(st.none() | st.just("house-rules@2")),
        "submitted_at": draw(st.none() | moments),
        "repeat": draw(st.booleans()),
        "revisions": draw(st.integers(0, 3)),
        "seeded": draw(st.none() | st.booleans()),
    }
    return said


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Any record that may be imported."""
    ids = draw(st.lists(names, min_size=0, max_size=7, unique=True))
    pool = draw(st.lists(texts, min_size=1, max_size=7))
    completions = [
        {
            "id": name,
            "text": draw(st.sampled_from(pool)),
            "model": draw(st.none() | names),
            "params": draw(st.dictionaries(names, plain_json, max_size=2)),
        }
        for name in ids
    ]
    rankings = st.lists(rankings_of(ids), max_size=3) if len(ids) > 1 else st.just([])
    return {
        "prompt_id": draw(st.none() | names),
        "prompt": draw(solid_texts),
        "kind": draw(st.sampled_from(["plain", "user_based"])),
        "use_case": draw(st.none() | names),
        "user": draw(st.none() | names),
        "meta": draw(st.dictionaries(names, plain_json, max_size=2)),
        "completions": completions,
        "demonstrations": draw(
            st.lists(st.fixed_dictionaries({"text": solid_texts, "labeler": names}), max_size=2)
        ),
        "rankings": draw(rankings),
    }
