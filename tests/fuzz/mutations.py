"""Seeded damage to files: as a broken disk, a bad copy or an attacker leaves them."""

from __future__ import annotations

import re
from random import Random
from typing import Any

WORDS = (  # where a number or a name belongs
    *("nan", "inf", "-inf", "-0", "-1", "0", "1e308", "-1e308", "1e400", "1e-400", "9" * 30),
    *("1e-310", "1e-9", "1e4", "1e6", "1e7", "-1e6", "1e9", "1e18"),
    *("9" * 5000, "1,5", "1_000", "0x10", "٣", "²", "1.5.5", "true", "null", "~", "''", '""'),
    *("", " ", "\0", "\r", "\x1b[31m", "\udcff", "\ufeff", "💥", "x" * 300, "a\nb", "=1+1"),
    *("..", "../../x", "/dev/null", "-rf", "$(id)", "${a}", "*a", "&a [*a]", "[[", "{", "}", "|"),
    *("<b>", "%s", "2020-01-01", "!!python/object/apply:os.getcwd []", "{a: {b: c}}", "[[1]]"),
)
_EXTREMES = (
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x80\0\0\0",
)


def damage(data: bytes, rng: Random, head: int = 0) -> bytes:
    """One to three changes; two of three of them within the first `head` bytes, if given."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = _damage_once(data, rng, head)
    return data


def cut(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data))]


def edit(text: str, rng: Random) -> str:
    """A word, a number or a line changed."""
    lines = text.splitlines(keepends=True)
    row = rng.randrange(len(lines))
    match rng.randrange(8):
        case 0:
            del lines[row]
        case 1:
            lines.insert(row, lines[rng.randrange(len(lines))])
        case 2:
            lines[row] = lines[row].replace(rng.choice(" ,.:\n"), rng.choice(WORDS), 1)
        case _:
            words = list(re.finditer(r"[^\s,:{}\[\]]+", text))
            start, end = rng.choice(words).span()
            return text[:start] + rng.choice(WORDS) + text[end:]
    return "".join(lines)


def damaged_text(text: str, rng: Random) -> bytes:
    """Edited as text four times of five, else as bytes."""
    if rng.random() < 0.2:
        return damage(text.encode(errors="surrogateescape"), rng)
    return edit(text, rng).encode(errors="surrogateescape")


def replaced(values: Any, rng: Random, by: Any) -> Any:
    """A copy of nested dicts and lists in which `by` stands for one value."""
    if isinstance(values, dict) and values and rng.random() < 0.85:
        key = rng.choice(list(values))
        return {**values, key: replaced(values[key], rng, by)}
    if isinstance(values, list | tuple) and values and rng.random() < 0.85:
        place = rng.randrange(len(values))
        return [*values[:place], replaced(values[place], rng, by), *values[place + 1 :]]
    return by


def _damage_once(data: bytes, rng: Random, head: int) -> bytes:
    if not data:
        return rng.randbytes(8)
    near = head and rng.random() < 2 / 3
    start = rng.randrange(min(head, len(data)) if near else len(data))
    length = rng.randint(1, 64)
    before, block, after = data[:start], data[start : start + length], data[start + length :]
    match rng.randrange(8):
        case 0:  # one bit
            return before + bytes([block[0] ^ 1 << rng.randrange(8)]) + block[1:] + after
        case 1:
            return before
        case 2:
            return before + after
        case 3:
            return before + block + block + after
        case 4:
            return before + rng.randbytes(length) + block + after
        case 5:
            return before + bytes(len(block)) + after
        case 6:
            other = rng.randrange(len(data))
            return before + data[other : other + length] + after
        case _:  # a length or an offset
            return before + rng.choice(_EXTREMES) + block[4:] + after
