"""Inputs made from other inputs: bits, bytes, pieces and words of the formats."""

from __future__ import annotations

import random

WORDS = [
    b'{"prompt": "q", "completions": []}\n',
    b'"tiers"',
    b"[[]]",
    b"null",
    b"1e999",
    b"NaN",
    b"-0",
    b"9" * 5000,
    b"[" * 3000,
    b'{"a":' * 500,
    b"\\ud800",
    b"\\u0000",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\x1f\x8b\x08\x00",
    b"\r\n",
    b"\n---\n",
    b"&a [*a]",
    b"!!python/object:os.system {}",
    b"2026-13-45",
    b"0x" + b"f" * 300,
    b"[keys]\n",
    b'"" = ""\n',
    b"a > b = c / d",
    b"\xe2\x80\xa8",
    b"\x1b]52;c;eA==\x07",
]
LONGEST = 1 << 16


def mutated(rnd: random.Random, seeds: list[bytes]) -> bytes:
    """Return one of the seeds after a few changes."""
    data = bytearray(rnd.choice(seeds))
    for _ in range(rnd.choice((1, 1, 2, 4, 8))):
        _CHANGES[rnd.randrange(len(_CHANGES))](rnd, data, seeds)
    return bytes(data[:LONGEST])


def _flip(rnd: random.Random, data: bytearray, _: list[bytes]) -> None:
    if data:
        data[rnd.randrange(len(data))] ^= 1 << rnd.randrange(8)


def _byte(rnd: random.Random, data: bytearray, _: list[bytes]) -> None:
    at = rnd.randint(0, len(data))
    data[at : at + rnd.randint(0, 1)] = bytes([rnd.randrange(256)])


def _cut(rnd: random.Random, data: bytearray, _: list[bytes]) -> None:
    at = rnd.randint(0, len(data))
    del data[at : at + rnd.choice((1, 2, 8, 64, 1024))]


def _word(rnd: random.Random, data: bytearray, _: list[bytes]) -> None:
    at = rnd.randint(0, len(data))
    data[at:at] = rnd.choice(WORDS)


def _again(rnd: random.Random, data: bytearray, _: list[bytes]) -> None:
    start, at = rnd.randint(0, len(data)), rnd.randint(0, len(data))
    data[at:at] = data[start : start + rnd.choice((1, 4, 32, 256))] * rnd.choice((1, 2, 40))


def _splice(rnd: random.Random, data: bytearray, seeds: list[bytes]) -> None:
    other = rnd.choice(seeds)
    start, at = rnd.randint(0, len(other)), rnd.randint(0, len(data))
    data[at:at] = other[start : start + rnd.choice((4, 32, 256))]


_CHANGES = (_flip, _byte, _cut, _word, _again, _splice)
