"""Guidelines: Markdown with a front matter that fixes the rating scale, flags and reasons.

The front matter is YAML between `---` lines, as static-site tools and dataset cards have it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labelkit.domain.canonical import uid_of
from labelkit.domain.models import FlagRule, Guideline, Scale
from labelkit.errors import InputError

# The same language read by libyaml, where there is one: a labeler waits for it at every start.
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 8
_FENCE = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_REF = re.compile(r"([a-z0-9][a-z0-9._-]*)@([1-9][0-9]{0,8})")
_NAME = r"^[a-z0-9][a-z0-9._-]*$"

DEFAULT_SKIPS = (
    FlagRule("unclear", "I can't tell what the prompt asks for"),
    FlagRule("expertise", "It needs expertise I don't have"),
    FlagRule("language", "It is in a language I don't read well"),
    FlagRule("sensitive", "Upsetting content: I'd rather not"),
    FlagRule("personal_information", "It contains personal information"),
    FlagRule("broken", "Completions are broken, empty or identical"),
    FlagRule("other", "Other (say why in a note)"),
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Scale(_Strict):
    min: Annotated[int, Field(ge=0)] = 1
    max: Annotated[int, Field(le=9)] = 7
    labels: dict[int, str] = {}


class _Rule(_Strict):
    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    positive: bool = False


class _FrontMatter(_Strict):
    name: Annotated[str, Field(pattern=_NAME)]
    version: Annotated[int, Field(ge=1)] = 1
    title: str = ""
    scale: _Scale = _Scale()
    flags: list[_Rule] = []
    marks: list[_Rule] = []
    skips: list[_Rule] = []


def parse_ref(ref: str) -> tuple[str, int]:
    """Split `name@version`.

    >>> parse_ref("helpful@3")
    ('helpful', 3)
    """
    match = _REF.fullmatch(ref)
    if not match:
        raise InputError(f"{ref!r} is not a guideline version", hint="write name@version")
    return match[1], int(match[2])


def stub(ref: str) -> Guideline:
    """A guideline of which only the name is known: labels quote it, nobody has the text."""
    name, version = parse_ref(ref)
    return Guideline(uid_of("guideline", [ref, None]), name, version, skips=DEFAULT_SKIPS)


def parse_guideline(text: str, where: str) -> Guideline:
    """Read a guideline; `where` names it in errors. Raises InputError.

    >>> parse_guideline("---\\nname: short\\nscale: {max: 5}\\n---\\nBe kind.", "x.md").scale.most
    5
    """
    matter = _front_matter(text, where)
    rules = {
        name: tuple(FlagRule(r.key, r.label, r.positive) for r in getattr(matter, name))
        for name in ("flags", "marks", "skips")
    }
    for name, found in rules.items():
        _refuse_twice([r.key for r in found], f"{where}: {name}")
    if matter.scale.min >= matter.scale.max:
        raise InputError(f"{where}: scale: min must be under max")
    return Guideline(
        uid=uid_of("guideline", [f"{matter.name}@{matter.version}", text]),
        name=matter.name,
        version=matter.version,
        title=matter.title or matter.name,
        text=text,
        scale=Scale(matter.scale.min, matter.scale.max, matter.scale.labels),
        flags=rules["flags"],
        marks=rules["marks"],
        skips=rules["skips"] or DEFAULT_SKIPS,
    )


def body(text: str) -> str:
    """Return the Markdown without its front matter."""
    return _FENCE.sub("", text, count=1).lstrip("\n")


def _front_matter(text: str, where: str) -> _FrontMatter:
    match = _FENCE.match(text)
    if not match:
        raise InputError(
            f"{where}: no front matter",
            hint="begin the file with: --- / name: my-guideline / version: 1 / ---",
        )
    try:
        _check_nesting(match[1], where)
        found: Any = yaml.load(match[1], Loader=_YAML)
        return _FrontMatter.model_validate(found)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 2}" if mark else ""
        raise InputError(f"{where}{line}: front matter is not YAML") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "front matter"
        raise InputError(f"{where}: {field}: {first['msg'].lower()}") from None
    except (ValueError, OverflowError):  # 2026-13-45, or a number of 5,000 digits
        raise InputError(f"{where}: front matter: a date or a number that is none") from None


def _check_nesting(text: str, where: str) -> None:
    """Refuse what libyaml would follow until the stack ends, before it builds anything."""
    depth = 0
    for event in yaml.parse(text, Loader=_YAML):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST or isinstance(event, yaml.AliasEvent):
            raise InputError(f"{where}: front matter: nested too deep, or with anchors")


def _refuse_twice(keys: Sequence[str], where: str) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(f"{where}: {key!r} is defined twice")
