"""The pairs of a store, written by peers. Runs in their environment: python FILE METHOD STORE OUT.

The rows are those of `labelkit export --format rm`. DuckDB and polars read Parquet, which is what
they are best at; the others go through a generator over the same query.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

QUERY = """
SELECT p.uid, p.messages, p.external_id, r.tiers, c.id, c.text
FROM prompt p JOIN ranking r ON r.prompt_id = p.id JOIN completion c ON c.prompt_id = p.id
ORDER BY p.uid
"""
JOIN = """
WITH each AS (
    SELECT i.ranking_id, i.tier, p.text AS prompt, p.name AS prompt_id, c.text
    FROM '{0}/item.parquet' i
    JOIN '{0}/prompt.parquet' p ON p.id = i.prompt_id
    JOIN '{0}/completion.parquet' c ON c.id = i.completion_id)
SELECT [{{'role': 'user', 'content': a.prompt}}] AS prompt,
       [{{'role': 'assistant', 'content': a.text}}] AS chosen,
       [{{'role': 'assistant', 'content': b.text}}] AS rejected,
       a.prompt_id
FROM each a JOIN each b ON a.ranking_id = b.ranking_id AND a.tier < b.tier
"""


def said(role: str, text: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


def rows(store: str) -> Iterator[Any]:
    cursor = sqlite3.connect(f"file:{store}?mode=ro", uri=True).execute(QUERY)
    for _, group in groupby(cursor, key=itemgetter(0)):
        found = list(group)
        _, messages, name, tiers, _, _ = found[0]
        prompt = said("user", json.loads(messages)[0][1])
        texts = {key: said("assistant", text) for *_, key, text in found}
        place = {key: i for i, tier in enumerate(json.loads(tiers)) for key in tier}
        for a in place:
            for b in place:
                if place[a] < place[b]:
                    yield {
                        "prompt": prompt,
                        "chosen": texts[a],
                        "rejected": texts[b],
                        "prompt_id": name,
                    }


def scan(store: str, _: str) -> None:
    for _ in sqlite3.connect(f"file:{store}?mode=ro", uri=True).execute(QUERY):
        pass


def snapshot(store: str, folder: str) -> None:
    """The same tables as Parquet, for those that cannot read SQLite."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    db = sqlite3.connect(store)
    prompts = db.execute("SELECT id, messages, external_id FROM prompt").fetchall()
    completions = db.execute("SELECT id, text FROM completion").fetchall()
    rankings = db.execute("SELECT id, prompt_id, tiers FROM ranking").fetchall()
    items = [
        (ranking, prompt, i, key)
        for ranking, prompt, tiers in rankings
        for i, tier in enumerate(json.loads(tiers))
        for key in tier
    ]
    tables = {
        "prompt": {
            "id": [p[0] for p in prompts],
            "text": [json.loads(p[1])[0][1] for p in prompts],
            "name": [p[2] for p in prompts],
        },
        "completion": dict(zip(("id", "text"), zip(*completions, strict=True), strict=True)),
        "item": dict(
            zip(
                ("ranking_id", "prompt_id", "tier", "completion_id"),
                zip(*items, strict=True),
                strict=True,
            )
        ),
    }
    Path(folder).mkdir(exist_ok=True)
    for name, columns in tables.items():
        arrays = {column: pa.array(list(values)) for column, values in columns.items()}
        pq.write_table(pa.table(arrays), f"{folder}/{name}.parquet")


def duckdb(folder: str, out: str, how: str = "FORMAT json") -> None:
    import duckdb as peer

    con = peer.connect()
    con.execute("SET threads = 2; SET preserve_insertion_order = false")
    con.execute(f"COPY ({JOIN.format(folder)}) TO '{out}' ({how})")


def duckdb_parquet(folder: str, out: str) -> None:
    duckdb(folder, out, "FORMAT parquet, COMPRESSION zstd")


def _polars(folder: str) -> Any:
    import polars as pl

    def read(name: str) -> Any:
        return pl.scan_parquet(f"{folder}/{name}.parquet")

    def turn(role: str, column: str) -> Any:
        one = pl.struct(pl.lit(role).alias("role"), pl.col(column).alias("content"))
        return pl.concat_list(one)

    each = (
        read("item")
        .join(read("prompt"), left_on="prompt_id", right_on="id")
        .join(read("completion"), left_on="completion_id", right_on="id", suffix="_c")
    )
    other = each.select("ranking_id", pl.col("tier").alias("worse"), pl.col("text_c").alias("lost"))
    return (
        each.join(other, on="ranking_id")
        .filter(pl.col("tier") < pl.col("worse"))
        .select(
            turn("user", "text").alias("prompt"),
            turn("assistant", "text_c").alias("chosen"),
            turn("assistant", "lost").alias("rejected"),
            pl.col("name").alias("prompt_id"),
        )
    )


def polars(folder: str, out: str) -> None:
    _polars(folder).sink_ndjson(out)


def polars_parquet(folder: str, out: str) -> None:
    _polars(folder).sink_parquet(out, compression="zstd")


def jsonlines(store: str, out: str) -> None:
    import jsonlines as peer

    with peer.open(out, "w") as writer:
        for row in rows(store):
            writer.write(row)


def datasets(store: str, out: str) -> None:
    import datasets as peer

    peer.disable_progress_bars()
    made = peer.Dataset.from_generator(rows, gen_kwargs={"store": store}, cache_dir=f"{out}.cache")
    made.to_json(out, force_ascii=False)


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2], sys.argv[3])
