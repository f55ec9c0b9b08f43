"""What a dialect's rows can say of a prompt, and what becomes of the rest."""

from __future__ import annotations

import pytest

from labelkit.domain.asked import Asked, Carries, few_shot_examples, fitted, misfits
from labelkit.domain.models import Bundle, Completion, Message, Prompt

SYSTEM, ASK, TELL, MORE = (
    Message("system", "Be brief."),
    Message("user", "Hi"),
    Message("assistant", "Hello!"),
    Message("user", "Bye"),
)
TALK = (SYSTEM, ASK, TELL, MORE)


@pytest.mark.parametrize(
    ("messages", "carries", "found"),
    [
        (TALK, Carries(), []),
        (TALK, Carries(alternating=True), []),
        ((ASK, TELL), Carries(), ["open"]),
        ((SYSTEM,), Carries(), ["open"]),
        (TALK, Carries(system=False), ["system"]),
        (TALK[1:], Carries(system=False), []),
        (TALK, Carries(turns=False), ["turns"]),
        ((SYSTEM, ASK), Carries(turns=False), []),
        ((TELL, MORE), Carries(alternating=True), ["order"]),
        ((ASK, MORE), Carries(alternating=True), ["order"]),
        ((ASK, MORE), Carries(), []),
        (TALK, Carries(markers=("zzz", "ello")), ["marker"]),
        (TALK, Carries(markers=("zzz",)), []),
        ((TELL, TELL), Carries(turns=False, alternating=True), ["open", "turns", "order"]),
    ],
)
def test_what_stands_in_the_way(
    messages: tuple[Message, ...], carries: Carries, found: list[str]
) -> None:
    assert misfits(messages, carries) == found


SAID = "User: Hi\n\nAssistant: Hello!\n\nUser: Bye"


@pytest.mark.parametrize(
    ("messages", "carries", "flat"),
    [
        (TALK, Carries(turns=False), [SYSTEM, Message("user", SAID)]),
        (TALK, Carries(system=False), [Message("user", "Be brief.\n\nHi"), TELL, MORE]),
        (TALK, Carries(system=False, turns=False), [Message("user", f"Be brief.\n\n{SAID}")]),
        (
            (TELL, MORE),
            Carries(alternating=True),
            [Message("user", "Assistant: Hello!\n\nUser: Bye")],
        ),
        ((ASK, TELL), Carries(turns=False), None),  # nothing is asked
        (TALK, Carries(turns=False, markers=("Hello",)), None),
        (TALK, Carries(turns=False, markers=("Assistant:",)), None),  # flattening brings it in
    ],
)
def test_flattening(
    messages: tuple[Message, ...], carries: Carries, flat: list[Message] | None
) -> None:
    reasons = misfits(messages, carries)
    assert reasons
    assert fitted(messages, carries) == (None, reasons)
    assert fitted(messages, carries, flatten=True) == (flat, reasons)


def test_what_fits_is_left_as_it_is() -> None:
    assert fitted(TALK, Carries(), flatten=True) == (TALK, [])


@pytest.mark.parametrize("turns", [[ASK], [ASK, TELL, MORE], [TELL, ASK], [ASK, ASK], []])
def test_what_is_not_made_of_question_and_answer_has_no_examples(turns: list[Message]) -> None:
    assert few_shot_examples(turns) == []
    assert few_shot_examples([SYSTEM, ASK, TELL]) == [([SYSTEM, ASK], "Hello!")]


def asked(*messages: Message) -> Asked:
    completions = (Completion("a", "short"), Completion("b", "much longer"))
    return Asked(Bundle(Prompt("p", messages), completions), messages, "valid")


def test_a_prompt_as_rows_quote_it() -> None:
    found = asked(*TALK)
    assert found.chat[0] == {"role": "system", "content": "Be brief."}
    assert [m["role"] for m in found.chat] == ["system", "user", "assistant", "user"]
    assert (found.system, list(found.turns), found.question) == ("Be brief.", [*TALK[1:]], "Bye")
    assert (found.split, found.prompt.uid, found.texts["b"]) == ("valid", "p", "much longer")
    plain = asked(ASK)
    assert (plain.system, list(plain.turns), plain.question) == ("", [ASK], "Hi")
    assert Asked(plain.bundle, plain.messages).split == "train"


def test_lengths_are_measured_once() -> None:
    measured: list[str] = []

    def measure(text: str) -> int:
        measured.append(text)
        return len(text)

    found = asked(*TALK)
    for _ in range(2):
        assert found.size(measure) == sum(len(m.content) for m in TALK)
        assert (found.size_of("a", measure), found.size_of("b", measure)) == (5, 11)
    assert len(measured) == len(TALK) + 2
