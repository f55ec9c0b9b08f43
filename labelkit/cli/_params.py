"""Parameters that are what was typed: typer would load pydantic to look at them.

That would make up a tenth of the time from `labelkit rank` to the first task.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperCommand

_STRAY_BYTE = re.compile("[\ud800-\udfff]")
"""How Python writes a byte of the command line that is no UTF-8."""


class _AsTyped:
    """Reads texts and flags. Takes the place of what typer makes of an adapter of pydantic."""

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        if isinstance(value, str) and _STRAY_BYTE.search(value):
            raise typer.BadParameter("not UTF-8", ctx=ctx, param=param)
        return value


class _Unsaid:
    """Takes what nobody typed as it is; what was typed goes the usual way."""

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if param.type_descriptor.annotation in (int, float) and not isinstance(value, str):
            return value
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def plainly_read(params: Iterable[Any]) -> list[Any]:
    """Return the parameters; texts, flags and what is not typed are taken as they are.

    A typer that looks for no `_runtime_param` is only slower.
    """
    found = list(params)
    for param in found:
        described = getattr(param, "type_descriptor", None)
        if described is not None:
            as_typed = described.annotation in (str, bool)
            param._runtime_param = _AsTyped() if as_typed else _Unsaid()
    return found


class Command(TyperCommand):
    """A command whose texts and flags are what was typed."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]  # vendored
        return plainly_read(super().get_params(ctx))
