"""The root command: finds a command's module when it is called, and not before.

It is also the one place that turns failures into text and an exit code.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from labelkit.cli._app import Global
from labelkit.cli._commands import COMMANDS, PANELS
from labelkit.cli._params import plainly_read
from labelkit.errors import ExitCode, LabelkitError

TERMINATED = 128 + signal.SIGTERM


class Terminated(BaseException):
    """SIGTERM arrived: unwind, so that transactions roll back and terminals are put right."""


class RootGroup(TyperGroup):
    """Lists commands from a table and imports only the one that runs."""

    def get_params(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        return plainly_read(super().get_params(ctx))

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # vendored
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = typer.main.get_command(import_module(f"labelkit.cli.{entry.module}").app)
        command.name = cmd_name
        _accept_db(command)
        return command

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        for panel in PANELS:
            rows = [(name, entry.help) for name, entry in COMMANDS.items() if entry.panel == panel]
            if rows:
                with formatter.section(panel):
                    formatter.write_dl(rows)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        return guarded(lambda: super(RootGroup, self).invoke(ctx), verbose=_verbose(ctx))


def _verbose(ctx: typer.Context) -> bool:
    return bool(ctx.params.get("verbose"))


def _accept_db(command: Any) -> None:
    """Let `--db` stand after the command as well: people type it where they think of it."""
    commands = command.commands.values() if hasattr(command, "commands") else [command]
    for each in commands:
        each.params.append(_db_option())


def _keep_db(ctx: typer.Context, value: str | None) -> str | None:
    found = ctx.find_object(Global)
    if value is not None and found is not None:
        found.db = value
    return value


def _holder(
    db: Annotated[
        str | None, typer.Option("--db", callback=_keep_db, expose_value=False, hidden=True)
    ] = None,
) -> None:
    """Never runs: it lends its parameter to every command."""


def _db_option() -> Any:
    app = typer.Typer(add_completion=False)
    app.command()(_holder)
    return typer.main.get_command(app).params[0]


def guarded(work: Callable[[], Any], *, verbose: bool = False) -> Any:
    """Run `work`; expected failures become one message on stderr and the right exit code."""
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        result = work()
        _flush()
        return result
    except LabelkitError as error:
        if verbose:
            raise
        _complain(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        _say("interrupted; nothing was half-written")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Terminated:
        raise typer.Exit(TERMINATED) from None
    except OSError as error:
        raise typer.Exit(_output_failed(error)) from None
    finally:
        signal.signal(signal.SIGTERM, previous)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _output_failed(error: OSError) -> ExitCode:
    """A reader that went away is no news; a full disk, under stdout or a file, is."""
    if error.filename is not None:
        _say(f"error: {error.filename}: {error.strerror}")
        return ExitCode.ERROR
    _discard_stdout()
    if error.errno != errno.EPIPE:
        _say(f"error: the output cannot be written: {error.strerror or error}")
    return ExitCode.ERROR


def _discard_stdout() -> None:
    """Whatever still sits in the buffer cannot be written; keep the interpreter from trying."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _complain(error: LabelkitError) -> None:
    _say(f"error: {error}")
    if error.hint:
        _say(f"try: {error.hint}")


def _say(text: str) -> None:
    from labelkit.domain.safe_text import safe_text

    if sys.stderr is not None:
        sys.stderr.write(safe_text(text) + "\n")
