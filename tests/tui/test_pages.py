"""The pages, key by key, without a terminal: what is shown, what is stored, at every size."""

from __future__ import annotations

from typing import Any

import pytest
from desks import FakeDesk, a_view

from labelkit.domain.models import Message
from labelkit.domain.tasks import BatchSettings
from labelkit.errors import LeaseLost, StoreError
from labelkit.tui.bench import RankBench
from labelkit.tui.pages.rank import first_pages
from labelkit.tui.session import RankSession
from labelkit.tui.view.paper import Size

SIZES = [Size(80, 24), Size(120, 36), Size(160, 45), Size(200, 50)]
FOUR = ["alpha is first", "beta comes second", "gamma is third", "delta is last"]
LONG = "\n\n".join(f"Paragraph {i}. " + "word " * 60 for i in range(12))


def bench_of(views: list[Any], size: Size = SIZES[0]) -> tuple[RankBench, FakeDesk]:
    desk = FakeDesk(views)
    bench = RankBench(RankSession(desk, "screen"), size, first_pages)
    assert bench.start()
    return bench, desk


def shown(bench: RankBench, size: Size | None = None) -> str:
    return "\n".join(line.plain for line in bench.draw(size or bench.size))


def press(bench: RankBench, *keys: str) -> None:
    for key in keys:
        bench.press(key)


RATE = ("6", "enter", "2", "enter", "5", "enter", "6", "enter")


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s.width}x{s.height}")
def test_rate_rank_review_submit(size: Size) -> None:
    bench, desk = bench_of([a_view(FOUR)], size)
    assert "How good is A?" in shown(bench)
    assert "alpha is first" in shown(bench)
    press(bench, *RATE)
    assert bench.session.order_text == "A = D > C > B"
    assert "have the same rating" in shown(bench)
    press(bench, "enter")
    assert "Enter submits" not in shown(bench), "a tie nobody looked at cannot be submitted"
    press(bench, "=", "enter")
    assert "Your answer: A = D > C > B" in shown(bench)
    press(bench, "enter")
    (answer,) = desk.stored
    assert answer.tiers == (("uid-0", "uid-3"), ("uid-2",), ("uid-1",))
    assert answer.ratings == {"uid-0": 6, "uid-1": 2, "uid-2": 5, "uid-3": 6}
    assert answer.seeded
    assert bench.nothing_left


@pytest.mark.parametrize("size", [*SIZES, Size(60, 16), Size(40, 12), Size(20, 5), Size(1, 1)])
def test_every_page_fills_the_screen_exactly(size: Size) -> None:
    """Each page that any key opens, at each size, in both steps."""
    keys = [*"mxntvp?swzyu=kj01q", "enter", "tab", "space", "right", "escape"]
    for before in ((), RATE, (*RATE, "=", "enter")):
        for key in keys:
            bench, _ = bench_of([a_view([LONG, *FOUR[1:]])], size)
            press(bench, "escape", *before, key)
            for follow in ("", "down", "tab", "w", "space"):
                press(bench, *([follow] if follow else []))
                if bench.parting:
                    break
                lines = bench.draw(size)
                assert len(lines) == size.height, (before, key, follow)
                wrong = [x.plain for x in lines if x.cell_length != size.width]
                assert not wrong, (before, key, follow, wrong[:2])


def test_an_untouched_ranking_cannot_be_submitted() -> None:
    bench, desk = bench_of([a_view(FOUR)])
    press(bench, *["enter"] * 20)
    assert desk.stored == []
    assert "Rate A with 1 to 7 first" in shown(bench)


def test_without_seeding_every_completion_is_placed_by_hand() -> None:
    view = a_view(FOUR, settings=BatchSettings(k_min=2, seed_ratings=False))
    bench, desk = bench_of([view])
    press(bench, *RATE, "enter")
    assert "Still to be placed: A, B, C and D" in shown(bench)
    press(bench, "2", "1", "2", "4", "enter", "enter")
    assert desk.stored[0].tiers == (("uid-1",), ("uid-0", "uid-2"), ("uid-3",))
    assert not desk.stored[0].seeded


def test_partial_rankings_say_what_is_left_out() -> None:
    view = a_view(FOUR, settings=BatchSettings(k_min=2, partial=True))
    bench, desk = bench_of([view])
    press(bench, *RATE, "=", "b", "0", "enter")
    assert "not ranked, compared with nothing: B" in shown(bench)
    press(bench, "enter")
    assert desk.stored[0].unranked == ("uid-1",)


def test_letters_digits_arrows_tab_space_and_enter_do_everything() -> None:
    """No letter beyond those of the completions is needed: the menu has the rest."""
    bench, desk = bench_of([a_view(FOUR)])
    press(bench, "6", "right", *["down"] * 1, "enter")
    assert "Flags on completion A" in shown(bench)
    press(bench, "space", "enter")
    assert bench.session.state.work.flags == {"A": ("hallucination",)}
    press(bench, "enter", "4", "enter", "3", "enter", "1", "enter", "enter", "enter")
    assert len(desk.stored) == 1


def test_a_long_text_is_paged_and_the_furthest_point_kept() -> None:
    bench, _ = bench_of([a_view([LONG, *FOUR[1:]])])
    assert "pages ▼" in shown(bench)
    first = bench.session.state.read["A"]
    assert 0 < first < 0.5
    press(bench, "space")
    shown(bench)
    second = bench.session.state.read["A"]
    assert second > first
    press(bench, *["space"] * 20)
    assert "· end" in shown(bench)
    assert bench.session.state.read["A"] == 1.0
    assert "The end of A: rate it" in shown(bench)
    press(bench, "home")
    shown(bench)
    assert bench.session.state.read["A"] == 1.0


def test_a_prompt_that_does_not_fit_is_read_first() -> None:
    bench, _ = bench_of([a_view(FOUR, prompt=LONG)])
    assert "Read the prompt first" in shown(bench)
    assert "How good" not in shown(bench)
    press(bench, "enter")
    assert "more lines: p" in shown(bench)
    press(bench, "p")
    assert "Paragraph 0." in shown(bench)


def test_turns_and_kinds_of_prompts_are_shown_as_what_they_are() -> None:
    turns = (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello"))
    view = a_view(
        FOUR, messages=turns, prompt_kind="user_based", application="A shop wants a helper."
    )
    bench, _ = bench_of([view])
    text = shown(bench, Size(100, 40))
    assert "Prompt for an application that a user asked for" in text
    for wanted in ("A shop wants a helper.", "System", "User", "Assistant", "Hello"):
        assert wanted in text


def test_wide_screens_show_the_neighbour_with_differences_marked() -> None:
    texts = ["the red car drives fast today", "the blue car drives fast today", "x", "y"]
    bench, _ = bench_of([a_view(texts)], Size(160, 45))
    press(bench, "6", "enter", "5", "enter", "1", "enter", "2", "enter", "a")
    lines = bench.draw(bench.size)
    assert "just below it" in shown(bench)
    marked = [
        line.plain[s.start : s.end]
        for line in lines
        for s in line.spans
        if "underline" in str(s.style)
    ]
    assert set(marked) == {"red", "blue"}


def test_compare_any_two() -> None:
    bench, _ = bench_of([a_view(FOUR)])
    press(bench, *RATE, "=", "b", "v", "d")
    assert "D is better" in shown(bench)
    press(bench, "<")
    assert "B > D" in shown(bench)
    press(bench, "u", "escape")
    assert bench.session.order_text == "A = D > C > B"


def test_comparing_while_rating_does_not_rank() -> None:
    bench, _ = bench_of([a_view(FOUR)])
    press(bench, "v", "<")
    assert "Rate all of them first" in shown(bench)
    assert bench.session.state.tiers == ()


def test_contradictions_warn_and_never_block() -> None:
    bench, desk = bench_of([a_view(FOUR)])
    press(bench, *RATE, "=", "b", "k")
    assert "! B is above C but rated lower" in shown(bench)
    press(bench, "enter")
    assert "! B is above C but rated lower" in shown(bench)
    press(bench, "enter")
    assert len(desk.stored) == 1


def test_skip_with_a_reason_and_other_wants_a_note() -> None:
    bench, desk = bench_of([a_view(FOUR), a_view(FOUR, number=2)])
    press(bench, "s", "1")
    assert desk.stored == [("unclear", "")]
    press(bench, "s", "7")
    assert bench.note is not None
    bench.write_note("because")
    bench.end_note()
    press(bench, "s", "7")
    assert desk.stored[-1] == ("other", "because")


def test_every_key_is_saved_and_comes_back() -> None:
    bench, desk = bench_of([a_view([LONG, *FOUR[1:]])])
    press(bench, "6", "enter", "2", "a", "space", "m", "1", "enter", "x", "1", "enter")
    again = RankBench(
        RankSession(FakeDesk([a_view([LONG, *FOUR[1:]])], drafts=desk.drafts), "screen"),
        SIZES[0],
        first_pages,
    )
    assert again.start()
    assert again.session.state.work == bench.session.state.work
    assert "Resumed where you left off" in shown(again)
    assert shown(again).splitlines()[5:20] == shown(bench).splitlines()[5:20]


def test_a_draft_that_cannot_be_saved_is_said_until_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, desk = bench_of([a_view(FOUR)], Size(160, 45))

    def fail(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(desk, "save_draft", fail)
    press(bench, "6")
    assert "NOT SAVED: disk full" in shown(bench)
    monkeypatch.undo()
    press(bench, "enter")
    assert "✓ saved" in shown(bench)


def test_a_lost_lease_keeps_the_draft_and_goes_on() -> None:
    bench, desk = bench_of([a_view(FOUR), a_view(FOUR, number=2)])
    desk.refuses = LeaseLost("too late")
    press(bench, *RATE, "=", "enter", "enter")
    assert "kept as a draft" in shown(bench)
    assert desk.drafts["handle-1"]["order"] == "A = D > C > B"
    assert bench.session.view.handle == "handle-2"


def test_a_store_that_fails_keeps_the_task_open() -> None:
    bench, desk = bench_of([a_view(FOUR)])
    desk.refuses = StoreError("the disk is full")
    press(bench, *RATE, "=", "enter", "enter")
    assert "Not stored: the disk is full" in shown(bench)
    desk.refuses = None
    press(bench, "enter", "enter")
    assert len(desk.stored) == 1


@pytest.mark.parametrize("before", [(), ("p",), ("m",), (*RATE, "=", "enter")])
def test_after_the_end_there_is_nothing_to_draw_and_nothing_to_press(
    before: tuple[str, ...],
) -> None:
    """The screen may be resized, or a note closed, while it is on its way out."""
    bench, desk = bench_of([a_view(FOUR)])
    press(bench, *before)
    bench.leave()
    assert shown(bench).strip() == ""
    press(bench, "enter", "6")
    bench.save()
    assert desk.stored == []


def test_leaving_untouched_gives_the_task_back() -> None:
    bench, desk = bench_of([a_view(FOUR)])
    press(bench, "tab", "space", "q")
    assert desk.released == ["handle-1"]
    bench, desk = bench_of([a_view(FOUR)])
    press(bench, "3", "q")
    assert desk.released == []


def test_the_scale_of_the_guideline_counts() -> None:
    from desks import GUIDELINE, a_guideline

    short = a_guideline(GUIDELINE.replace("max: 7", "max: 5").replace("7: excellent", "5: best"))
    bench, _ = bench_of([a_view(FOUR, guideline=short)])
    press(bench, "6")
    assert bench.session.state.work.ratings == {}
    press(bench, "5")
    assert bench.session.state.work.ratings == {"A": 5}
    assert "1–5 rate" in shown(bench)


def test_no_guideline_is_no_trouble() -> None:
    bench, desk = bench_of([a_view(FOUR, guideline=None)])
    press(bench, "m", "1", "enter", "x", "escape", "?", "escape", "s", "1", "escape")
    press(bench, *RATE, "=", "enter", "enter")
    assert len(desk.stored) == 1


def test_clicks_do_what_keys_do() -> None:
    bench, _ = bench_of([a_view(FOUR)])
    found = set()
    for line in bench.draw(bench.size):
        found |= {
            span.style.meta["press"] for span in line.spans if getattr(span.style, "meta", None)
        }
    assert {"1", "7", "a", "d", "enter", "p", "?", "right"} <= found
