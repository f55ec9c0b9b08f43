"""Hints at personal data in a text, for people to decide about.

Every kind is made to be rarely wrong rather than to find all there is: numbers must pass their own
checksum (IBAN: ISO 13616, payment cards: Luhn and a known issuer), telephone numbers the national
numbering plans, addresses must be ones that can belong to somebody. A hint is no proof, and no
hint is no proof of the contrary: names and postal addresses are not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from math import log2

from labelkit.domain.models import Prompt


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that looks like personal data: `text[start:end]` of a message."""

    kind: str
    start: int
    end: int
    found: str


Matches = Iterator[re.Match[str]]


# -- keys and tokens -----------------------------------------------------------------------------

_KEY = re.compile(
    r"""(?<![\w-])(?:
    sk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,} | (?:AKIA|ASIA)[0-9A-Z]{16} | gh[pousr]_[A-Za-z0-9]{36,}
    | github_pat_\w{22,} | glpat-[\w-]{20,} | xox[abeprs]-[\w-]{10,} | AIza[\w-]{35}
    | hf_[A-Za-z0-9]{30,} | [srp]k_(?:live|test)_[A-Za-z0-9]{16,} | npm_[A-Za-z0-9]{36}
    | SG\.[\w-]{16,}\.[\w-]{16,} | eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}
    )(?![\w-]) | -----BEGIN\ (?:[A-Z]+\ )?PRIVATE\ KEY-----""",
    re.VERBOSE,
)
# Looking for these first is many times faster than the pattern.
_KEY_SIGNS = (
    *("sk-", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("xox", "AIza", "hf_", "k_live_", "k_test_", "npm_", "SG.", "eyJ", "PRIVATE KEY"),
)
_LEAST_ENTROPY = 2.5
"""Bits a character; `sk-xxxxxxxx` of a manual has hardly any."""


def _keys(text: str) -> Matches:
    for sign in _KEY_SIGNS:
        if sign in text:
            return (m for m in _KEY.finditer(text) if _entropy(m[0]) >= _LEAST_ENTROPY)
    return iter(())


def _entropy(text: str) -> float:
    """Shannon entropy in bits a character.

    >>> _entropy("abab")
    1.0
    """
    shares = [text.count(c) / len(text) for c in set(text)]
    return -sum(share * log2(share) for share in shares)


# -- mail ----------------------------------------------------------------------------------------

_MAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
    r"[A-Za-z]{2,24}(?![\w@])"
)
# Addresses of machines, such as git@github.com:owner/repository.
_NOBODY = re.compile(r"git@|.*\.(?:png|jpe?g|gif|svg|webp)$", re.IGNORECASE)


def _mails(text: str) -> Matches:
    return (m for m in _MAIL.finditer(text) if not _NOBODY.match(m[0]))


# -- numbers with a checksum ---------------------------------------------------------------------

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![a-z0-9])")
# Lengths by country: SWIFT, IBAN Registry (ISO 13616).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL SD FK",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for m in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(m[0][:2])
        end = _end_of(m[0], length) if length else None
        if end and is_iban(m[0][:end]):
            yield m.start(), m.start() + end


def _end_of(text: str, count: int) -> int | None:
    """Where the first `count` characters of `text` end, spaces aside; words may follow."""
    for i, c in enumerate(text):
        count -= c != " "
        if not count:
            return i + 1
    return None


def is_iban(text: str) -> bool:
    """Whether `text` has the length of its country and the right check digits (ISO 7064, mod 97).

    >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    plain = text.replace(" ", "").upper()
    if _IBAN_LENGTHS.get(plain[:2]) != len(plain) or not plain.isalnum() or not plain.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


_CARD = re.compile(
    r"(?<![\w.,-])(?:\d{13,19}|\d{4}(?P<s>[ -])\d{4}(?P=s)\d{4}(?P=s)\d{1,7}"
    r"|\d{4}(?P<t>[ -])\d{6}(?P=t)\d{4,5})(?![\w-]|[.,]\d)"
)
# Issuers: Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay.
_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|62\d{14,17}"
)


def _cards(text: str) -> Matches:
    for m in _CARD.finditer(text):
        digits = re.sub(r"\D", "", m[0])
        if _ISSUER.fullmatch(digits) and luhn(digits):
            yield m


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B).

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = [int(d) * 2 for d in digits[-2::-2]]
    total = sum(map(int, digits[-1::-2])) + sum(d // 10 + d % 10 for d in doubled)
    return total % 10 == 0


# -- addresses of machines -----------------------------------------------------------------------

_IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34})(?![\w:]|\.\d)"
)
_VERSION = re.compile(r"(?:\bv|version|release|build)[ .:=]*$", re.IGNORECASE)
# Services that everybody uses say nothing about anybody.
_PUBLIC_SERVICES = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"})


def _ips(text: str) -> Matches:
    for m in _IP.finditer(text):
        before = text[max(0, m.start() - 12) : m.start()]
        if m[0] not in _PUBLIC_SERVICES and not _VERSION.search(before) and _is_global(m[0]):
            yield m


def _is_global(address: str) -> bool:
    """Private, local and documentation addresses lead to nobody."""
    try:
        parsed = ip_address(address.rstrip(":"))
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast


# -- telephone -----------------------------------------------------------------------------------

_PHONE = re.compile(
    r"(?<![\w.,:/=#$€£-])(?:\+|00)?\(?\d(?:[ ().\-/]{0,2}\d){6,15}(?![\w%]|[.,:-]\d)"
)
_NANP = re.compile(r"(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])\d{3}[-. ]\d{4}")
_DATE = re.compile(r"\d{1,4}([-./ ])\d{1,2}\1\d{1,4}\b")
_COUNTRIES = {
    "en": ("GB", "US"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH"),
    "es": ("ES", "MX"),
    "it": ("IT",),
    "nl": ("NL", "BE"),
    "pt": ("PT", "BR"),
    "pl": ("PL",),
    "ru": ("RU",),
    "ja": ("JP",),
    "zh": ("CN",),
}
"""Whose national numbers are looked for in a prompt of a language; English where it is not said."""


def _phones(text: str, language: str | None) -> Matches:
    countries = _COUNTRIES.get((language or "en")[:2].lower(), ())
    return (m for m in _PHONE.finditer(text) if _is_phone(m[0], countries))


def _is_phone(text: str, countries: Iterable[str]) -> bool:
    if text.startswith(("+", "00")):
        return _is_valid("+" + text.lstrip("+0"), None)
    if _NANP.fullmatch(text):
        return True
    if not re.search(r"\d[ ().\-/]", text) or _DATE.match(text):
        return False  # bare digits may be anything
    national = text.startswith(("0", "(0"))
    return national and any(_is_valid(text, country) for country in countries)


@cache
def _library() -> tuple[Callable[..., object], Callable[..., bool], type[Exception]]:
    import phonenumbers

    return (
        phonenumbers.parse,
        phonenumbers.is_valid_number,
        phonenumbers.NumberParseException,
    )


def _is_valid(text: str, country: str | None) -> bool:
    parse, valid, failed = _library()
    try:
        return valid(parse(text, country))
    except failed:
        return False


# -- all of them ---------------------------------------------------------------------------------

_DIGITS = re.compile(r"\d[\d ().\-/]{5,}\d")
_GROUPS = re.compile(r"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f]*:")
KINDS = ("key", "email", "iban", "card", "ip", "phone")


def hints(text: str, language: str | None = None) -> list[Hint]:
    """Return what looks like personal data, in the order of the text; nothing twice.

    >>> [(h.kind, h.found) for h in hints("mail jo@web.de, card 4111 1111 1111 1111")]
    [('email', 'jo@web.de'), ('card', '4111 1111 1111 1111')]
    """
    found = [("key", *m.span()) for m in _keys(text)]
    if "@" in text:
        found += [("email", *m.span()) for m in _mails(text)]
    if _DIGITS.search(text) or (":" in text and _GROUPS.search(text)):
        found += [("iban", *span) for span in _ibans(text)]
        found += [("card", *m.span()) for m in _cards(text)]
        found += [("ip", *m.span()) for m in _ips(text)]
        found += [("phone", *m.span()) for m in _phones(text, language)]
    if not found:
        return []
    return sorted(_apart(text, found), key=lambda hint: hint.start)


def _apart(text: str, found: Iterable[tuple[str, int, int]]) -> Iterator[Hint]:
    """Leave out what overlaps a hint of an earlier kind: the digits of an IBAN are no telephone."""
    taken: list[tuple[int, int]] = []
    for kind, start, end in found:
        if all(end <= first or last <= start for first, last in taken):
            taken.append((start, end))
            yield Hint(kind, start, end, text[start:end])


def hints_of(prompt: Prompt) -> list[Hint]:
    """Return the hints of all messages of a prompt, in their order."""
    return [h for m in prompt.messages for h in hints(m.content, prompt.language)]


def masked(hint: Hint) -> str:
    """Return a hint so that it can be told from others and is of no use to anybody.

    >>> masked(Hint("email", 0, 9, "jo@web.de")), masked(Hint("card", 0, 19, "4111 1111 1111 1111"))
    ('j***@w***.de', '***11')
    """
    if hint.kind == "email":
        name, _, host = hint.found.partition("@")
        return f"{name[0]}***@{host[0]}***.{host.rpartition('.')[2]}"
    if hint.kind == "key":
        return f"{hint.found[:4]}***"
    return f"***{hint.found[-2:]}"
