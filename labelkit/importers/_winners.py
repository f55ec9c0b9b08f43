"""Which completion a judgement names. A turned round winner is the worst that an import can do.

So a word that may mean two completions is refused, and so is a number that is not what the
completions' columns are called: whether 1 is the first, the second or the one column's "yes" is for
the user to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from labelkit.domain.grammar import LETTERS
from labelkit.domain.records import RecordError
from labelkit.importers._items import DoubtError

TIE = "tie"
SHORT = 40
"""A word for a winner has fewer characters: what is longer is a remark, however it begins."""
SIDES = tuple(letter.lower() for letter in LETTERS)
_TIES = re.compile(
    r"(tied?|ties|draws?|drawn|equal(ly|s)?|both(bad|good)?|same|neither)(?![a-z0-9])"
)
_WORDS = (
    {"left", "a", "model_a", "response_a", "first", "x"},
    {"right", "b", "model_b", "response_b", "second", "y"},
)
_NUMBERED = re.compile(r"(\d+|(?<=[_-])[a-zA-Z])$")
_ABOUT = re.compile("model|source|name|id|score|rating")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def winner_of(said: str, names: Sequence[str], also: Mapping[str, str] | None = None) -> str | None:
    """Return which of the names a judgement means; None is a tie. Raises LookupError.

    Taken are what `also` maps to one of the names, the names themselves, and for two of them the
    usual words.

    >>> winner_of("Left", ["x", "y"]), winner_of("tie (bothbad)", ["x", "y"])
    ('x', None)
    """
    if also and said in also:
        return also[said]
    if said in names:
        return said
    word = said.strip().lower()
    if len(word) < SHORT and _TIES.match(word):
        return None
    word = word.replace(" ", "").replace("-", "_")
    if len(names) == 2:
        for i, words in enumerate(_WORDS):
            if word in words:
                return names[i]
    raise LookupError(said)


class Words:
    """What may name each of the completions of a row."""

    def __init__(self, columns: Mapping[str, str], letters: Mapping[str, str]) -> None:
        """Both map to the completions' names, in their order: what its column is called, and a."""
        self.names = list(columns.values())
        self._columns = columns
        self._letters = letters
        self._meant: dict[str, dict[str, None]] = {}
        for said, name in [*columns.items(), *letters.items(), *told_apart(columns).items()]:
            self.add(said, name)

    def add(self, said: str | None, name: str) -> None:
        """Let `said` mean one of the completions. Upper and lower case are the same."""
        if said:
            self._meant.setdefault(said.lower(), {})[name] = None

    def winner(self, said: str, given: Mapping[str, str]) -> str | None:
        """Return the completion that `said` names; None is a tie.

        `given` maps words to the letter of a side or to `tie`, and then no other word is taken.
        Raises RecordError, and DoubtError for a number that nothing explains: the numbers of the
        other rows are then not what they seem either.
        """
        if given:
            if said not in given:
                raise RecordError("winner", f"{said[:40]!r} is not among --winner")
            return None if given[said] == TIE else self._side(given[said], said)
        if meant := list(self._meant.get(said.lower(), ())):
            if len(meant) > 1:
                raise RecordError("winner", f"{said[:40]!r} may be {len(meant)} of the completions")
            return meant[0]
        try:
            # Columns that cross the letters leave open what `left` or `model_a` would mean.
            return winner_of(said, [] if self._crossed() else self.names)
        except LookupError:
            pass
        if _NUMBER.fullmatch(said) and len(self.names) > 1:
            columns = ", ".join(column[:40] for column in self._columns)
            raise DoubtError(
                "winner",
                f"{said[:40]} is none of {columns}: what the numbers of this column mean is not "
                "in the file",
                f"--winner {said[:40]}=a says that it is completion_a; "
                "say so for every number, with =b or =tie for the others",
            )
        raise RecordError(
            "winner",
            f"{said[:40]!r} is none of the completions, nor a tie (--winner WORD=a says which)",
        )

    def _side(self, letter: str, said: str) -> str:
        if letter not in self._letters:
            raise RecordError("winner", f"{said[:40]!r} is completion_{letter}, which is not there")
        return self._letters[letter]

    def _crossed(self) -> bool:
        return any(len(self._meant.get(letter, ())) > 1 for letter in "ab")


def numbered(names: Iterable[str]) -> list[list[str]]:
    """Return the fields that are numbered or lettered alike, in that order, two or more of a kind.

    Not those whose names say that they are about a completion.

    >>> numbered(["source", "answer2", "answer1", "model_a", "model_b"])
    [['answer1', 'answer2']]
    """
    groups: dict[str, dict[str, str]] = {}
    for name in names:
        if end := _NUMBERED.search(name):
            groups.setdefault(name[: end.start()].lower(), {})[end.group().lower()] = name
    return [
        [group[end] for end in sorted(group, key=lambda end: (len(end), end))]
        for stem, group in groups.items()
        if len(group) > 1 and not _ABOUT.search(stem)
    ]


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Map what tells the completions' columns from one another to the completions.

    >>> told_apart({"answer_0": "x", "answer_1": "y"})
    {'0': 'x', '1': 'y'}
    >>> told_apart({"answer_1": "x", "answer_10": "y"})
    {'1': 'x', '10': 'y'}
    """
    head = _shared(names)
    while head and all(column[head - 1].isdigit() for column in names):
        head -= 1  # numbers are not cut in two
    tail = _shared(column[head:][::-1] for column in names)
    return {column[head : len(column) - tail]: name for column, name in names.items()}


def _shared(texts: Iterable[str]) -> int:
    """How many characters all begin with."""
    return sum(
        1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False))
    )
