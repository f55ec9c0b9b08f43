"""The shape of a record, checked by pydantic: types and names here, meaning in the domain."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    with_config,
)
from typing_extensions import TypedDict

from labelkit.domain.records import RecordError

_STRICT = ConfigDict(strict=True, extra="forbid")
_TAGS = frozenset({"as text", "as messages"})

Name = Annotated[str, Field(pattern=r"^[^\s\p{C}]([^\p{C}]*[^\s\p{C}])?$", max_length=200)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max_length=100)]
Uid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
GuidelineRef = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*@[1-9][0-9]{0,8}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


@with_config(_STRICT)
class MessageShape(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


@with_config(_STRICT)
class CompletionShape(TypedDict, total=False):
    id: Name | None
    text: Required[str]
    model: Name | None
    params: dict[str, Any] | None
    alias: Name | None


class _LabelShape(TypedDict, total=False):
    labeler: Required[Name]
    labeler_kind: Literal["human", "model"] | None
    guideline: GuidelineRef | None
    batch: Name | None
    seconds: float | None
    note: str | None
    submitted_at: str | None
    supersedes: Uid | None
    origin: Word | None


@with_config(_STRICT)
class DemonstrationShape(_LabelShape, total=False):
    labeler: Name | None  # type: ignore[misc]  # a demonstration may come from nobody known
    text: Required[str]


@with_config(_STRICT)
class SkipShape(_LabelShape, total=False):
    reason: Required[Word]
    task: Literal["rank", "write"] | None


@with_config(_STRICT)
class RankingShape(_LabelShape, total=False):
    tiers: Required[list[list[str]]]
    unranked: list[str] | None
    among: list[str] | None
    ratings: dict[str, Annotated[int, Field(ge=0, le=100)]] | None
    flags: dict[str, list[Word]] | None
    notes: dict[str, str] | None
    marks: list[Word] | None
    shown: list[str] | None
    read: dict[str, Share] | None
    seeded: bool | None
    revisions: Count | None
    repeat: bool | None


@with_config(_STRICT)
class DecisionShape(TypedDict, total=False):
    aspect: Required[Literal["use", "pii", "split", "use_case"]]
    value: Required[Name | None]
    reason: Required[Name]
    note: str | None
    by: Name | None
    made_at: Required[str]
    run: Required[Word]
    supersedes: Uid | None
    restores: Uid | None


def _prompt_tag(value: Any) -> str:
    return "as messages" if isinstance(value, list) else "as text"


PromptShape = Annotated[
    Annotated[str, Tag("as text")] | Annotated[list[MessageShape], Tag("as messages")],
    Discriminator(_prompt_tag),
]


@with_config(_STRICT)
class RecordShape(TypedDict, total=False):
    prompt: Required[PromptShape]
    prompt_id: Name | None
    kind: Literal["plain", "few_shot", "user_based"] | None
    use_case: Name | None
    source: Name | None
    user: Name | None
    language: Word | None
    split: Word | None
    meta: dict[str, Any] | None
    aliases: list[Name] | None
    decisions: list[DecisionShape] | None
    completions: list[CompletionShape] | None
    demonstrations: list[DemonstrationShape] | None
    rankings: list[RankingShape] | None
    skips: list[SkipShape] | None


_RECORD: TypeAdapter[RecordShape] = TypeAdapter(RecordShape)
_REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field labelkit knows (free-form data goes into meta)",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "string_pattern_mismatch": "has characters that are not allowed here",
}


def check_shape(record: dict[str, Any]) -> RecordShape:
    """Return `record`, typed. Raises RecordError for the first field that is off."""
    try:
        return _RECORD.validate_python(record)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=True)[0]
        where = ".".join(str(part) for part in first["loc"] if part not in _TAGS)
        reason = _REASONS.get(first["type"]) or first["msg"][:1].lower() + first["msg"][1:]
        raise RecordError(where or "record", reason) from None
