"""Guidelines: Markdown with a front matter that fixes the rating scale, flags and reasons.

The front matter is YAML between `---` lines, as static-site tools and dataset cards have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from labelkit.domain.canonical import uid_of
from labelkit.domain.front_matter import FieldError, read
from labelkit.domain.models import FlagRule, Guideline, Scale
from labelkit.errors import InputError

_DEEPEST = 8
_LISTS = ("flags", "marks", "skips")
_FENCE = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_REF = re.compile(r"([a-z0-9][a-z0-9._-]*)@([1-9][0-9]{0,8})")

DEFAULT_SKIPS = (
    FlagRule("unclear", "I can't tell what the prompt asks for"),
    FlagRule("expertise", "It needs expertise I don't have"),
    FlagRule("language", "It is in a language I don't read well"),
    FlagRule("sensitive", "Upsetting content: I'd rather not"),
    FlagRule("personal_information", "It contains personal information"),
    FlagRule("broken", "Completions are broken, empty or identical"),
    FlagRule("other", "Other (say why in a note)"),
)


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
    scale = Scale(**matter["scale"])
    rules = {name: tuple(FlagRule(**rule) for rule in matter[name]) for name in _LISTS}
    for name, found in rules.items():
        _refuse_twice([r.key for r in found], f"{where}: {name}")
    if scale.least >= scale.most:
        raise InputError(f"{where}: scale: min must be under max")
    name, version = matter["name"], matter["version"]
    return Guideline(
        uid=uid_of("guideline", [f"{name}@{version}", text]),
        name=name,
        version=version,
        title=matter["title"] or name,
        text=text,
        scale=scale,
        flags=rules["flags"],
        marks=rules["marks"],
        skips=rules["skips"] or DEFAULT_SKIPS,
    )


def body(text: str) -> str:
    """Return the Markdown without its front matter."""
    return _FENCE.sub("", text, count=1).lstrip("\n")


def _front_matter(text: str, where: str) -> dict[str, Any]:
    match = _FENCE.match(text)
    if not match:
        raise InputError(
            f"{where}: no front matter",
            hint="begin the file with: --- / name: my-guideline / version: 1 / ---",
        )
    import yaml  # here, because most commands read no guideline

    # The same language read by libyaml, where there is one: a labeler waits for it at every start.
    language = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_nesting(yaml.parse(match[1], Loader=language), where)
        return read(yaml.load(match[1], Loader=language))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 2}" if mark else ""
        raise InputError(f"{where}{line}: front matter is not YAML") from None
    except FieldError as error:
        raise InputError(f"{where}: {error}") from None
    except (ValueError, OverflowError):  # 2026-13-45, or a number of 5,000 digits
        raise InputError(f"{where}: front matter: a date or a number that is none") from None


def _check_nesting(events: Iterable[Any], where: str) -> None:
    """Refuse what libyaml would follow until the stack ends, before it builds anything."""
    from yaml import AliasEvent, CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in events:
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST or isinstance(event, AliasEvent):
            raise InputError(f"{where}: front matter: nested too deep, or with anchors")


def _refuse_twice(keys: Sequence[str], where: str) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(f"{where}: {key!r} is defined twice")
