"""Findings as rows of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelkit.plugins import Finding, Measured
from labelkit.report.words import share, span

MOST_COLUMNS = 12
"""A matrix of more labelers than this is left to --json."""

Row = tuple[str, ...]


def measured_rows(found: Finding, *, percent: bool, matrix: bool) -> list[Row]:
    """Return (of, value, interval, n, remark) for every number of a tree, cells left out.

    Where the whole is undefined, so are its labelers: one row says so.
    """
    return [
        (
            " ".join(path).replace("_", " ") or "all",
            share(each.value, percent=percent),
            span(each, percent=percent),
            f"{each.n:,}",
            each.reason,
        )
        for path, each in leaves(found)
        if "labelers" not in path or not (matrix or _whole(found, path).value is None)
    ]


def _whole(found: Finding, path: tuple[str, ...]) -> Measured:
    """Return the number of which the labeler's number at `path` is a part."""
    for name in path[: path.index("labelers")]:
        found = (found.parts if isinstance(found, Measured) else found)[name]
    assert isinstance(found, Measured)
    return found


def leaves(
    found: Finding, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Measured]]:
    """Yield every number of a tree with the names that lead to it."""
    parts: Mapping[str, Finding] = found.parts if isinstance(found, Measured) else found
    if isinstance(found, Measured):
        yield path, found
    for name, part in parts.items():
        yield from leaves(part, (*path, name))


def matrix_rows(found: Finding) -> Iterator[tuple[str, Row, list[Row]]]:
    """Yield (title, header, rows) for every labeler-by-labeler part that fits."""
    for path, each in leaves(found):
        cells: Any = each.parts.get("labelers")
        if not cells:
            continue
        names = sorted({*cells, *(b for row in cells.values() for b in row)})
        title = " ".join([*path, "labeler by labeler"]).replace("_", " ")
        if len(names) > MOST_COLUMNS:
            yield f"{title}: {len(names)} labelers, see --json", (), []
            continue
        rows = [(a, *(_cell(cells, a, b) for b in names)) for a in names]
        yield title, ("", *names), rows


def _cell(cells: Mapping[str, Mapping[str, Measured]], a: str, b: str) -> str:
    found = cells.get(min(a, b), {}).get(max(a, b))
    return "" if found is None or found.value is None else f"{found.value:.2f}"
