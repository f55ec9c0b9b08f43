"""The root of the command line."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from labelkit.cli._app import Global
from labelkit.cli._closed import stand_in
from labelkit.cli._group import RootGroup, guarded

app = typer.Typer(
    name="labelkit",
    cls=RootGroup,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(value: bool) -> None:
    if value:
        from labelkit import __version__

        typer.echo(f"labelkit {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=False)
def main(
    ctx: typer.Context,
    db: Annotated[
        str | None,
        typer.Option(
            "--db",
            metavar="PATH",
            help="The store. Else LABELKIT_DB, labelkit.toml, ./labelkit.db.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only data and errors.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the traceback of an expected error too.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Say which labelkit this is."
        ),
    ] = False,
) -> None:
    """Collect human preferences for language models: write, rank, agree, export.

    The whole way in: init, import FILE, labelers add NAME, rank --as NAME, export --format rm.
    """
    ctx.obj = Global(db=db, quiet=quiet, verbose=verbose)


def run() -> None:
    """Run as a program. Help and the version are printed under the same guard as data."""
    if sys.stdout is None:
        stand_in()
    _speak_unicode()
    try:
        code = guarded(_ended, verbose=not {"-v", "--verbose"}.isdisjoint(sys.argv))
    except typer.Exit as end:
        code = end.exit_code
    sys.exit(code)


def _speak_unicode() -> None:
    """Where the locale knows fewer characters, pipes get UTF-8 and terminals what they can show."""
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and out.encoding.lower() != "utf-8":
        if out.isatty():
            out.reconfigure(errors="backslashreplace")
        else:
            out.reconfigure(encoding="utf-8")


def _ended() -> object:
    """Run the command line; return its exit code."""
    try:
        app()
    except SystemExit as end:
        return end.code
    return None
