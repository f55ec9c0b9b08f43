"""Hints at personal data: known good and bad values of each kind."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.domain.models import Message, Prompt
from labelkit.domain.pii import KINDS, Hint, hints, hints_of, is_iban, luhn, masked

SOMETHING = {
    "email": [
        "jo@web.de",
        "Jane.Doe+lists@mail.example.co.uk",
        "o_x%y@sub.domain.museum",
        "jürgen@uni-köln.de".replace("ö", "oe"),
    ],
    "iban": [  # from the IBAN registry's examples
        "DE89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "NO9386011117947",
        "FR14 2004 1010 0505 0001 3M02 606",
        "MT84MALT011000012345MTLCAST001S",
    ],
    "card": [  # the payment networks' own test numbers
        "4111 1111 1111 1111",
        "4012-8888-8888-1881",
        "5555555555554444",
        "2223 0031 2200 3222",
        "3782 822463 10005",
        "6011111111111117",
        "3530111333300000",
        "30569309025904",
    ],
    "ip": ["84.17.46.53", "2a00:1450:4001:82a::200e", "2001:4860:4860::8888"],
    "phone": [
        "+49 171 2345678",
        "+1 650-253-0000",
        "+44 20 7946 0958",
        "0033 1 42 68 53 00",
        "(650) 253-0000",
        "650-253-0000",
        "555-123-4567",
        "020 7946 0958",
    ],
    "key": [
        "sk-proj-Zx81kLmQ2vNp5RtY7wBc3dFg",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "xoxb-123456789012-abcDEF",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    ],
}

NOTHING = [
    "git@github.com:owner/project.git",
    "an @mention, user@host, a@b and 5@3.7",
    "logo@2x.png",
    "DE89370400440532013001 has a wrong check digit",
    "XX89370400440532013000 is of no country",
    "4111 1111 1111 1112 fails Luhn",
    "1234567812345670 passes Luhn and is of no issuer",
    "0000 0000 0000 0000",
    "192.168.1.10, 10.0.0.1, 127.0.0.1 and 192.0.2.7 lead to nobody",
    "version 84.17.46.53, v84.17.46.53",
    "ask 8.8.8.8",
    "999.1.2.3 and 1.2.3",
    "std::vector and 2001:db8::1 and 12:30:45",
    "from 2024-01-15 to 15.01.2024, 1/2/2024",
    "pi is 3.14159265358979, e is 2.718281828",
    "1,234,567.89 and $100,200,300",
    "order 12345678901, ISBN 978-3-16-148410-0",
    "1 2 3 4 5 6 7 8 9 10",
    "x = 1234567; y = 89012345",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxx is a placeholder",
    "task-based, risk-averse and a mask-like ask-me-anything-at-any-time",
    "+0 000 000 000, +1 23",
    "9,223,372,036,854,775,807",
]


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in SOMETHING.items() for t in ts])
def test_what_is_something(kind: str, text: str) -> None:
    said = f"Write to {text}, please."
    (found,) = hints(said)
    assert (found.kind, found.found) == (kind, text)
    assert said[found.start : found.end] == text


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_nothing(text: str) -> None:
    assert hints(text) == []


def test_every_kind_has_known_values() -> None:
    assert set(SOMETHING) == set(KINDS)


def test_national_numbers_depend_on_the_language() -> None:
    assert [h.kind for h in hints("0171 2345678", "de")] == ["phone"]
    assert hints("0171 2345678", "ja") == []


def test_all_messages_are_looked_at_in_order() -> None:
    said = [Message("system", "mail a@web.de"), Message("user", "or b@web.de, c@web.de")]
    found = hints_of(Prompt("ab" * 16, tuple(said)))
    assert [h.found for h in found] == ["a@web.de", "b@web.de", "c@web.de"]


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in SOMETHING.items() for t in ts])
def test_a_mask_gives_nothing_away(kind: str, text: str) -> None:
    shown = masked(Hint(kind, 0, len(text), text))
    assert "***" in shown
    assert text not in shown
    assert sum(c.isdigit() for c in shown) <= 4


@given(st.integers(10**11, 10**15))
def test_luhn_takes_one_check_digit_in_ten(number: int) -> None:
    assert sum(luhn(f"{number}{d}") for d in range(10)) == 1


@given(st.integers(0, 10**18 - 1))
def test_an_iban_has_one_pair_of_check_digits(account: int) -> None:
    fits = [c for c in range(2, 99) if is_iban(f"DE{c:02d}{account:018d}")]
    assert len(fits) == 1


@given(st.text(max_size=300))
def test_any_text_is_looked_through(text: str) -> None:
    found = hints(text)
    assert all(text[h.start : h.end] == h.found for h in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_long_hostile_texts_take_no_long_time() -> None:
    """Quadratic patterns would need minutes for these."""
    for piece in ("1", "1 ", "a.", "a@", "1.1.", "sk-", "(1", "GB82", "2001:", "-", "0 0("):
        assert isinstance(hints(piece * 20_000), list)
