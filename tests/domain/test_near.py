"""Near-duplicates: none is missed, and the order does not matter. Caps: the same."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from labelkit.domain.caps import Capped, over
from labelkit.domain.near import PREFIX, WORDS, Group, Text, folded, groups

words = st.lists(st.sampled_from(["a", "b", "c", "the", "cat", "sat", "on", "mat"]), max_size=9)
texts = st.lists(st.tuples(words.map(" ".join), st.integers(0, 2), st.booleans()), max_size=9).map(
    lambda said: [Text(f"{i:032x}", t, w, kept=k and w > 1) for i, (t, w, k) in enumerate(said)]
)
thresholds = st.sampled_from([0.5, 0.6, 0.75, 0.9, 1.0])


def plain(said: list[Text], threshold: float, prefix: int) -> dict[str, str]:
    """The same by comparing everything with everything: {duplicate: what stays}."""
    stays: list[Text] = []
    starts: dict[str, Text] = {}
    gone: dict[str, str] = {}
    for text in sorted(said, key=lambda t: (not t.kept, -t.weight, t.uid)):
        start = folded(text.text)[:prefix] if prefix else text.uid
        alike = [
            (Indel.normalized_similarity(folded(text.text).split(), folded(s.text).split()), -i)
            for i, s in enumerate(stays)
            if text.text.split() and s.text.split()
        ]
        near = [pair for pair in alike if pair[0] >= threshold]
        if text.kept or (start not in starts and not near):
            stays.append(text)
            starts.setdefault(start, text)
            continue
        leader = starts[start] if start in starts else stays[-max(near)[1]]
        starts.setdefault(start, leader)
        gone[text.uid] = leader.uid
    return gone


@given(texts, thresholds, st.sampled_from([0, 3, 200]))
@example([Text("0", "the the the cat"), Text("1", "the the cat the")], 0.75, 0)
@example([Text("0", "a a a a a"), Text("1", "a a a b b")], 0.6, 0)
def test_none_is_missed_and_none_is_made_up(
    said: list[Text], threshold: float, prefix: int
) -> None:
    found = groups(said, threshold, prefix)
    assert {m.uid: g.stays for g in found for m in g.members} == plain(said, threshold, prefix)


@given(texts, thresholds, st.randoms())
def test_the_order_does_not_matter(said: list[Text], threshold: float, rnd: Any) -> None:
    mixed = list(said)
    rnd.shuffle(mixed)
    assert groups(mixed, threshold, 5) == groups(said, threshold, 5)


def test_a_long_common_prefix_is_enough() -> None:
    start = "Answer like a pirate, in three short lines, and rhyme: "
    said = [Text("1", start + "why is the sky blue?"), Text("2", start.upper() + "who was Ada?")]
    assert groups(said, 1.0, 200) == []
    ((group),) = groups(said, 1.0, 40)
    assert (group.stays, [m.why for m in group.members]) == ("1", [PREFIX])


def test_case_spacing_and_composition_make_no_difference() -> None:
    said = [Text("1", "Caf\u00e9  au lait?"), Text("2", "cafe\u0301 AU\nlait?")]
    assert [g.stays for g in groups(said, 1.0)] == ["1"]


def test_texts_without_spaces_are_compared_by_character() -> None:
    said = [Text("1", "日本の首都はどこですか"), Text("2", "日本の首都はどこでしょうか")]
    (group,) = groups(said, 0.8, 0)
    assert group.members[0].why == WORDS


def test_what_was_kept_stays() -> None:
    said = [Text(str(i), "the very same", weight=i, kept=i < 2) for i in range(4)]
    assert groups(said) == [Group("1", groups(said)[0].members)]
    assert [m.uid for m in groups(said)[0].members] == ["3", "2"]


# -- caps ----------------------------------------------------------------------------------------

capped = st.lists(
    st.tuples(st.sampled_from(["u1", "u2"]), st.booleans(), st.booleans()), max_size=12
).map(lambda said: [Capped(i, f"{i:032x}", *rest) for i, rest in enumerate(said)])


@given(capped, st.integers(1, 5), st.randoms())
def test_a_cap_holds_whatever_the_order(said: list[Capped], most: int, rnd: Any) -> None:
    mixed = list(said)
    rnd.shuffle(mixed)
    gone = over(said, most, "seed")
    assert over(mixed, most, "seed") == gone
    for user in ("u1", "u2"):
        left = [p for p in said if p.group == user and p not in gone]
        kept = [p for p in said if p.group == user and p.kept]
        assert len(left) <= max(most, len(kept))
        assert set(kept) <= set(left)
        if any(p.group == user for p in gone):
            assert len(left) >= most
            assert not any(p.labelled for p in gone if p.group == user) or all(
                p.labelled or p.kept for p in left
            )


@given(capped, st.integers(1, 5))
def test_a_cap_applied_twice_is_applied_once(said: list[Capped], most: int) -> None:
    gone = over(said, most)
    assert over([p for p in said if p not in gone], most) == []
