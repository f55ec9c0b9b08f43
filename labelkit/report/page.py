"""The report as one page of HTML: no script, no network, every text escaped."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any

from labelkit.domain.safe_text import safe_text
from labelkit.errors import LabelkitError
from labelkit.report.content import Content

GROUPS = (
    ("people", "Labelers"),
    ("models", "Models"),
    ("data", "Data"),
)


def ready() -> None:
    """Raise LabelkitError when what draws the page is not installed."""
    try:
        import altair  # noqa: F401
        import jinja2  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        raise LabelkitError(
            f"a report in HTML needs {error.name}",
            hint="pip install 'labelkit-rlhf[report]', or: labelkit report --terminal",
        ) from None


def page(content: Content) -> bytes:
    """Return the page. The same content gives the same bytes."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    from labelkit.report.charts import chart

    style = _template("page.css")
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    text = environment.from_string(_template("page.html.j2")).render(
        content=content,
        groups=GROUPS,
        style=Markup(style),
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        charts={
            s.key: Markup(chart(s.drawn, safe_text(s.title))) for s in content.sections if s.drawn
        },
    )
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _shown(value: Any) -> Any:
    """Make plain text visible; what is Markup is ours already."""
    return safe_text(value) if type(value) is str else value


def _template(name: str) -> str:
    return (files("labelkit.report") / "templates" / name).read_text(encoding="utf-8")
