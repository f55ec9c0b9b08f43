"""A labeler's place at the store: next task, drafts, answers. It never learns a model's name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labelkit.domain.identity import named
from labelkit.domain.models import AnyLabel, Demonstration, Ranking, Skip
from labelkit.domain.tasks import (
    LEASE_SECONDS,
    Answer,
    TaskKind,
    TaskView,
    check_answer,
    check_text,
)
from labelkit.domain.times import now_text
from labelkit.errors import InputError, LabelkitError, UsageError
from labelkit.services.settings import lookup, truth
from labelkit.store import batches, core, people, views
from labelkit.store import desk as slots
from labelkit.store.desk import Lease
from labelkit.store.drafts import REVISION, Drafts
from labelkit.store.engine import Tx


class Desk:
    """Open for as long as a labeler sits there. Use `close()`, or as a context manager."""

    def __init__(
        self,
        path: Path,
        labeler: str,
        kind: str = TaskKind.RANK,
        *,
        batch: str | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._store = core.open_store(path)
        try:
            with self._store.read() as tx:
                key = people.key(tx, labeler)
                if batch is not None:
                    batches.get_batch(tx, batch)
                who = people.get(tx, labeler)
                if not who.active:
                    raise UsageError(f"labeler {labeler!r} is not active any more")
        except LabelkitError:
            self._store.close()
            raise
        self.labeler = labeler
        self.labeler_kind = who.kind
        self._seat = slots.Desk(key, labeler, str(who.kind), str(kind), lease_seconds, batch)
        self._drafts = Drafts.of(path, key)
        self._done, self._total = 0, 0
        self._counted = False

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._store.close()

    def next_task(self) -> TaskView | None:
        """Return the next task, held for this labeler, or None when there is nothing to do.

        A revision that was begun and not submitted comes first. On a store where nothing was ever
        handed out, a default batch is made.
        """
        return self._begun_revision() or self._claimed()

    def _claimed(self) -> TaskView | None:
        with self._store.write() as tx:
            if not (batches.any_batch(tx, self._seat.kind) or core.get_setting(tx, core.BUNDLE)):
                _assign_by_default(tx, self._seat.kind)
            lease = slots.claim(tx, self._seat)
            if not self._counted:
                self._done, self._total = views.progress(tx, self._seat)
                self._counted = True
            return self._view(tx, lease) if lease else None

    def _view(self, tx: Tx, lease: Lease) -> TaskView:
        total = max(self._total, self._done + 1)
        return views.view_of(tx, self._seat, lease, self._done, total)

    # -- drafts ----------------------------------------------------------------------------------

    def draft(self, view: TaskView) -> dict[str, Any] | None:
        """Return what was saved of a task that was begun before."""
        return self._drafts.load(_draft_key(view))

    def save_draft(self, view: TaskView, body: dict[str, Any]) -> None:
        """Keep work in progress. Called on every key, so it takes no lock and waits for nobody."""
        self._drafts.save(_draft_key(view), body)

    # -- answers ---------------------------------------------------------------------------------

    def submit(self, view: TaskView, answer: Answer) -> Ranking:
        """Store a ranking and fill the slot, or put it in the place of the one it revises.

        Raises InputError for an answer that breaks the task's rules, and LeaseLost when the slot
        is not held any more; then the draft stays.
        """
        check_answer(view, answer)
        ranking = Ranking(
            uid="",
            tiers=tuple(tuple(sorted(tier)) for tier in answer.tiers),
            unranked=tuple(sorted(answer.unranked)),
            ratings=dict(sorted(answer.ratings.items())),
            flags={uid: tuple(sorted(f)) for uid, f in sorted(answer.flags.items()) if f},
            notes={uid: note for uid, note in sorted(answer.notes.items()) if note},
            marks=tuple(sorted(answer.marks)),
            shown=tuple(c.uid for c in view.candidates),
            read=dict(sorted(answer.read.items())),
            seeded=answer.seeded,
            revisions=answer.revisions,
            repeat=view.round > 0,
            **self._common(view, answer.seconds, answer.note, answer.origin),
        )
        return self._stored(view, ranking)

    def submit_demonstration(
        self, view: TaskView, text: str, *, seconds: float, note: str = "", origin: str = "screen"
    ) -> Demonstration:
        """Store a demonstration and fill the slot, or revise one. Raises like `submit`."""
        if not text.strip():
            raise InputError("the demonstration is empty", hint="write it, or skip the task")
        check_text(text, "the demonstration")
        common = self._common(view, seconds, note, origin)
        return self._stored(view, Demonstration(uid="", text=text, **common))

    def skip(
        self, view: TaskView, reason: str, *, seconds: float, note: str = "", origin: str = "screen"
    ) -> Skip:
        """Put a task back and say why; it goes to somebody else. Raises like `submit`."""
        if view.revises:
            raise InputError("a task you submitted can be changed, not skipped")
        known = [s.key for s in view.guideline.skips] if view.guideline else [reason]
        if reason not in known:
            raise InputError(
                f"not a reason to skip: {reason!r}", hint=f"one of: {', '.join(known)}"
            )
        common = self._common(view, seconds, note, origin)
        return self._stored(view, Skip(uid="", reason=reason, task=view.kind, **common))

    def renew(self, view: TaskView) -> None:
        """Hold the task for longer: the labeler is still there. Raises LeaseLost."""
        if not view.revises:
            with self._store.write() as tx:
                slots.renew(tx, view.token, self._seat.lease_seconds)

    def release(self, view: TaskView) -> None:
        """Give back a task about which nothing was said, and forget its draft."""
        if not view.revises:
            with self._store.write() as tx:
                slots.release(tx, view.token)
        self._drafts.drop(_draft_key(view))

    # -- revisions -------------------------------------------------------------------------------

    def previous(self, before: TaskView | None = None) -> tuple[TaskView, Ranking] | None:
        """Return the ranking submitted last, and its task as it was shown; None when there is none.

        When `before` is a revision already, the one before that.
        """
        return self._previous(Ranking, before)

    def previous_demonstration(
        self, before: TaskView | None = None
    ) -> tuple[TaskView, Demonstration] | None:
        """Return the demonstration submitted last, as `previous` does for rankings."""
        return self._previous(Demonstration, before)

    def _previous(
        self, kind: type[AnyLabel], before: TaskView | None
    ) -> tuple[TaskView, AnyLabel] | None:
        with self._store.read() as tx:
            last = before.revises if before else None
            found = views.last_label(tx, self._seat, kind, last)
            return self._reopened(tx, *found) if found else None

    def _begun_revision(self) -> TaskView | None:
        kind = Ranking if self._seat.kind == TaskKind.RANK else Demonstration
        for key in self._drafts.keys_with(REVISION):
            uid = key.removeprefix(REVISION)
            with self._store.read() as tx:
                stored = views.is_superseded(tx, uid)
                found = None if stored else views.label_by_uid(tx, self._seat, kind, uid)
                if found:
                    return self._reopened(tx, *found)[0]
            if stored:  # a kill came between the commit and this; asked again, it would count twice
                self._drafts.drop(key)
        return None

    def _reopened(self, tx: Tx, lease: Lease, label: AnyLabel) -> tuple[TaskView, AnyLabel]:
        """The task of a label, in the order in which it was shown."""
        view = replace(self._view(tx, lease), revises=label.uid, batch=label.batch or "")
        if isinstance(label, Ranking):
            at = {uid: i for i, uid in enumerate(label.shown)}
            order = sorted(view.candidates, key=lambda c: at.get(c.uid, 0))
            view = replace(view, candidates=tuple(order))
        return view, label

    # -- inside ----------------------------------------------------------------------------------

    def _common(self, view: TaskView, seconds: float, note: str, origin: str) -> dict[str, Any]:
        check_text(note, "the note")
        return {
            "labeler": self.labeler,
            "labeler_kind": self.labeler_kind,
            "guideline": view.guideline.ref if view.guideline else None,
            "batch": view.batch,
            "seconds": round(seconds, 1),
            "note": note,
            "submitted_at": now_text(),
            "supersedes": view.revises,
            "origin": origin,
        }

    def _stored(self, view: TaskView, label: AnyLabel) -> AnyLabel:
        label = named(view.prompt_uid, label)
        with self._store.write() as tx:
            if view.revises:
                slots.store_revision(tx, label, view.revises)
            else:
                slots.submit(tx, view.token, label)
        self._drafts.drop(_draft_key(view))
        self._done += not (view.revises or isinstance(label, Skip))
        return label


def sit_down(store: Path, labeler: str | None, kind: str, *, batch: str | None = None) -> Desk:
    """Open a desk for a labeler: the one named, the one in the settings, the one a bundle is for.

    Raises UsageError when there is none, NotFound when nobody is called that.
    """
    name = lookup("labeler", None, flag=labeler).value or _owner(store)
    if not name:
        raise UsageError("who are you?", hint="--as NAME, or set LABELKIT_LABELER")
    return Desk(store, str(name), kind, batch=batch)


def _owner(path: Path) -> str | None:
    """Return whom a bundle was made for."""
    with closing(core.open_store(path)) as store, store.read() as tx:
        found = core.get_setting(tx, core.BUNDLE)
        (owner,) = people.everyone(tx) if found else (None,)
    return owner.name if owner else None


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a labeler wants the desk to look; `keys` says which key stands for which."""

    plain: bool
    theme: str
    keys: Mapping[str, Any]


def preferences() -> Preferences:
    """Read them from the settings. Raises UsageError."""
    keys = lookup("keys", {})
    if not isinstance(keys.value, dict):
        raise UsageError(f"{keys.origin}: [keys] is not a table")
    theme = str(lookup("theme", "dark").value)
    return Preferences(truth(lookup("plain", False)), theme, keys.value)


def _assign_by_default(tx: Tx, kind: str) -> None:
    # Once in the life of a store: not worth loading at every start.
    from labelkit.services.assigning import assign_by_default

    assign_by_default(tx, kind)


def _draft_key(view: TaskView) -> str:
    return f"{REVISION}{view.revises}" if view.revises else view.handle
