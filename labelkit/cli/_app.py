"""What every command module starts from."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from labelkit.cli._params import Command


@dataclass(slots=True)
class Global:
    """The options that stand before the command."""

    db: str | None = None
    quiet: bool = False
    verbose: bool = False


def new_app(**options: Any) -> typer.Typer:
    """Return an app with the house's manners: plain help, -h, no fancy tracebacks."""
    return typer.Typer(
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **options,
    )


def examples(*lines: str) -> str:
    """Return an epilog of example command lines."""
    return "\n\n".join(["Examples:", "\b\n" + "\n".join(f"  {line}" for line in lines)])


def one_command(function: Callable[..., Any], *lines: str) -> typer.Typer:
    """Return the app of a module that is one command; `lines` are its examples."""
    app = new_app()
    app.command(cls=Command, help=inspect.getdoc(function), epilog=examples(*lines))(function)
    return app


def settings_of(ctx: typer.Context) -> Global:
    found = ctx.find_object(Global)
    return found or Global()


def store_of(ctx: typer.Context) -> Path:
    """Return the path of the store that this command is about."""
    from labelkit.services.project import locate

    return locate(settings_of(ctx).db)


JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Say what would happen, and change nothing.")
]
