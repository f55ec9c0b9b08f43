"""Settings: flag > LABELKIT_* > labelkit.toml > the user's own file > default."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelkit.errors import UsageError

PROJECT_FILE = "labelkit.toml"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and where its value came from."""

    value: Any
    origin: str


def find_project_file(start: Path) -> Path | None:
    """Return the nearest labelkit.toml in `start` or above it."""
    for folder in (start, *start.parents):
        if (candidate := folder / PROJECT_FILE).is_file():
            return candidate
    return None


def lookup(
    name: str,
    default: Any,
    *,
    flag: Any = None,
    env: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
) -> Setting:
    """Return the value in force for a dotted setting like `rank.theme`, and its origin."""
    if flag is not None:
        return Setting(flag, "flag")
    variable = f"LABELKIT_{name.replace('.', '_').upper()}"
    if env.get(variable):
        return Setting(env[variable], variable)
    for path in _files(cwd or Path.cwd()):
        value = _dig(_load(path), name)
        if value is not None:
            return Setting(value, str(path))
    return Setting(default, "default")


KNOWN: dict[str, tuple[Any, str]] = {
    "db": ("labelkit.db", "the store"),
    "labeler": (None, "who labels, when --as does not say"),
    "plain": (False, "line by line instead of the screen"),
    "theme": ("dark", "colours of the screen: dark, light or ansi"),
    "seed_ratings": (True, "whether ratings give a ranking its first order"),
    "keys": ({}, "keys that stand for others, on the screen"),
}
"""Every setting: its default, and what it is for."""


def in_force(env: Mapping[str, str] = os.environ, cwd: Path | None = None) -> dict[str, Setting]:
    """Return every setting with its value and origin; a table key by key."""
    found: dict[str, Setting] = {}
    for name, (default, _) in KNOWN.items():
        setting = lookup(name, default, env=env, cwd=cwd)
        if isinstance(setting.value, dict):
            parts = {f"{name}.{key}": value for key, value in sorted(setting.value.items())}
            found |= {part: Setting(value, setting.origin) for part, value in parts.items()}
        else:
            found[name] = setting
    return found


def unknown(cwd: Path | None = None) -> list[str]:
    """Return what the settings files say that nothing reads, as `file: name`."""
    return [
        f"{path}: {name}"
        for path in _files(cwd or Path.cwd())
        for name in sorted(set(_load(path)) - set(KNOWN))
    ]


def truth(setting: Setting) -> bool:
    """Read a yes/no setting. Raises UsageError that names where it came from."""
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    word = str(setting.value).lower()
    if word not in words:
        raise UsageError(f"{setting.origin}: not yes or no: {setting.value!r}")
    return words[word]


def _files(cwd: Path) -> Iterator[Path]:
    from platformdirs import user_config_path

    project = find_project_file(cwd)
    if project:
        yield project
    personal = user_config_path("labelkit") / "config.toml"
    if personal.is_file():
        yield personal


def _load(path: Path) -> dict[str, Any]:
    import tomllib  # here, because there may be no file to read

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not TOML, not UTF-8, or a number of 5,000 digits
        raise UsageError(f"{path}: not a settings file: {error}") from None
    except RecursionError:
        raise UsageError(f"{path}: not a settings file: nested too deep") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _dig(table: Any, name: str) -> Any:
    for part in name.split("."):
        table = table.get(part) if isinstance(table, dict) else None
    return table


def as_json(found: Mapping[str, Setting]) -> dict[str, Any]:
    return {
        "schema": "labelkit.config/1",
        "settings": {name: {"value": s.value, "origin": s.origin} for name, s in found.items()},
    }
