"""Everything labelkit refuses to do, in one tree.

LabelkitError
├── UsageError            the command line or a setting makes no sense
├── InputError            a file or a record is not what it should be
├── StoreError            the store cannot be used as it is
│   ├── StoreMissing
│   ├── ForeignStore      another program's file
│   ├── SchemaMismatch    older or newer than this labelkit
│   └── StoreBusy         somebody else holds it
├── NotFound              a name that nobody knows
├── Conflict              what is asked contradicts what is stored
│   └── LeaseLost         the slot went to somebody else
├── CheckFailed           a check that the caller asked for did not hold
└── NothingToDo           no work left, and that is an answer
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell sees. 2 is also what the command-line parser uses for usage errors."""

    OK = 0
    ERROR = 1
    USAGE = 2
    CHECK_FAILED = 3
    NOTHING_TO_DO = 4
    BUSY = 5
    INTERRUPTED = 130


def command(*words: object) -> str:
    """Return a command as a shell takes it, whatever its names hold.

    >>> command("labelkit", "restore", "my store.db")
    "labelkit restore 'my store.db'"
    """
    import shlex  # only where something went wrong

    return shlex.join(map(str, words))


class LabelkitError(Exception):
    """An expected failure: one message for a person, and what to do next.

    >>> error = LabelkitError("no store here", hint="labelkit init")
    >>> str(error), error.hint, int(error.exit_code)
    ('no store here', 'labelkit init', 1)
    """

    exit_code = ExitCode.ERROR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(LabelkitError):
    exit_code = ExitCode.USAGE


class InputError(LabelkitError):
    """Bad input. The message names the record: `file:line: field: reason`."""


class StoreError(LabelkitError):
    """The store cannot be used as it is."""


class StoreMissing(StoreError):
    """There is no store where one was expected."""


class ForeignStore(StoreError):
    """The file is not a labelkit store, or not a healthy one."""


class SchemaMismatch(StoreError):
    """The store was written by an older or a newer labelkit."""


class StoreBusy(StoreError):
    exit_code = ExitCode.BUSY


class NotFound(LabelkitError):
    """A labeler, batch, guideline or prompt that the store does not know."""


class Conflict(LabelkitError):
    """What is asked contradicts what the store already holds."""


class LeaseLost(Conflict):
    """The slot is no longer held: it expired, was filled, or belongs to somebody else."""

    exit_code = ExitCode.BUSY


class CheckFailed(LabelkitError):
    exit_code = ExitCode.CHECK_FAILED


class NothingToDo(LabelkitError):
    exit_code = ExitCode.NOTHING_TO_DO
