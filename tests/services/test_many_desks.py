"""Three desks that never agree on the time: whatever they do, in the end they say the same."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from helpers import ranking, record, write_jsonl
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from labelkit.domain.tasks import Answer, BatchSettings
from labelkit.domain.times import utc_text
from labelkit.errors import Conflict, NothingToDo
from labelkit.services import assigning, bundling, deciding, doctor, merging, people, project
from labelkit.services.desk import Desk
from labelkit.services.exporting import ExportOptions, export
from labelkit.services.importing import import_file

DESKS = ("a", "b", "c")
PEOPLE = ("ana", "ben")
SKEW = {"a": timedelta(0), "b": timedelta(days=-400), "c": timedelta(hours=7)}
START = datetime(2026, 5, 1, tzinfo=UTC)

desks = st.sampled_from(DESKS)
labelers = st.sampled_from(PEOPLE)


def merge(store: Path, *files: Path) -> merging.MergeReport:
    """Merge without the backup, which is tested elsewhere and takes most of the time."""
    kept = mock.Mock(path=None)
    with mock.patch("labelkit.services.backup.automatic", return_value=kept):
        return merging.merge(store, files)


def records(store: Path) -> bytes:
    out = store.with_suffix(".records")
    with out.open("wb") as file:
        export(store, ExportOptions("records"), file)
    return out.read_bytes()


def copied(store: Path, name: str) -> Path:
    return Path(shutil.copyfile(store, store.with_name(name)))


class ManyDesks(RuleBasedStateMachine):
    """Copies of one store at three places, and bundles between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ticks = itertools.count()
        self.bundles: list[Path] = []

    @initialize()
    def begin(self) -> None:
        first = self.store("a")
        project.init(first, write_settings=False)
        self._import("a", [record(f"q{i}", k=3, rankings=[ranking("old", "a>b>c")]) for i in "12"])
        for name in PEOPLE:
            people.add(first, name)
        self._assign("a", "rank")
        self._assign("a", "write")
        for name in DESKS[1:]:
            shutil.copyfile(first, self.store(name))

    def store(self, desk: str) -> Path:
        return self.folder / f"{desk}.db"

    @contextmanager
    def at(self, desk: str) -> Iterator[None]:
        def now() -> str:
            return utc_text(START + SKEW[desk] + timedelta(minutes=next(self.ticks)))

        with mock.patch("labelkit.services.desk.now_text", now):
            yield

    def _import(self, desk: str, said: list[dict[str, object]]) -> None:
        path = write_jsonl(self.folder / f"in-{next(self.ticks)}.jsonl", said)
        import_file(self.store(desk), str(path))

    def _assign(self, desk: str, kind: str, overlap: int = 1, batch: str | None = None) -> None:
        set_up = BatchSettings(k_min=2, overlap=overlap, repeat=0.5 * (kind == "rank"))
        options = assigning.AssignOptions(kind=kind, settings=set_up, batch=batch)
        assigning.assign(self.store(desk), options)

    # -- what people do --------------------------------------------------------------------------

    def _work(self, path: Path, desk: str, who: str, data: st.DataObject, kind: str) -> None:
        with self.at(desk), Desk(path, who, kind) as seat:
            view = seat.next_task()
            if view is None:
                return
            if data.draw(st.integers(0, 3)) == 0:
                reason = data.draw(st.sampled_from(["unclear", "other"]))
                seat.skip(view, reason, seconds=1.0)
            elif kind == "write":
                text = data.draw(st.sampled_from(["Blue scatters.", "It just is."]))
                seat.submit_demonstration(view, text, seconds=2.0)
            else:
                order = data.draw(st.permutations([c.uid for c in view.candidates]))
                seat.submit(view, Answer(tiers=tuple((uid,) for uid in order), seconds=3.0))

    @rule(desk=desks, who=labelers, data=st.data(), kind=st.sampled_from(["rank", "rank", "write"]))
    def work(self, desk: str, who: str, data: st.DataObject, kind: str) -> None:
        self._work(self.store(desk), desk, who, data, kind)

    @rule(desk=desks, who=labelers, data=st.data())
    def revise(self, desk: str, who: str, data: st.DataObject) -> None:
        with self.at(desk), Desk(self.store(desk), who) as seat:
            if last := seat.previous():
                uids = data.draw(st.permutations([c.uid for c in last[0].candidates]))
                seat.submit(last[0], Answer(tiers=(tuple(uids[:2]), *((u,) for u in uids[2:]))))

    @rule(desk=desks, user=st.sampled_from(["u1", "u2"]), name=st.sampled_from(["x", "y", "z"]))
    def learn(self, desk: str, user: str, name: str) -> None:
        """Files say different things about the same prompt, and bring new ones."""
        more = record("q1", k=4, user=user, meta={"from": name, user: 1}) | {"prompt_id": name}
        self._import(desk, [more, record(f"new {name}", k=2)])

    @rule(desk=desks, name=st.sampled_from(["id of q1", "id of q2"]), out=st.booleans())
    def decide(self, desk: str, name: str, out: bool) -> None:
        with suppress(NothingToDo):
            (deciding.exclude if out else deciding.keep)(self.store(desk), [name])

    @rule(desk=desks, overlap=st.integers(1, 2))
    def hand_out(self, desk: str, overlap: int) -> None:
        with suppress(NothingToDo, Conflict):
            self._assign(desk, "rank", overlap, "later")

    # -- what travels ----------------------------------------------------------------------------

    @rule(desk=desks, who=labelers, kind=st.sampled_from(["rank", "write"]))
    def take_away(self, desk: str, who: str, kind: str) -> None:
        out = self.folder / f"bundle-{len(self.bundles)}.db"
        options = bundling.BundleOptions(who, tasks=2, kind=kind)
        try:
            bundling.make(self.store(desk), out, options)
        except NothingToDo:
            return
        self.bundles.append(out)

    @precondition(lambda self: self.bundles)
    @rule(data=st.data(), clock=desks)
    def work_away(self, data: st.DataObject, clock: str) -> None:
        path = data.draw(st.sampled_from(self.bundles))
        with project.opened(path) as store, store.read() as tx:
            said = bundling.packing.manifest(tx)
        assert said is not None
        self._work(path, clock, said.labeler, data, said.kind)

    @rule(desk=desks, data=st.data())
    def bring(self, desk: str, data: st.DataObject) -> None:
        others = [*self.bundles, *(self.store(d) for d in DESKS if d != desk)]
        files = data.draw(st.lists(st.sampled_from(others), min_size=1, max_size=2))
        merge(self.store(desk), *files)

    # -- what holds ------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if self.store("c").exists():
                self._converge()
        finally:
            shutil.rmtree(self.folder)

    def _converge(self) -> None:
        for path in [*(self.store(d) for d in DESKS), *self.bundles]:
            assert not (found := doctor.examine(path)).problems, found.findings
        a, b, c = (copied(self.store(d), f"{d}-before.db") for d in DESKS)
        for bundle in self.bundles:
            merge(a, bundle)
        # (a + b) + c = a + (b + c) = (c + b) + a
        left, right, back = copied(a, "left.db"), copied(a, "right.db"), copied(c, "back.db")
        merge(left, b)
        merge(left, c)
        middle = copied(b, "middle.db")
        merge(middle, c)
        merge(right, middle)
        merge(back, b, a)
        whole = records(left)
        assert records(right) == whole
        assert records(back) == whole
        again = merge(left, right, back, *self.bundles)
        assert not any(counts["added"] for counts in again.came.counts.values())
        assert records(left) == whole
        assert not doctor.examine(left).problems


ManyDesks.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink would take minutes
)
TestManyDesks = ManyDesks.TestCase
