"""What to export, as it is typed, as it is used, and as a manifest remembers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from labelkit import plugins
from labelkit.domain.pairs import Kinds, LabelRule, MarginRule, PairOptions, Scheme
from labelkit.domain.splits import SplitPlan, parse_plan
from labelkit.domain.units import AnswerRule, KtoRule
from labelkit.errors import UsageError
from labelkit.plugins import Exporter, Stage
from labelkit.services.choices import one_of

OWN_DIALECT = "labelkit"
PREFERENCE = ("rm", "dpo")
RANKED = (*PREFERENCE, "kto", "rankings")
STAGES = ("sft", *PREFERENCE, "kto", "prompts", "rankings", "records")

Container = Literal["jsonl", "jsonl.gz", "parquet"]
MisfitRule = Literal["refuse", "flatten"]


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of an export, counted from 1: a range of the prompts' uids."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse_shard(text: str) -> Shard:
    """Read `2/8`. Raises UsageError.

    >>> parse_shard("2/8")
    Shard(number=2, of=8)
    """
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise UsageError(f"not a part of an export: {text!r}", hint="--shard 1/8 to --shard 8/8")
    return Shard(int(number), int(of))


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to write, for whom, and in which files.

    `split` is None for a single file a split that prompts are pinned to; `container` is None for
    the one that the dialect wants; `max_rows` is 0 for no limit, `jobs` 0 for one process a core.
    """

    format: str
    trainer: str = "trl"
    variant: str | None = None
    pairs: PairOptions = field(default_factory=PairOptions)
    answers: AnswerRule = "demonstrations"
    kto_rule: KtoRule = "best-worst"
    split: SplitPlan | None = None
    misfits: MisfitRule = "refuse"
    by_group: bool = False
    container: Container | None = None
    max_rows: int = 0
    licence: str | None = None
    card: bool = True
    tokenizer: str | None = None
    dry_run: bool = False
    consensus: str | None = None
    allow_pii: bool = False
    jobs: int = 0
    shard: Shard | None = None

    @property
    def flatten(self) -> bool:
        return self.misfits == "flatten"


def options(
    *,
    format: str,
    trainer: str = "trl",
    variant: str | None = None,
    split: str | None = None,
    pairs: str = "all",
    labels: str = "majority",
    min_majority: float = 0.0,
    margin: str = "none",
    labelers: str = "human",
    answers: str = "demonstrations",
    kto_rule: str = "best-worst",
    misfits: str = "refuse",
    by_group: bool = False,
    container: str | None = None,
    max_rows: int = 0,
    keep_contradictions: bool = False,
    keep_template_tokens: bool = False,
    licence: str | None = None,
    card: bool = True,
    tokenizer: str | None = None,
    seed: str = "",
    dry_run: bool = False,
    allow_pii: bool = False,
    jobs: int = 0,
    shard: str | None = None,
) -> ExportOptions:
    """Read the options as they are typed. Raises UsageError."""
    scheme, random_n = parse_scheme(pairs)
    labels, method = _consensus_of(format, labels, margin, min_majority)
    how = PairOptions(
        scheme=scheme,
        random_n=random_n,
        labels=one_of(labels, get_args(LabelRule), "--labels"),
        min_majority=min_majority,
        margin=one_of(margin, get_args(MarginRule), "--margin"),
        labelers=one_of(labelers, get_args(Kinds), "--labelers"),
        seed=seed,
        keep_contradictions=keep_contradictions,
        keep_template_tokens=keep_template_tokens,
    )
    return ExportOptions(
        format=format,
        trainer=trainer,
        variant=variant,
        pairs=how,
        answers=one_of(answers, get_args(AnswerRule), "--from"),
        kto_rule=one_of(kto_rule, get_args(KtoRule), "--kto"),
        split=parse_plan(split, seed) if split else None,
        misfits=one_of(misfits, get_args(MisfitRule), "--misfits"),
        by_group=by_group,
        container=one_of(container, get_args(Container), "--container") if container else None,
        max_rows=max_rows,
        licence=licence,
        card=card,
        tokenizer=tokenizer,
        dry_run=dry_run,
        consensus=method,
        allow_pii=allow_pii,
        jobs=jobs,
        shard=parse_shard(shard) if shard else None,
    )


def _consensus_of(
    format: str, labels: str, margin: str, min_majority: float
) -> tuple[str, str | None]:
    """Split `consensus:METHOD` off: it makes one ranking a prompt, which then counts by itself."""
    word, _, method = labels.partition(":")
    if word != "consensus":
        return labels, None
    plugins.consensus.get(method)
    if format not in RANKED:
        raise UsageError(f"{format} is not made from rankings: there is nothing to merge")
    if margin in ("votes", "rating") or min_majority:
        raise UsageError(
            "a consensus has no votes and no ratings",
            hint="--labels majority with --margin votes|rating or --min-majority",
        )
    return "each", method


def stage_of(options: ExportOptions) -> tuple[ExportOptions, Exporter, Stage]:
    """Find the dialect's stage; records have a dialect of their own. Raises UsageError."""
    if options.format not in STAGES:
        raise UsageError(
            f"there is no format {options.format!r}", hint=f"one of: {', '.join(STAGES)}"
        )
    name = OWN_DIALECT if options.format == "records" else options.trainer
    exporter: Exporter = plugins.exporters.get(name)
    stages = _variant(exporter, name, options.variant)
    if options.format not in stages:
        what = f"{name} has no format {options.format!r}"
        what += f" in its variant {options.variant!r}" if options.variant else ""
        raise UsageError(what, hint=f"it has: {', '.join(stages)}")
    stage = stages[options.format]
    pairs = replace(options.pairs, markers=stage.carries.markers)
    settled = replace(options, trainer=name, pairs=pairs)
    _check(settled, stage)
    return settled, exporter, stage


def _variant(exporter: Exporter, name: str, variant: str | None) -> Mapping[str, Stage]:
    if variant is None:
        return exporter.stages
    if variant not in exporter.variants:
        able = ", ".join(exporter.variants) or "none"
        raise UsageError(f"{name} has no variant {variant!r}", hint=f"it has: {able}")
    return exporter.variants[variant]


def _check(options: ExportOptions, stage: Stage) -> None:
    """Refuse what the trainer would pass over in silence."""
    who = f"{options.trainer} {options.format}"
    if options.pairs.margin != "none" and not stage.margin:
        raise UsageError(f"{who} reads no margin", hint="leave --margin out")
    if options.by_group and options.format not in PREFERENCE:
        raise UsageError("--by-group goes with rm and dpo: other rows are no pairs")
    if options.by_group and not stage.extras:
        raise UsageError(f"{who} rows may hold no further columns", hint="leave --by-group out")
    if options.shard and options.max_rows:
        raise UsageError("--shard cuts the files already", hint="leave --max-rows-per-file out")
    other = options.container not in (None, stage.container)
    if stage.files and (other or options.max_rows or options.shard):
        names = ", ".join(stage.files.values())
        raise UsageError(f"{options.trainer} reads {names}: plain files, one a split")
    if options.container == "parquet" and not stage.columns:
        raise UsageError(f"{who} rows have no fixed columns, which Parquet needs")


def said(options: ExportOptions) -> dict[str, Any]:
    """The options as a person would type them again, for the manifest. `options` reads them."""
    pairs = options.pairs
    told: dict[str, Any] = {
        "split": options.split.text if options.split else None,
        "labelers": pairs.labelers,
        "seed": pairs.seed,
        "misfits": options.misfits,
        "keep_template_tokens": pairs.keep_template_tokens,
        "container": options.container,
        "max_rows": options.max_rows,
        "tokenizer": options.tokenizer,
        "allow_pii": options.allow_pii,
    }
    if options.shard:
        told["shard"] = str(options.shard)
    if options.format == "sft":
        told["answers"] = options.answers
    if options.format in RANKED and options.format != "rankings":
        told |= {
            "labels": f"consensus:{options.consensus}" if options.consensus else pairs.labels,
            "keep_contradictions": pairs.keep_contradictions,
        }
    if options.format == "kto":
        told["kto_rule"] = options.kto_rule
    if options.format in PREFERENCE:
        told |= {
            "pairs": f"random:{pairs.random_n}" if pairs.scheme == "random" else pairs.scheme,
            "min_majority": pairs.min_majority,
            "margin": pairs.margin,
            "by_group": options.by_group,
        }
    return told


def remembered(manifest: Mapping[str, Any]) -> ExportOptions:
    """Return the options that a manifest remembers."""
    return options(
        format=manifest["format"],
        trainer=manifest["for"],
        variant=manifest["variant"],
        **manifest["options"],
    )


def parse_scheme(text: str) -> tuple[Scheme, int]:
    """Read `all`, `adjacent`, `best-worst` or `random:N`.

    >>> parse_scheme("random:3")
    ('random', 3)
    """
    if text in ("all", "adjacent", "best-worst"):
        return text, 0  # type: ignore[return-value]  # the test narrows it, mypy cannot see it
    name, _, number = text.partition(":")
    if name == "random" and number.isascii() and number.isdigit() and int(number) > 0:
        return "random", int(number)
    raise UsageError(
        f"not a way to choose pairs: {text!r}", hint="--pairs all|adjacent|best-worst|random:N"
    )
