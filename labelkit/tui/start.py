"""Which face the desk has today: the screen, lines, or JSONL."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labelkit.errors import NothingToDo
from labelkit.tui.desk import RankDesk, WriteDesk
from labelkit.tui.lines import Lines

if TYPE_CHECKING:
    from labelkit.tui.screens.base import DeskApp


@dataclass(frozen=True, slots=True)
class Face:
    """What the command line asked for."""

    plain: bool = False
    jsonl: bool = False
    editor: bool = False
    theme: str = "dark"
    keys: Mapping[str, Any] = field(default_factory=dict)


def rank(desk: RankDesk, face: Face) -> None:
    """Rank until the labeler leaves or nothing is left. Raises NothingToDo and LabelkitError."""
    if face.jsonl:
        from labelkit.tui.jsonl import JsonlRank

        JsonlRank(desk).run()
    elif face.plain or not on_terminal():
        from labelkit.tui.plain import PlainRank

        PlainRank(desk).run()
    else:
        from labelkit.tui.app import RankApp

        _run(RankApp(desk, keys=face.keys, theme=face.theme))


def _run(app: DeskApp) -> None:
    """Run the screen, and say goodbye on the terminal that is back. Raises NothingToDo."""
    for fixed in ("COLUMNS", "LINES"):
        os.environ.pop(fixed, None)  # Textual would believe them for ever; the terminal knows
    app.run_to_the_end()
    bench = app.bench
    if bench.nothing_left and not bench.session.finished:
        who = bench.session.desk.labeler
        raise NothingToDo(f"no task is left for {who!r}", hint="labelkit assign")
    if bench.parting:
        Lines.standard().say(bench.parting)


def write(desk: WriteDesk, face: Face) -> None:
    """Write until the labeler leaves or nothing is left. Raises NothingToDo and LabelkitError."""
    if face.jsonl:
        from labelkit.tui.jsonl import JsonlWrite

        JsonlWrite(desk).run()
    elif face.editor or face.plain or not on_terminal():
        from labelkit.tui.plain_write import PlainWrite, run_piped

        lines = Lines.standard()
        if face.editor or lines.interactive:
            PlainWrite(desk, lines, editor=face.editor).run()
        else:
            run_piped(desk, lines)
    else:
        from labelkit.tui.write_app import WriteApp

        _run(WriteApp(desk, keys=face.keys, theme=face.theme))


def on_terminal(env: Mapping[str, str] = os.environ) -> bool:
    """Whether a screen can be drawn: Textual reads keys from stdin and draws on stderr."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if any(stream is None or not stream.isatty() for stream in streams):
        return False
    if sys.stderr.encoding.lower() != "utf-8":
        return False  # frames and bars would be spelled out
    return env.get("TERM", "") not in ("", "dumb")
