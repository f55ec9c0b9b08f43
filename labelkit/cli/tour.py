"""labelkit tour"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli._app import one_command
from labelkit.cli._out import out

NEXT = """
Next:
  labelkit init, labelkit import FILE   the same with your own data
  labelkit guidelines show              what labelers are told, to write your own
  labelkit export --help                the other formats
The tour is in {folder}; delete it whenever you like."""


def tour(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to take it; made fresh.")] = Path(
        "labelkit-tour"
    ),
) -> None:
    """See everything work, on sample data, in a minute."""
    from labelkit.services import tour as service

    service.prepare(folder)
    with chdir(folder), _no_other_store():
        for number, (what, command) in enumerate(service.STEPS):
            out(f"\n{what}".rstrip() if what and number else what)
            out(f"$ labelkit {command}")
            _run(command, service.ANSWERS)
    _show(service.first_pair(folder))
    out(NEXT.format(folder=folder))


@contextmanager
def _no_other_store() -> Iterator[None]:
    """The tour's commands mean the tour's store, whatever the shell says."""
    kept = os.environ.pop("LABELKIT_DB", None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ["LABELKIT_DB"] = kept


def _run(command: str, answers: str) -> None:
    """Run one command as the shell would; without a terminal, `rank` gets its answers from here."""
    from labelkit.cli.app import app

    sys.stdout.flush()
    keyboard = sys.stdin
    try:
        if not _at_a_terminal():
            sys.stdin = io.TextIOWrapper(io.BytesIO(answers.encode()))
        code = app(command.split(), standalone_mode=False)
    finally:
        sys.stdin = keyboard
    if code:
        raise typer.Exit(code)


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _show(pair: object) -> None:
    from labelkit.domain.safe_text import one_line

    out("\nThe first pair a reward model will see:")
    for name in ("prompt", "chosen", "rejected"):
        out(f"  {name:9} {one_line(getattr(pair, name), 88)}")


app = one_command(tour, "labelkit tour", "labelkit tour somewhere/else")
