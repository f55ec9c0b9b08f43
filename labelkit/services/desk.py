"""A labeler's place at the store: next task, drafts, answers. It never learns a model's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from labelkit.domain.identity import named
from labelkit.domain.models import Demonstration, Label, Ranking, Skip
from labelkit.domain.tasks import LEASE_SECONDS, Answer, TaskKind, TaskView, check_answer
from labelkit.domain.times import now_text
from labelkit.errors import InputError, LabelkitError
from labelkit.services.assigning import assign_by_default
from labelkit.store import assigning, core, people, views
from labelkit.store import desk as slots
from labelkit.store.desk import Lease
from labelkit.store.drafts import Drafts


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
                    assigning.get_batch(tx, batch)
                who = people.get(tx, labeler)
        except LabelkitError:
            self._store.close()
            raise
        self.labeler = labeler
        self.labeler_kind = who.kind
        self._seat = slots.Desk(key, labeler, str(kind), lease_seconds, batch)
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

        On a store where nothing was ever handed out, a default batch is made first.
        """
        with self._store.write() as tx:
            if not assigning.any_task(tx, self._seat.kind):
                assign_by_default(tx, self._seat.kind)
            lease = slots.claim(tx, self._seat)
            if not self._counted:
                self._done, self._total = views.progress(tx, self._seat)
                self._counted = True
            return self._view(tx, lease) if lease else None

    def _view(self, tx: Any, lease: Lease) -> TaskView:
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
        """Store a ranking and fill the slot. Raises LeaseLost, and then the draft stays."""
        ranking = self._ranking(view, answer)
        self._store_answer(view, ranking)
        return ranking

    def submit_demonstration(
        self, view: TaskView, text: str, *, seconds: float, note: str = "", origin: str = "screen"
    ) -> Demonstration:
        """Store a demonstration and fill the slot. Raises LeaseLost, and then the draft stays."""
        if not text.strip():
            raise InputError("the demonstration is empty", hint="write it, or skip the task")
        common = self._common(view, seconds, note, origin)
        demonstration = named(view.prompt_uid, Demonstration(uid="", text=text, **common))
        self._store_answer(view, demonstration)
        return demonstration

    def skip(
        self, view: TaskView, reason: str, *, seconds: float, note: str = "", origin: str = "screen"
    ) -> Skip:
        """Put a task back and say why; it goes to somebody else."""
        known = [s.key for s in view.guideline.skips] if view.guideline else [reason]
        if reason not in known:
            raise InputError(
                f"not a reason to skip: {reason!r}", hint=f"one of: {', '.join(known)}"
            )
        common = self._common(view, seconds, note, origin)
        skip = named(view.prompt_uid, Skip(uid="", reason=reason, task=view.kind, **common))
        self._store_answer(view, skip, finished=False)
        return skip

    def renew(self, view: TaskView) -> None:
        """Hold the task for longer: the labeler is still there. Raises LeaseLost."""
        with self._store.write() as tx:
            slots.renew(tx, view.token, self._seat.lease_seconds)

    def release(self, view: TaskView) -> None:
        """Give back a task nobody touched. Raises LeaseLost."""
        with self._store.write() as tx:
            slots.release(tx, view.token)

    # -- revisions -------------------------------------------------------------------------------

    def reopen_last(self) -> tuple[TaskView, Ranking] | None:
        """Return the labeler's last submitted task and what they said, or None."""
        with self._store.read() as tx:
            found = views.last_ranking(tx, self._seat)
            if found is None:
                return None
            lease, ranking = found
            view = self._view(tx, lease)
        shown = {uid: i for i, uid in enumerate(ranking.shown)}
        order = sorted(view.candidates, key=lambda c: shown.get(c.uid, 0))
        return replace(view, candidates=tuple(order)), ranking

    def revise(self, view: TaskView, answer: Answer, old: Ranking) -> Ranking:
        """Store a ranking that takes the place of an older one. The older one stays."""
        ranking = self._ranking(view, answer, supersedes=old.uid)
        ranking = named(view.prompt_uid, replace(ranking, repeat=old.repeat, batch=old.batch))
        with self._store.write() as tx:
            slots.store_revision(tx, ranking, old.uid)
        return ranking

    # -- inside ----------------------------------------------------------------------------------

    def _ranking(self, view: TaskView, answer: Answer, supersedes: str | None = None) -> Ranking:
        check_answer(view, answer)
        common = self._common(view, answer.seconds, answer.note, answer.origin)
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
            **{**common, "supersedes": supersedes},
        )
        return named(view.prompt_uid, ranking)

    def _common(self, view: TaskView, seconds: float, note: str, origin: str) -> dict[str, Any]:
        return {
            "labeler": self.labeler,
            "labeler_kind": self.labeler_kind,
            "guideline": view.guideline.ref if view.guideline else None,
            "batch": view.batch,
            "seconds": round(seconds, 1),
            "note": note,
            "submitted_at": now_text(),
            "origin": origin,
        }

    def _store_answer(self, view: TaskView, label: Label, *, finished: bool = True) -> None:
        with self._store.write() as tx:
            slots.submit(tx, view.token, label)
        self._drafts.drop(_draft_key(view))
        self._done += finished


def _draft_key(view: TaskView) -> str:
    return f"{view.task}-{view.round}"
