"""What other tools would write for given judgements: one writer a format, named as its importer.

A writer takes prompts with completions and what labelers said of them, and returns the file's rows
(or text) with what must come back of it: the judgements by prompt, and the demonstrations.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

Order = tuple[tuple[str, ...], ...]
"""Texts in tiers, best first."""


@dataclass(frozen=True)
class Said:
    """One prompt, its texts, and a judgement of some of them by each labeler."""

    prompt: str
    texts: list[str]
    orders: dict[str, Order]


@dataclass
class File:
    """A foreign file, and the judgements and demonstrations that it holds."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    text: str | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    orders: Counter[tuple[str, Order]] = field(default_factory=Counter)
    demonstrations: Counter[tuple[str, str]] = field(default_factory=Counter)

    def holds(self, prompt: str, *tiers: tuple[str, ...]) -> None:
        self.orders[prompt, tuple(tuple(sorted(tier)) for tier in tiers)] += 1


# No marker of a transcript, no template token, nothing that NFC would change.
_words = st.text(st.sampled_from("abc deé.,\n\"'\\{}[]:;\t<>|=🙂"), min_size=1, max_size=20).map(
    lambda t: f"x{t}x"
)


@st.composite
def said(draw: st.DrawFn, *, ties: bool, most: int = 9) -> list[Said]:
    """Prompts with at least one judgement each; every text is unlike the others."""
    prompts = draw(st.lists(_words, min_size=1, max_size=3, unique=True))
    return [_said(draw, prompt, ties, most) for prompt in prompts]


def _said(draw: st.DrawFn, prompt: str, ties: bool, most: int) -> Said:
    texts = draw(st.lists(_words, min_size=2, max_size=most, unique=True))
    orders = {}
    for labeler in draw(st.lists(st.sampled_from(["ana", "ben"]), min_size=1, unique=True)):
        ranked = draw(st.permutations(texts))
        cuts = [not ties or draw(st.booleans()) for _ in ranked[1:]]
        tiers = [[ranked[0]]]
        for text, cut in zip(ranked[1:], cuts, strict=True):
            if cut:
                tiers.append([text])
            else:
                tiers[-1].append(text)
        orders[labeler] = tuple(tuple(sorted(tier)) for tier in tiers)
    return Said(prompt, texts, orders)


@dataclass(frozen=True)
class Writer:
    """How one format is written. `ties` and `most` say what it can hold."""

    write: Callable[[list[Said]], File]
    ties: bool = False
    most: int = 9


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def flat(order: Order) -> list[str]:
    return [text for tier in order for text in tier]


def best(order: Order) -> str:
    return order[0][0]


def ranks(order: Order) -> dict[str, int]:
    return {text: i for i, tier in enumerate(order, 1) for text in tier}


# -- one writer a format -------------------------------------------------------------------------


def records(said: list[Said]) -> File:
    file = File()
    for i, each in enumerate(said):
        ids = {text: str(n) for n, text in enumerate(each.texts)}
        rankings = [
            {"labeler": who, "tiers": [[ids[t] for t in tier] for tier in order]}
            for who, order in each.orders.items()
        ]
        completions = [{"id": name, "text": text} for text, name in ids.items()]
        row = {"prompt_id": f"p{i}", "prompt": each.prompt}
        file.rows.append({**row, "completions": completions, "rankings": rankings})
        for order in each.orders.values():
            file.holds(each.prompt, *order)
    return file


def pairs(said: list[Said]) -> File:
    """Neighbours in one labeler's order, in each of the shapes in turn."""
    file = File()
    for each in said:
        for i, (a, b) in enumerate(pairwise(flat(next(iter(each.orders.values()))))):
            p = each.prompt
            shapes: list[dict[str, Any]] = [
                {"prompt": p, "chosen": a, "rejected": b},
                {"prompt": [user(p)], "chosen": [assistant(a)], "rejected": [assistant(b)]},
                {"chosen": [user(p), assistant(a)], "rejected": [user(p), assistant(b)]},
                {
                    "chosen": f"\n\nHuman: {p}\n\nAssistant: {a}",
                    "rejected": f"\n\nHuman: {p}\n\nAssistant: {b}",
                },
            ]
            file.rows.append(shapes[i % 4])
            file.holds(p, (a,), (b,))
    return file


def argilla(said: list[Said]) -> File:
    """Version 1's records, which are the ones that can say a tie."""
    file = File()
    for each in said:
        names = {text: f"response-{i}" for i, text in enumerate(each.texts)}
        responses = []
        for who, order in each.orders.items():
            value = [{"value": names[t], "rank": r} for t, r in ranks(order).items()]
            responses.append(
                {"user_id": who, "values": {"order": {"value": value}}, "status": "submitted"}
            )
            file.holds(each.prompt, *order)
        fields = {"prompt": each.prompt, **{name: text for text, name in names.items()}}
        file.rows.append({"fields": fields, "responses": responses, "metadata": {}})
    return file


def label_studio(said: list[Said]) -> File:
    """Buckets, which can say a tie."""
    file = File()
    for i, each in enumerate(said):
        ids = {text: f"m{n}" for n, text in enumerate(each.texts)}
        annotations = []
        for who, order in each.orders.items():
            buckets = {f"rank-{n}": [ids[t] for t in tier] for n, tier in enumerate(order, 1)}
            buckets = {"_": [], **buckets} if len(buckets) > 1 else {"rank": buckets["rank-1"]}
            value = {"ranker": buckets}
            result = [{"type": "ranker", "from_name": "rank", "value": value}]
            annotations.append({"completed_by": {"email": who}, "result": result})
            # One bucket is a plain list to Label Studio, and a list has no ties.
            tiers = order if len(order) > 1 else tuple((t,) for t in order[0])
            file.holds(each.prompt, *tiers)
        items = [{"id": name, "body": text} for text, name in ids.items()]
        data = {"prompt": each.prompt, "answers": items}
        file.rows.append({"id": i, "data": data, "annotations": annotations})
    return file


def prodigy(said: list[Said]) -> File:
    file = File()
    for each in said:
        options = [{"id": i, "text": text} for i, text in enumerate(each.texts)]
        for who, order in each.orders.items():
            first = best(order)
            row = {"text": each.prompt, "options": options, "answer": "accept", "_task_hash": 1}
            accept = [each.texts.index(first)]
            file.rows.append({**row, "accept": accept, "_annotator_id": who})
            for other in each.texts:
                if other != first:
                    file.holds(each.prompt, (first,), (other,))
    return file


def potato(said: list[Said]) -> File:
    file = File()
    for i, each in enumerate(said):
        file.items.append({"id": f"i{i}", "prompt": each.prompt, "answers": each.texts})
        for who, order in each.orders.items():
            letters = ["ABCDEFGHI"[each.texts.index(t)] for t in flat(order)]
            labels = {"order": {"rank_order": ",".join(letters)}}
            file.rows.append({"instance_id": f"i{i}", "user_id": who, "labels": labels})
            file.holds(each.prompt, *((t,) for t in flat(order)))
    return file


def open_assistant(said: list[Said]) -> File:
    file = File()
    for i, each in enumerate(said):
        order = next(iter(each.orders.values()))
        replies = [
            {"message_id": f"{i}-{n}", "text": t, "role": "assistant", "rank": r - 1, "replies": []}
            for n, (t, r) in enumerate(ranks(order).items())
        ]
        root = {"message_id": f"{i}", "text": each.prompt, "role": "prompter", "replies": replies}
        file.rows.append({"message_tree_id": f"{i}", "prompt": root})
        file.holds(each.prompt, *order)
    return file


def ultrafeedback(said: list[Said]) -> File:
    file = File()
    for each in said:
        order = next(iter(each.orders.values()))
        completions = [
            {"model": f"m{i}", "response": t, "fine-grained_score": 5 - r / 4}
            for i, (t, r) in enumerate(ranks(order).items())
        ]
        file.rows.append({"instruction": each.prompt, "completions": completions})
        file.holds(each.prompt, *order)
    return file


def nectar(said: list[Said]) -> File:
    file = File()
    for each in said:
        order = next(iter(each.orders.values()))
        answers = [{"answer": t, "model": "m", "rank": float(r)} for t, r in ranks(order).items()]
        prompt = f"\n\nHuman: {each.prompt} \n\nAssistant: "
        file.rows.append({"prompt": prompt, "answers": answers})
        file.holds(each.prompt, *order)
    return file


def summarize_from_feedback(said: list[Said]) -> File:
    file = File()
    for i, each in enumerate(said):
        prompt = f"POST: {each.prompt}\n\nTL;DR:"
        info = {"id": f"t{i}", "post": each.prompt}
        for who, order in each.orders.items():
            for a, b in pairwise(flat(order)):
                summaries = [{"text": f" {b}", "policy": "p"}, {"text": f" {a}", "policy": "q"}]
                file.rows.append({"info": info, "summaries": summaries, "choice": 1, "worker": who})
                file.holds(prompt, (a,), (b,))
    return file


def helpsteer(said: list[Said]) -> File:
    file = File()
    for each in said:
        order = next(iter(each.orders.values()))
        first, second = each.texts[:2]
        strength = ranks(order)[first] - ranks(order)[second]
        row = {"context": [user(each.prompt)], "response1": first, "response2": second}
        file.rows.append({**row, "overall_preference": strength})
        if strength:
            better = (first, second) if strength < 0 else (second, first)
            file.holds(each.prompt, *((t,) for t in better))
        else:
            file.holds(each.prompt, (first, second))
    return file


def _learn(said: list[Said], row: Callable[[str, str], dict[str, Any]]) -> File:
    file = File()
    for each in said:
        answer = best(next(iter(each.orders.values())))
        file.rows.append(row(each.prompt, answer))
        file.demonstrations[each.prompt, answer] += 1
    return file


def alpaca(said: list[Said]) -> File:
    return _learn(said, lambda p, t: {"instruction": p, "input": "", "output": t})


def self_instruct(said: list[Said]) -> File:
    return _learn(said, lambda p, t: {"instruction": p, "instances": [{"input": "", "output": t}]})


def openai(said: list[Said]) -> File:
    file = _learn(said, lambda p, t: {"messages": [user(p), assistant(t)]})
    for each in said:
        for a, b in pairwise(flat(next(iter(each.orders.values())))):
            sides = {"preferred_output": [assistant(a)], "non_preferred_output": [assistant(b)]}
            file.rows.append({"input": {"messages": [user(each.prompt)]}, **sides})
            file.holds(each.prompt, (a,), (b,))
    return file


def sharegpt(said: list[Said]) -> File:
    def turn(who: str, text: str) -> dict[str, str]:
        return {"from": who, "value": text}

    def row(p: str, t: str) -> dict[str, Any]:
        return {"conversations": [turn("human", p), turn("gpt", t)]}

    file = _learn(said, row)
    for each in said:
        for a, b in pairwise(flat(next(iter(each.orders.values())))):
            sides = {"chosen": turn("gpt", a), "rejected": turn("gpt", b)}
            file.rows.append({"conversations": [turn("human", each.prompt)], **sides})
            file.holds(each.prompt, (a,), (b,))
    return file


def table(said: list[Said]) -> File:
    """CSV, one judgement a row, in the grammar of rankings."""
    file = File()
    sides = "abcdefghi"
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["prompt", "labeler", "ranking", *(f"completion_{s}" for s in sides)])
    for each in said:
        letters = dict(zip(each.texts, sides, strict=False))
        for who, order in each.orders.items():
            text = " > ".join("=".join(letters[t] for t in tier) for tier in order)
            empty = [""] * (len(sides) - len(each.texts))
            writer.writerow([each.prompt, who, text, *each.texts, *empty])
            file.holds(each.prompt, *order)
    file.text = out.getvalue()
    return file


WITH_TIES = {
    records,
    argilla,
    label_studio,
    open_assistant,
    ultrafeedback,
    nectar,
    helpsteer,
    table,
}


def writer_of(name: str) -> Writer:
    """Return the writer for an importer. A format without one has no proof of what it keeps."""
    write = globals()[name.replace("-", "_")]
    return Writer(write, ties=write in WITH_TIES)
