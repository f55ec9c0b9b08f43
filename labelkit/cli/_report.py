"""A report drawn in text."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from labelkit.domain.safe_text import one_line, safe_text
from labelkit.report.content import Content, Dots, Fact, Heat, Section
from labelkit.report.page import GROUPS
from labelkit.report.words import track

MOST_COLUMNS = 12
SHADES = (
    "black on #e8f1f8",
    "black on #a9d3ee",
    "black on #5fb3e4",
    "white on #1d6fa5",
    "white on #0b3c5d",
)


def draw(content: Content) -> None:
    """Print the report; nothing is cut."""
    console = Console()
    console.print(_text(content.title, "bold"))
    console.print(_text(content.about, "dim"))
    console.print(Panel(_text(content.sentence), border_style="yellow", padding=(0, 1)))
    for remark in content.remarks:
        console.print(_text(remark, "dim"))
    console.print(_text(", ".join(f"{n:,} {name}" for name, n in content.counts.items())))
    console.print(_facts(content.facts))
    for key, name in GROUPS:
        console.print()
        console.rule(_text(name, "bold"), align="left")
        for section in content.sections:
            if section.group == key:
                console.print(_section(section))


def _text(text: str, style: str = "") -> Text:
    return Text(safe_text(text), style)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")


def _facts(facts: Sequence[Fact]) -> Table:
    table = _table()
    for name in ("", "value", "stands on"):
        table.add_column(name, justify="right" if name == "value" else "left", overflow="fold")
    for fact in facts:
        table.add_row(_text(fact.title), _text(fact.value, "bold"), _text(fact.stands_on))
    return table


def _section(section: Section) -> RenderableType:
    parts: list[RenderableType] = [_text(section.title, "bold"), _text(section.note, "dim")]
    if not section.rows:
        parts.append(_text(section.nothing))
    elif isinstance(section.drawn, Heat) and len(section.drawn.names) <= MOST_COLUMNS:
        parts.append(_heat(section.drawn))
    else:
        parts.append(_rows(section))
        parts += [_text(section.rest, "dim")] if section.rest else []
    return Padding(Group(*parts), (1, 0, 0, 0))


def _rows(section: Section) -> Table:
    table = _table()
    for i, name in enumerate(section.header):
        numeric = all(_is_number(row[i]) for row in section.shown)
        table.add_column(_text(name), justify="right" if numeric else "left", overflow="fold")
    drawn = section.drawn
    if isinstance(drawn, Dots):
        least, most = drawn.ends()
        table.add_column(no_wrap=True)
        for row in section.shown:
            line = track(drawn.marks[row[0]], least, most, drawn.line)
            table.add_row(*map(_text, row), Text(line, "cyan"))
        return table
    for row in section.shown:
        table.add_row(*map(_text, row))
    return table


def _is_number(text: str) -> bool:
    return not text or text[0].isdigit() or text[:1] == "-"


def _heat(heat: Heat) -> Table:
    table = Table(box=None, padding=(0, 0))
    table.add_column("")
    for i, _ in enumerate(heat.names, 1):
        table.add_column(str(i), justify="center", width=6)
    for i, a in enumerate(heat.names, 1):
        label = Text(f"{i} {one_line(a, 24)} ")
        table.add_row(label, *(_cell(heat, a, b) for b in heat.names))
    return table


def _cell(heat: Heat, a: str, b: str) -> Text:
    value = heat.get(a, b)
    if value is None:
        return Text("  ·   " if a == b else "      ", "dim")
    shade = SHADES[min(len(SHADES) - 1, max(0, int(value * len(SHADES))))]
    return Text(f" {value:4.2f} ", shade)
