"""Writing demonstrations by lines, from a pipe, or in the labeler's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from labelkit.domain.lengths import words
from labelkit.domain.safe_text import safe_text
from labelkit.errors import InputError, LabelkitError, LeaseLost, NothingToDo
from labelkit.tui.desk import WriteDesk
from labelkit.tui.lines import Lines
from labelkit.tui.session import WriteSession
from labelkit.tui.wording import count, prompt_blocks, task_title

END = "."
HELP = """\
Write the text, line after line. A line with nothing but a full stop ends and submits it.
These lines are commands, and no part of the text:
/show           read what you wrote so far
/undo           take the last line back;   /clear   begin anew
/note TEXT      note on the task
/edit           go on in your own editor ($VISUAL or $EDITOR)
/prompt, /guideline   read them again
/skip unclear WHY     put the task back. /reasons lists the reasons
/previous       open your last submitted demonstration again
/quit           leave; your text is kept
//              begins a line of text with one slash"""
SCISSORS = "# ------------------------ >8 ------------------------"


class PlainWrite:
    """One labeler who writes by lines, on a terminal."""

    def __init__(self, desk: WriteDesk, lines: Lines, *, editor: bool = False) -> None:
        self.session = WriteSession(desk, "editor" if editor else "plain")
        self.lines = lines
        self.say = self.lines.say
        self._editor = editor
        self._commands: dict[str, Callable[[str], bool]] = {
            "/help": lambda _: self._told(HELP),
            "/show": lambda _: self._told(self.session.text or "Nothing is written yet."),
            "/undo": self._undo,
            "/clear": self._clear,
            "/note": self._note,
            "/edit": lambda _: self._edit(),
            "/prompt": lambda _: self._tell_prompt(),
            "/guideline": self._guideline,
            "/reasons": self._reasons,
            "/skip": self._skip,
            "/previous": self._previous,
            "/quit": self._quit,
            END: lambda _: self._submit(),
        }

    def run(self) -> int:
        """Write until there is nothing left; return how many. Raises NothingToDo as documented."""
        while self.session.next():
            self._tell_task()
            if self._editor:
                self._guarded(self._edit)
            while self.session.open:
                line = self.lines.ask("write> ")
                if line is None:
                    self.session.leave()
                    raise NothingToDo("end of input: the text is not finished, and is kept")
                if not self._take(line):
                    return self.session.finished
        if not self.session.finished:
            raise NothingToDo(f"no task is left for {self.session.desk.labeler!r}")
        self.say(f"No task is left. You wrote {count(self.session.finished, 'demonstration')}.")
        return self.session.finished

    def _take(self, line: str) -> bool:
        """Act on one line; False when the labeler leaves."""
        self.session.clock.touch()
        word, _, rest = line.strip().partition(" ")
        command = self._commands.get(word)
        if command is None or (word == END and rest):
            text = line.removeprefix("/") if line.startswith("//") else line
            self.session.text += text + "\n"
            self.session.save()
            return True
        return self._guarded(lambda: command(rest.strip()))

    def _guarded(self, work: Callable[[], bool]) -> bool:
        try:
            stays = work()
        except InputError as error:
            self.say(f"Not understood: {error}." + (f" Try: {error.hint}." if error.hint else ""))
            return True
        except LeaseLost as error:
            self.say(f"Not stored: {error}. Your text is kept as a draft.")
            self.session.drop()
            return True
        except LabelkitError as error:
            self.say(f"Not stored: {error}. Your text is kept; a full stop tries again.")
            return True
        if stays and self.session.open:
            self.session.save()
        return stays

    # -- telling ---------------------------------------------------------------------------------

    def _told(self, text: str) -> bool:
        self.say(text)
        return True

    def _tell_task(self) -> None:
        title = task_title(self.session.view)
        self.say(f"{title}. Write the best answer to this prompt that you can.")
        self._tell_prompt()
        if self.session.text:
            self.say("You wrote so far:")
            self.say(self.session.text)
        if not self._editor:
            self.say("A line with nothing but a full stop submits. /help for more.")

    def _tell_prompt(self) -> bool:
        tell_prompt(self.session, self.say)
        return True

    def _guideline(self, _: str) -> bool:
        guideline = self.session.guideline
        return self._told((guideline.text or guideline.ref) if guideline else "There is none.")

    def _reasons(self, _: str) -> bool:
        return self._told("\n".join(f"{s.key}: {safe_text(s.label)}" for s in self.session.skips))

    # -- doing -----------------------------------------------------------------------------------

    def _submit(self) -> bool:
        words = self.session.words
        self.session.submit()
        return self._told(f"Stored: {count(words, 'word')}.\n")

    def _undo(self, _: str) -> bool:
        self.session.text = "".join(self.session.text.splitlines(keepends=True)[:-1])
        return self._told("The last line is gone." if self.session.text else "Nothing is left.")

    def _clear(self, _: str) -> bool:
        self.session.text = ""
        return self._told("Begin anew.")

    def _note(self, rest: str) -> bool:
        self.session.note = rest
        return self._told("Note kept." if rest else "Note taken back.")

    def _skip(self, rest: str) -> bool:
        reason, _, note = rest.partition(" ")
        self.session.skip(reason.lower(), note)
        return self._told(f"Skipped: {reason.lower()}.\n")

    def _previous(self, _: str) -> bool:
        if not self.session.previous():
            return self._told("You have not submitted anything yet.")
        self._tell_task()
        return True

    def _quit(self, _: str) -> bool:
        self.say("Your text is kept." if self.session.leave() else "Nothing was begun.")
        return False

    def _edit(self) -> bool:
        """Go on in an editor; what it leaves is the text, to be submitted or edited again."""
        self.session.text = edited(self.session)
        self.session.save()
        words = count(self.session.words, "word")
        return self._told(
            f"{words}. A full stop submits it, /edit goes on, /skip WHY puts it back."
        )


def run_piped(desk: WriteDesk, lines: Lines) -> int:
    """Take all of standard input as the demonstration for the next prompt.

    Raises NothingToDo when there is no prompt, InputError when the text is not one.
    """
    session = WriteSession(desk, "plain")
    if not session.next():
        raise NothingToDo(
            f"no task is left for {desk.labeler!r}", hint="labelkit assign --kind write"
        )
    tell_prompt(session, lines.say)
    try:
        session.text = lines.rest().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        session.leave()
        raise InputError("standard input is not UTF-8") from None
    if not session.text.strip():
        session.leave()
        raise InputError(
            "standard input is empty: nothing was stored", hint="labelkit write < FILE"
        )
    try:
        session.submit()
    except LabelkitError:
        session.drop()
        raise
    lines.say(f"Stored: {count(words(session.text), 'word')}.")
    return 1


def tell_prompt(session: WriteSession, say: Callable[[str], None]) -> None:
    """Print the prompt of the task at hand."""
    say("Prompt:")
    for heading, text in prompt_blocks(session.view):
        if heading:
            say(f"{heading}:" if text else f"{heading}.")
        if text:
            say(text)
    say("End of prompt.")
    say("")


def edited(session: WriteSession) -> str:
    """Return the text as the labeler's editor leaves it. Raises LabelkitError when it fails.

    The prompt stands below a line of scissors; everything from there on is cut off.
    """
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    blocks = ["\n".join(filter(None, block)) for block in prompt_blocks(session.view)]
    below = "\n\n".join([f"{SCISSORS}\n# What is below is only for you to read.", *blocks])
    with tempfile.TemporaryDirectory(prefix="labelkit-") as folder:
        path = Path(folder) / "demonstration.md"
        path.write_text(f"{session.text}\n\n{below}\n", encoding="utf-8")
        try:
            subprocess.run([*command, str(path)], check=True)
            text = path.read_text(encoding="utf-8")
        except (OSError, subprocess.CalledProcessError) as error:
            raise LabelkitError(f"{command[0]}: {error}", hint="set EDITOR to an editor") from None
        except UnicodeDecodeError:
            raise InputError("the editor saved a text that is not UTF-8") from None
    return text.partition(SCISSORS)[0].strip("\n")
