"""Ranking by lines: everything the screen does, for pipes, screen readers and slow links."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labelkit.domain.grammar import LETTERS, OrderError, parse_order
from labelkit.domain.models import FlagRule
from labelkit.domain.safe_text import safe_text
from labelkit.errors import InputError, LabelkitError, LeaseLost, NothingToDo, command
from labelkit.tui.compare import plain_difference
from labelkit.tui.desk import RankDesk
from labelkit.tui.lines import Lines
from labelkit.tui.session import RankSession
from labelkit.tui.state import Tied
from labelkit.tui.wording import (
    contradiction,
    count,
    listed,
    prompt_blocks,
    rating_words,
    task_title,
)
from labelkit.tui.work import RANK

HELP = """\
C > A = B > D     the whole ranking, best first; = is a tie; this submits. Also: ca=bd
C > A / B D       leaves B and D unranked, where the task allows it; / * leaves all the others
r A 6             rate A; r 6 2 5 1 rates A, B, C, D in turn; r A 0 takes a rating back
m A hallucination flag A; again takes the flag back. flags lists them
n A TEXT          note on A;   t TEXT   note on the task
x ambiguous       mark the prompt; again takes the mark back. marks lists them
seed              order them by rating;   keep   confirm the ties that makes
place A 2         put A at place 2;   up A, down A, tie A, out A   move it
order             show the order so far;   status   show all you said
submit            submit the order so far
undo, redo        take the last change back, or make it again
show A            read A again; show reads all;   compare A B   with differences marked
prompt, guideline read them again
skip unclear WHY  put the task back. reasons lists the reasons
previous          open your last submitted task again
quit              leave; your work is kept"""


class Quit(Exception):
    """The labeler wants to leave."""


class PlainRank:
    """One labeler in line mode."""

    def __init__(self, desk: RankDesk, lines: Lines | None = None) -> None:
        self.session = RankSession(desk, "plain")
        self.lines = lines or Lines.standard()
        self.say = self.lines.say
        self._commands: dict[str, Callable[[str], None]] = {
            **dict.fromkeys(("help", "?"), self._help),
            **dict.fromkeys(("quit", "q"), self._quit),
            **dict.fromkeys(("r", "rate"), self._rate),
            **dict.fromkeys(("m", "flag"), self._flag),
            **dict.fromkeys(("n", "note"), self._note),
            **dict.fromkeys(("t", "tasknote"), self._task_note),
            **dict.fromkeys(("x", "mark"), self._mark),
            **dict.fromkeys(("u", "undo"), self._undo),
            "redo": self._redo,
            "flags": lambda _: self._list(self.session.flags),
            "marks": lambda _: self._list(self.session.marks),
            "reasons": lambda _: self._list(self.session.skips),
            "seed": self._seed,
            "keep": self._keep,
            "place": self._place,
            "up": lambda rest: self._move(rest, up=True),
            "down": lambda rest: self._move(rest, up=False),
            "tie": self._tie,
            "out": self._out,
            "order": lambda _: self._tell_order(),
            "status": self._status,
            "submit": lambda _: self._submit(),
            "show": self._show,
            "compare": self._compare,
            "prompt": lambda _: self._tell_prompt(),
            "guideline": self._guideline,
            "skip": self._skip,
            "previous": self._previous,
        }

    def run(self) -> int:
        """Rank until there is nothing left; return how many. Raises NothingToDo as documented."""
        who = self.session.desk.labeler
        while self.session.next():
            self._tell_task()
            try:
                while self.session.open:
                    self._answer(self.lines.ask("rank> "))
            except Quit:
                self._leave()
                return self.session.finished
        if not self.session.finished:
            raise NothingToDo(f"no task is left for {who!r}", hint="labelkit assign")
        self.say(f"No task is left. You ranked {count(self.session.finished, 'task')}.")
        return self.session.finished

    def _answer(self, line: str | None) -> None:
        if line is None:
            self._leave()
            again = command("labelkit", "rank", "--as", self.session.desk.labeler)
            raise NothingToDo(
                "end of input, and the task is not finished", hint=f"{again} goes on there"
            )
        self.session.clock.touch()
        self._guarded(line)
        if self.session.open:
            self.session.save()

    def _guarded(self, line: str) -> None:
        try:
            self._obey(line)
        except (OrderError, InputError) as error:
            self.say(f"Not understood: {error}. Type help for what there is.")
        except LeaseLost as error:
            self.say(f"Not stored: {error}. Your answer is kept as a draft.")
            self.session.drop()
        except LabelkitError as error:
            self.say(f"Not stored: {error}. Try again: {error.hint or 'submit'}.")

    def _obey(self, line: str) -> None:
        """A command, or the ranking itself."""
        word, _, rest = line.strip().partition(" ")
        command = self._commands.get(word.lower())
        if command is not None:
            command(rest.strip())
        elif word:
            self._order(line)

    def _leave(self) -> None:
        kept = self.session.leave()
        self.say("Your work is kept as a draft." if kept else "Nothing was begun.")

    # -- telling ---------------------------------------------------------------------------------

    def _tell_task(self) -> None:
        view, session = self.session.view, self.session
        self.say(f"{task_title(view)}. {view.k} completions, A to {session.letters[-1]}.")
        self._tell_prompt()
        for letter in session.letters:
            self._tell(letter)
        if session.resumed or view.revises:
            self.say("Going on where you left off:" if session.resumed else "You said:")
            self._status("")
        self.say("Type the order, best first, for example C > A = B > D. Type help for more.")

    def _tell_prompt(self) -> None:
        self.say("Prompt:")
        for heading, text in prompt_blocks(self.session.view):
            if heading:
                self.say(f"{heading}:" if text else f"{heading}.")
            if text:
                self.say(text)
        self.say("End of prompt.")
        self.say()

    def _tell(self, letter: str) -> None:
        words = count(self.session.words(letter), "word")
        hidden = self.session.hidden(letter)
        warning = f", {count(hidden, 'hidden character')} made visible" if hidden else ""
        self.say(f"Completion {letter}, {words}{warning}:")
        self.say(self.session.text(letter))
        self.say(f"End of completion {letter}.")
        self.say()

    def _tell_order(self) -> None:
        self.say(f"Order: {self.session.order_text or 'nothing is placed'}")
        for obstacle in self.session.state.obstacles():
            self.say(f"Still {obstacle}.")
        self._warn()

    def _warn(self) -> None:
        for higher, lower in self.session.state.contradictions():
            self.say(f"Note: {contradiction(higher, lower)}.")

    def _list(self, rules: Sequence[FlagRule]) -> None:
        for rule in rules:
            self.say(f"{rule.key}: {safe_text(rule.label)}")
        if not rules:
            self.say("The guideline has none.")

    def _help(self, _: str) -> None:
        self.say(HELP)

    def _guideline(self, _: str) -> None:
        guideline = self.session.guideline
        self.say(safe_text(guideline.text or guideline.ref) if guideline else "There is none.")

    def _status(self, _: str) -> None:
        work = self.session.state.work
        for letter in self.session.letters:
            if said := self._said_of(letter):
                self.say(f"{letter}: {'; '.join(said)}")
        if work.marks:
            self.say(f"Marks on the prompt: {', '.join(work.marks)}")
        if work.note:
            self.say(f"Note on the task: {work.note}")
        if work.step == RANK:
            self._tell_order()

    def _said_of(self, letter: str) -> list[str]:
        work, scale = self.session.state.work, self.session.scale
        rating, note = work.ratings.get(letter), work.notes.get(letter)
        said = [] if rating is None else [rating_words(scale, rating)]
        return [*said, *work.flags.get(letter, ()), *([f"note: {note}"] if note else [])]

    # -- judging ---------------------------------------------------------------------------------

    def _letter(self, rest: str, example: str) -> tuple[str, str]:
        """The letter a command is about, and what follows it."""
        letter, tail = rest[:1].upper(), rest[1:].strip()
        if not letter or letter not in self.session.letters or rest[1:2].isalpha():
            raise InputError(f"say which completion, for example {example}")
        return letter, tail

    def _rate(self, rest: str) -> None:
        words = rest.split()
        if len(words) == self.session.view.k and all(w.isdigit() for w in words):
            for letter, word in zip(self.session.letters, words, strict=True):
                self._rate_one(letter, word)
            return
        letter, word = self._letter(rest, "r A 6")
        self._rate_one(letter, word)

    def _rate_one(self, letter: str, word: str) -> None:
        scale = self.session.scale
        if word == "0" and scale.least > 0:
            self.session.state.rate(letter, None)
            self.say(f"{letter} is not rated.")
            return
        if not word.isdecimal() or not scale.least <= int(word) <= scale.most:
            raise InputError(f"rate with a number from {scale.least} to {scale.most}: r {letter} 5")
        self.session.state.rate(letter, int(word))
        self.say(f"{letter}: {rating_words(scale, int(word))}.")

    def _flag(self, rest: str) -> None:
        letter, tail = self._letter(rest, "m A hallucination")
        for key in _known(tail, self.session.flags, "flag"):
            self.session.state.flag(letter, key)
        flags = self.session.state.work.flags.get(letter, ())
        self.say(f"{letter} flags: {', '.join(flags) or 'none'}.")

    def _mark(self, rest: str) -> None:
        for key in _known(rest, self.session.marks, "mark"):
            self.session.state.mark(key)
        self.say(f"Marks on the prompt: {', '.join(self.session.state.work.marks) or 'none'}.")

    def _note(self, rest: str) -> None:
        letter, text = self._letter(rest, "n A TEXT")
        self.session.state.write_note(letter, text)
        self.say(f"Note on {letter} {'kept' if text else 'taken back'}.")

    def _task_note(self, rest: str) -> None:
        self.session.state.write_note(None, rest)
        self.say(f"Note on the task {'kept' if rest else 'taken back'}.")

    def _undo(self, _: str) -> None:
        self.say("Taken back." if self.session.state.undo() else "There is nothing to take back.")

    def _redo(self, _: str) -> None:
        self.say("Made again." if self.session.state.redo() else "There is nothing to make again.")

    # -- ranking ---------------------------------------------------------------------------------

    def _order(self, line: str) -> None:
        tiers, _ = parse_order(line, self.session.view.k)
        self.session.state.set_order([[LETTERS[i] for i in tier] for tier in tiers])
        self._submit()

    def _submit(self) -> None:
        order = self.session.order_text
        warnings = [contradiction(*pair) for pair in self.session.state.contradictions()]
        self.session.submit()
        self.say(f"Stored: {order}")
        for warning in warnings:
            self.say(f"Note: {warning}. To change it: previous")
        self.say()

    def _seed(self, _: str) -> None:
        if missing := self.session.state.unrated:
            raise InputError(f"rate {listed(missing)} first")
        self.session.state.seed()
        self._tell_order()

    def _keep(self, _: str) -> None:
        for group in self.session.state.work.unconfirmed:
            self.session.state.confirm(group)
        self._tell_order()

    def _place(self, rest: str) -> None:
        letter, word = self._letter(rest, "place A 2")
        if not word.isdecimal() or not 1 <= int(word) <= self.session.view.k:
            raise InputError(f"places go from 1 to {self.session.view.k}: place {letter} 2")
        self.session.state.place(letter, int(word) - 1)
        self._ranked()

    def _move(self, rest: str, *, up: bool) -> None:
        letter, _ = self._letter(rest, "up A")
        self.session.state.move(letter, up=up)
        self._ranked()

    def _tie(self, rest: str) -> None:
        letter, _ = self._letter(rest, "tie A")
        if self.session.state.tie(letter) is Tied.TOP:
            raise InputError(f"{letter} is at the top: there is nothing above to tie it with")
        self._ranked()

    def _out(self, rest: str) -> None:
        letter, _ = self._letter(rest, "out A")
        self.session.state.take_out(letter)
        self._ranked()

    def _ranked(self) -> None:
        self.session.state.to_step(RANK)
        self._tell_order()

    # -- reading and leaving ---------------------------------------------------------------------

    def _show(self, rest: str) -> None:
        letters = self._letter(rest, "show A")[0] if rest else self.session.letters
        for letter in letters:
            self._tell(letter)

    def _compare(self, rest: str) -> None:
        one, tail = self._letter(rest, "compare A B")
        other, _ = self._letter(tail, "compare A B")
        self.say(f"Completions {one} and {other}. [-only in {one}-] {{+only in {other}+}}")
        self.say(plain_difference(self.session.text(one), self.session.text(other)))

    def _skip(self, rest: str) -> None:
        reason, _, note = rest.partition(" ")
        self.session.skip(reason.lower(), note)
        self.say(f"Skipped: {reason.lower()}.")
        self.say()

    def _previous(self, _: str) -> None:
        if self.session.previous():
            self._tell_task()
        else:
            self.say("You have not submitted anything yet.")

    def _quit(self, _: str) -> None:
        raise Quit


def _known(rest: str, rules: Sequence[FlagRule], noun: str) -> list[str]:
    """The keys that were named. Raises InputError for one that the guideline does not have."""
    words = rest.replace(",", " ").split()
    keys = [rule.key for rule in rules]
    if not words:
        raise InputError(f"say which {noun}: {', '.join(keys) or 'the guideline has none'}")
    if strange := [word for word in words if word not in keys]:
        raise InputError(f"there is no {noun} {strange[0]!r}; there are {', '.join(keys)}")
    return words
