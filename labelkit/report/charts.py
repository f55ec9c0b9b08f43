"""Pictures of a report's sections, as SVG that follows the page's colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from labelkit.domain.safe_text import one_line
from labelkit.plugins import Measured
from labelkit.report.content import Bars, Dots, Heat, Picture, Spread
from labelkit.report.svg import plain

MOST_NAMES = 30
"""A chart shows this many names; its table has the rest."""

WIDTH = 400
ROW = 22
HEIGHT = 200
FONT = "system-ui, sans-serif"
INK, QUIET, LINE, ACCENT, SECOND = (f"var(--{x})" for x in ("ink", "quiet", "line", "accent",
                                                           "second"))  # fmt: skip
SHADES = ("#e2ebf3", "#bae6fd", "#38bdf8", "#0369a1", "#082f49")
"""From little to much: lightness alone tells them apart, on paper and without colour vision."""

Chart = Any
Rows = list[dict[str, Any]]


def chart(picture: Picture, title: str) -> str:
    """Draw a picture; return SVG, without a script or a link."""
    if isinstance(picture, Dots):
        made = _over_time(picture) if picture.over_time else _dots(picture)
    elif isinstance(picture, Heat):
        made = _heat(picture)
    elif isinstance(picture, Bars):
        made = _bars(picture)
    else:
        made = _spread(picture)
    return plain(vl_convert.vegalite_to_svg(_themed(made).to_dict()), title)


def _themed(made: Chart) -> Chart:
    axis = {"labelColor": QUIET, "titleColor": QUIET, "gridColor": LINE, "domainColor": LINE,
            "tickColor": LINE, "labelFontSize": 12, "titleFontSize": 12,
            "titleFontWeight": "normal", "labelLimit": 170}  # fmt: skip
    legend = {"labelColor": QUIET, "labelFontSize": 12, "orient": "top"}
    return made.configure(
        aria=False, background="transparent", font=FONT, axis=axis, legend=legend,
        view={"stroke": None},
    )  # fmt: skip


def named(names: Sequence[str]) -> dict[str, str]:
    """Map each name to a label that fits, is safe to show and is nobody else's.

    >>> named(["a" * 40, "a" * 41])
    {'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': 'aaaaaaaaaaaaaaaaaaaaaaa…', \
'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': 'aaaaaaaaaaaaaaaaaaaaaaa… (2)'}
    """
    labels: dict[str, str] = {}
    for name in names:
        label = wanted = str(one_line(name, 24)) or "(blank)"
        again = 1
        while label in labels.values():
            again += 1
            label = f"{wanted} ({again})"
        labels[name] = label
    return labels


def _rows(marks: Mapping[str, Measured]) -> Rows:
    labels = named(list(marks))
    return [
        {
            "name": labels[name],
            "value": m.value,
            "low": m.value if m.low is None else m.low,
            "high": m.value if m.high is None else m.high,
        }
        for name, m in marks.items()
    ]


def _scale(picture: Dots) -> tuple[Any, Any]:
    """Return (scale, axis) for the values of a picture."""
    scale = alt.Scale(domain=list(picture.ends()), nice=True, zero=False)
    return scale, alt.Axis(format="%" if picture.percent else ".2~f", tickCount=6)


def _on(rows: Rows) -> Chart:
    return alt.Chart(alt.Data(values=rows))  # type: ignore[no-untyped-call]


def _rule(picture: Dots, channel: str) -> list[Chart]:
    if picture.line is None:
        return []
    rule = _on([{"at": picture.line}]).mark_rule(strokeDash=[4, 4], color=INK)
    return [rule.encode(**{channel: "at:Q"})]


def _dots(picture: Dots) -> Chart:
    rows = _rows(dict(list(picture.known.items())[:MOST_NAMES]))
    scale, axis = _scale(picture)
    names = alt.Y("name:N", sort=[r["name"] for r in rows], title=None,
                  axis=alt.Axis(labelColor=INK))  # fmt: skip
    base = _on(rows).encode(y=names)
    low = alt.X("low:Q", scale=scale, axis=axis, title=picture.axis)
    ranges = base.mark_rule(strokeWidth=2, color=ACCENT).encode(x=low, x2="high:Q")
    points = base.mark_point(filled=True, size=60, opacity=1, color=ACCENT).encode(x="value:Q")
    layers = [*_rule(picture, "x"), ranges, points]
    return alt.layer(*layers).properties(width=WIDTH, height=ROW * len(rows))


def _over_time(picture: Dots) -> Chart:
    rows = _rows(picture.known)
    scale, axis = _scale(picture)
    weeks = alt.X("name:O", sort=[r["name"] for r in rows], title=None, axis=_week_axis(len(rows)))
    base = _on(rows).encode(x=weeks)
    low = alt.Y("low:Q", scale=scale, axis=axis, title=picture.axis)
    ranges = base.mark_rule(strokeWidth=2, color=ACCENT).encode(y=low, y2="high:Q")
    line = base.mark_line(strokeWidth=1, color=ACCENT).encode(y="value:Q")
    points = base.mark_point(filled=True, size=60, opacity=1, color=ACCENT).encode(y="value:Q")
    layers = [*_rule(picture, "y"), ranges, line, points]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def _week_axis(weeks: int) -> Any:
    """Weeks stand upright; of many, some."""
    return alt.Axis(labelAngle=-40, labelOverlap=True, labelColor=INK if weeks < 30 else QUIET)


def _heat(picture: Heat) -> Chart:
    names = list(picture.names)[:MOST_NAMES]
    labels = named(names)
    numbers = len(names) <= MOST_NAMES // 2
    cells = [
        {"a": labels[a], "b": labels[b], "value": value, "text": f"{value:.2f}"}
        for a in names
        for b in names
        if a != b and (value := picture.get(a, b)) is not None
    ]
    order = [labels[name] for name in names]
    bare: dict[str, Any] = {"labelColor": INK, "ticks": False, "domain": False}
    axis = alt.Axis(**bare, labelFontSize=12 if numbers else 10)
    across = alt.Axis(**bare, labelFontSize=12 if numbers else 10, labelAngle=-90)
    base = _on(cells).encode(
        x=alt.X("b:N", sort=order, title=None, axis=across, scale=alt.Scale(domain=order)),
        y=alt.Y("a:N", sort=order, title=None, axis=axis, scale=alt.Scale(domain=order)),
    )
    scale = alt.Scale(domain=[0, 0.25, 0.5, 0.75, 1], range=list(SHADES), clamp=True)
    shades = base.mark_rect(stroke=LINE, strokeWidth=0.5).encode(
        color=alt.Color("value:Q", scale=scale, legend=None)
    )
    dark = alt.condition("datum.value > 0.68", alt.value("#ffffff"), alt.value("#0f172a"))
    text = base.mark_text(fontSize=11).encode(text="text:N", color=dark)
    layers = [shades, text] if numbers else [shades]
    wide, high = (34, 26) if numbers else (13, 13)
    return alt.layer(*layers).properties(width=wide * len(names), height=high * len(names))


def _bars(picture: Bars) -> Chart:
    kinds = list(next(iter(picture.counts.values())))
    rows = [
        {"week": week, "kind": kind, "n": n, "order": kinds.index(kind)}
        for week, row in picture.counts.items()
        for kind, n in row.items()
    ]
    weeks = alt.X("week:O", sort=list(picture.counts), title=None,
                  axis=_week_axis(len(picture.counts)))  # fmt: skip
    scale = alt.Scale(domain=kinds, range=[ACCENT, SECOND][: len(kinds)])
    return (
        _on(rows)
        .mark_bar(stroke=INK, strokeWidth=0.5)
        .encode(
            x=weeks,
            y=alt.Y("n:Q", title=picture.axis, axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("kind:N", scale=scale, title=None),
            order="order:Q",
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def _spread(picture: Spread) -> Chart:
    names = list(picture.boxes)[:MOST_NAMES]
    labels = named(names)
    rows = [
        {"name": labels[n], **dict(zip(("p10", "p25", "p50", "p75", "p90"), box, strict=True))}
        for n, box in picture.boxes.items()
        if n in labels
    ]
    y = alt.Y("name:N", sort=[labels[n] for n in names], title=None,
              axis=alt.Axis(labelColor=INK))  # fmt: skip
    base = _on(rows).encode(y=y)
    scale = alt.Scale(type="log", nice=True)
    axis = alt.Axis(tickCount=6, format="~s")
    low = alt.X("p10:Q", scale=scale, axis=axis, title=picture.axis)
    whiskers = base.mark_rule(strokeWidth=1.5, color=ACCENT).encode(x=low, x2="p90:Q")
    boxes = base.mark_bar(size=11, color=SECOND, stroke=ACCENT).encode(
        x=alt.X("p25:Q", scale=scale), x2="p75:Q"
    )
    middle = base.mark_tick(thickness=3, size=17, color=INK).encode(x="p50:Q")
    return alt.layer(whiskers, boxes, middle).properties(width=WIDTH, height=ROW * len(rows))
