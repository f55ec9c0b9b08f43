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
    "rank": Entry("rank", LABEL, "Rate and rank completions, blind, one task after the other."),
    "write": Entry("write", LABEL, "Write demonstrations: the best answer to each prompt."),
    "import": Entry("import_", DATA, "Take in prompts, completions and labels."),
    "export": Entry("export", DATA, "Write files that trainers train on."),
    "prompts": Entry("prompts", DATA, "Look at prompts, and decide which are used, and for what."),
    "verify": Entry(
        "verify", DATA, "Check an export: its files, its rows, and that nothing leaks."
    ),
    "bundle": Entry("bundle", DATA, "Make files of tasks to work on without this store."),
    "merge": Entry(
        "merge",
        DATA,
        "Bring back what was said elsewhere: bundles, and whole stores of this project.",
    ),
    "why": Entry("why", LEAD, "Say which labels made a row of an export."),
    "labelers": Entry("labelers", LEAD, "Add and list the people and models that label."),
    "assign": Entry("assign", LEAD, "Cut prompts into tasks and hand them out."),
    "tasks": Entry("tasks", LEAD, "List tasks, set them aside, and hand them out again."),
    "status": Entry("status", LEAD, "Count prompts, labels, tasks and people."),
    "agreement": Entry("agreement", LEAD, "Measure how far labelers agree."),
    "quality": Entry("quality", LEAD, "Show evidence about each labeler, and who to talk to."),
    "consensus": Entry("consensus", LEAD, "Merge the rankings of each prompt into one."),
    "leaderboard": Entry("leaderboard", LEAD, "Rank the models by what labelers preferred."),
    "screen": Entry("screen", LEAD, "Screen candidates the way InstructGPT did."),
    "report": Entry("report", LEAD, "Put everything a lead shows others on one page."),
    "purge": Entry("purge", PROJECT, "Delete what came from one person, for good."),
    "init": Entry("init", PROJECT, "Make a new store with a first guideline in it."),
    "tour": Entry("tour", PROJECT, "See everything work, on sample data, in a minute."),
    "guidelines": Entry("guidelines", PROJECT, "Add, list and show versions of the guideline."),
    "config": Entry("config", PROJECT, "Show the settings in force and where they come from."),
    "doctor": Entry("doctor", PROJECT, "Look the store over and say what is wrong with it."),
    "backup": Entry("backup", PROJECT, "Copy the store, while people work, to a verified file."),
    "restore": Entry("restore", PROJECT, "Make the store what a backup was."),
    "db": Entry("db", PROJECT, "Say where and what the store is, and upgrade it."),
}
