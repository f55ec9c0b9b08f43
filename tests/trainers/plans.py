"""Which trainers there are, and what is run of each. TRL has a page of its own."""

from __future__ import annotations

from pathlib import Path

from labelkit import plugins

ENVIRONMENTS = Path(__file__).parent / "environments"
OTHERS = sorted({path.name.split(".")[0] for path in ENVIRONMENTS.glob("*.txt")} - {"trl"})
LOADERS = ("openrlhf", "torchtune", "verl")
"""Of these the data sets and collators are run, and nothing is trained."""
TRAINED = [name for name in OTHERS if name not in LOADERS]
EVERY_TURN = {
    *((trainer, "sft") for trainer in ("axolotl", "llamafactory", "ms-swift", "torchtune", "verl")),
    ("torchtune", "dpo"),
}
"""Where earlier assistant turns are learned too, and not the completion alone."""
STAGES = ("sft", "rm", "dpo", "kto")


def runs_of(trainer: str) -> list[str]:
    """Every stage that we write for a trainer, `dpo`, and in its other shapes, `alpaca dpo`.

    Prompts alone are for generating from, so there is nothing to train on; loaders load them too.
    """
    exporter = plugins.exporters.get(trainer)
    wanted = (*STAGES, "prompts") if trainer in LOADERS else STAGES
    return [stage for stage in exporter.stages if stage in wanted] + [
        f"{variant} {stage}"
        for variant, stages in exporter.variants.items()
        for stage in stages
        if stage in wanted
    ]


def stage_of(trainer: str, name: str) -> plugins.Stage:
    """How the rows of a run are written, and how a card says to read them."""
    exporter, (*variant, stage) = plugins.exporters.get(trainer), name.split()
    return exporter.variants[variant[0]][stage] if variant else exporter.stages[stage]


def cases(trainers: list[str]) -> list[tuple[str, str]]:
    return [(trainer, name) for trainer in trainers for name in runs_of(trainer)]
