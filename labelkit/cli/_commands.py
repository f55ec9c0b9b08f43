"""Every command: where it lives, under which heading, and one line about it.

Help for the whole program is made from this table, so that no command is imported for it; a test
holds each line against the command's own docstring.
"""

from __future__ import annotations

from typing import NamedTuple

LABEL = "Label"
DATA = "Data in and out"
LEAD = "Team lead"
PROJECT = "Project"
PANELS = (LABEL, DATA, LEAD, PROJECT)


class Entry(NamedTuple):
    module: str
    panel: str
    help: str


COMMANDS: dict[str, Entry] = {
    "import": Entry("import_", DATA, "Take in prompts, completions and labels."),
    "export": Entry("export", DATA, "Write files that trainers train on."),
    "labelers": Entry("labelers", LEAD, "Add and list the people and models that label."),
    "assign": Entry("assign", LEAD, "Cut prompts into tasks and hand them out."),
    "status": Entry("status", LEAD, "Count prompts, labels, tasks and people."),
    "agreement": Entry("agreement", LEAD, "Measure how far labelers agree."),
    "quality": Entry("quality", LEAD, "Show evidence about each labeler, and who to talk to."),
    "consensus": Entry("consensus", LEAD, "Merge the rankings of each prompt into one."),
    "leaderboard": Entry("leaderboard", LEAD, "Rank the models by what labelers preferred."),
    "screen": Entry("screen", LEAD, "Screen candidates the way InstructGPT did."),
    "init": Entry("init", PROJECT, "Make a new store with a first guideline in it."),
    "guidelines": Entry("guidelines", PROJECT, "Add, list and show versions of the guideline."),
}
