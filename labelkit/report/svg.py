"""Vega's SVG made fit for a page: nothing but shapes and text, and half the size."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

TAGS = frozenset(["svg", "g", "path", "line", "rect", "text"])
ATTRIBUTES = frozenset(
    [
        "width", "height", "viewBox", "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "fill",
        "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-miterlimit",
        "text-anchor", "font-family", "font-size", "font-weight", "opacity", "fill-opacity",
        "stroke-opacity",
    ]
)  # fmt: skip
_NUMBERS = frozenset(["transform", "d", "x2", "y2", "width", "height"])
_LONG = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


def plain(svg: str, title: str) -> str:
    """Return the picture with every tag and attribute dropped that is not on the lists above.

    `title` is what a screen reader says.

    >>> plain('<svg xmlns="http://www.w3.org/2000/svg" width="9"><script>x</script></svg>', "a <b>")
    '<svg width="9" role="img" aria-label="a &lt;b&gt;" />'
    """
    root = _kept(ET.fromstring(svg))
    root.set("role", "img")
    root.set("aria-label", title)
    return ET.tostring(root, encoding="unicode")


def _kept(element: ET.Element) -> ET.Element:
    kept = ET.Element(_name(element.tag), _attributes(element))
    kept.text = element.text
    for child in element:
        if _name(child.tag) in TAGS and not _invisible(child):
            part = _kept(child)
            if part.tag != "g" or len(part):
                kept.append(part)
    return kept


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _attributes(element: ET.Element) -> dict[str, str]:
    return {
        name: _rounded(value) if name in _NUMBERS else value
        for name, value in element.attrib.items()
        if name in ATTRIBUTES and not (name == "opacity" and value == "1")
    }


def _rounded(numbers: str) -> str:
    """Cut numbers down to what a screen can show.

    >>> _rounded("translate(149.99999999999997,15)")
    'translate(150,15)'
    """
    return _LONG.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), numbers)


def _invisible(element: ET.Element) -> bool:
    """Whether it draws nothing: Vega's empty fore- and backgrounds."""
    if element.get("display") == "none":
        return True
    return element.tag.endswith("path") and not (element.get("fill") or element.get("stroke"))
