"""What the command line loads, and what its help promises."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from helpers import Cli, record, write_jsonl

from labelkit.cli._commands import COMMANDS, PANELS

HEAVY = {
    "sqlalchemy",
    "alembic",
    "numpy",
    "pandas",
    "textual",
    "rich",
    "orjson",
    "pydantic",
    "yaml",
}


def loaded_by(*argv: str) -> set[str]:
    """Top-level modules that a command brings in, in a process of its own."""
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['labelkit', *{argv!r}]\n"
        "try:\n    runpy.run_module('labelkit', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "print('\\n' + '\\n'.join(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.partition(".")[0] for name in ran.stderr.split()}


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("--help")
    assert "typer" in loaded
    assert not loaded & HEAVY


def test_version_loads_not_even_typer() -> None:
    assert not loaded_by("--version") & {*HEAVY, "typer"}


def test_status_needs_no_numbers(store_path: Any) -> None:
    loaded = loaded_by("--db", str(store_path), "status")
    assert "sqlalchemy" in loaded
    assert not loaded & {"numpy", "pandas", "textual", "alembic", "pydantic", "yaml"}


def test_plain_records_are_read_without_pydantic(store_path: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", [record()])
    loaded = loaded_by("--db", str(store_path), "import", str(path))
    assert "sqlalchemy" in loaded
    heavy = {"numpy", "pandas", "textual", "alembic", "pydantic", "yaml", "multiprocessing"}
    assert not loaded & heavy


@pytest.mark.parametrize("typed", ["x", "-1", "1.5", ""])
def test_what_is_typed_is_looked_at(cli: Cli, tmp_path: Path, typed: str) -> None:
    ran = cli.run("import", write_jsonl(tmp_path / "in.jsonl", [record()]), "--max-bad", typed)
    assert ran.code == 2
    assert "Invalid value for '--max-bad'" in ran.err


def test_lines_need_no_screen(store_path: Any) -> None:
    loaded = loaded_by("--db", str(store_path), "rank", "--as", "ana", "--plain")
    assert "labelkit" in loaded
    assert not loaded & {"numpy", "pandas", "textual", "alembic", "pydantic"}


def test_rows_for_a_pipe_need_no_numbers(store_path: Any) -> None:
    loaded = loaded_by("--db", str(store_path), "export", "--format", "rm", "--out", "-")
    assert "sqlalchemy" in loaded
    assert not loaded & {"numpy", "pandas", "textual", "alembic", "pydantic", "pyarrow"}


@pytest.mark.parametrize(
    ("option", "why"),
    [("--jobs=x", "valid integer"), ("--jobs=-1", "0"), ("--min-majority=1.5", "less than")],
)
def test_numbers_that_are_typed_are_looked_at(cli: Any, option: str, why: str) -> None:
    ran = cli.run("export", "--format", "rm", option)
    assert ran.code == 2
    assert why in ran.err


def test_importing_the_package_is_free() -> None:
    code = "import sys, labelkit; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {n.partition(".")[0] for n in ran.stdout.split()} & {*HEAVY, "typer"}


def command_of(name: str) -> Any:
    return typer.main.get_command(import_module(f"labelkit.cli.{COMMANDS[name].module}").app)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    command = command_of(name)
    assert inspect.cleandoc(command.help).splitlines()[0] == COMMANDS[name].help
    assert COMMANDS[name].panel in PANELS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example(name: str) -> None:
    command = command_of(name)
    leaves = command.commands.values() if hasattr(command, "commands") else [command]
    for leaf in leaves:
        assert f"labelkit {name}" in leaf.epilog or f" {name} " in leaf.epilog
        assert all(getattr(p, "help", "x") for p in leaf.params), leaf.name


def test_every_module_of_commands_is_in_the_table() -> None:
    import pkgutil

    import labelkit.cli

    found = {m.name for m in pkgutil.iter_modules(labelkit.cli.__path__)}
    own = {n for n in found if not n.startswith("_")} - {"app"}
    assert own == {entry.module for entry in COMMANDS.values()}
