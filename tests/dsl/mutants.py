"""Rule files as hands, editors and broken disks leave them: real ones, damaged at random."""

from __future__ import annotations

import codecs
import random
import re
from collections.abc import Callable
from pathlib import Path

__all__ = ["mutant"]

_ROOT = Path(__file__).parents[2]
_FILES = [*sorted((_ROOT / "rules").glob("*.sync")), *sorted((_ROOT / "tests/data").glob("*.sync"))]
_TEXTS = [file.read_text(encoding="utf-8") for file in _FILES]
_ITEMS = [part for text in _TEXTS for part in re.split(r"\n\n(?=[a-z#])", text)]
_PIECE = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*|<->|->|<-|\w+|\s+|.', re.DOTALL)
_SIGNS = [*'{}()",.:#%[\\', "<->", "->", "<-", "=", "!="]
_ODD = [
    "\0",
    "\ufeff",
    "\u2028",
    "\u200b",
    "\ud7ff",
    "\x85",
    "\x1c",
    "\f",
    "\v",
    "\r",
    "ß",
    "٣",
    "²",
]
_WORDS = ["not", "all {", "any {", "when", "sync A <-> b {", "lower(", "in (", "otherwise", "use"]
_WORDS += [
    "2026-02-30",
    "99999999999 days ago",
    "9" * 5000,
    "1e9",
    "-",
    '"\\u{110000}"',
    '"\\u{D800}"',
]
_DEEP = ["not ", "(", "all { ", "any { ", "lower(", "concat(a, ", "{", "[", "}", ")", '"', "# "]

Chance = random.Random
Edit = Callable[[Chance, str], str]


def mutant(seed: int) -> bytes:
    """The damaged file of a seed, always the same."""
    chance = random.Random(seed)  # noqa: S311 - damage, not secrets
    text = _whole(chance)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 5, 8])):
        text = chance.choice(_EDITS)(chance, text)[:30_000]
    return _broken(chance, text.encode("utf-8", "surrogatepass"))


def _whole(chance: Chance) -> str:
    """A file, or a few items of any."""
    if chance.random() < 0.15:
        return chance.choice(_TEXTS)
    return "\n\n".join(chance.choices(_ITEMS, k=chance.randint(1, 2)))


def _spot(chance: Chance, text: str) -> int:
    return chance.randint(0, len(text))


def _listed(pieces: Callable[[str], list[str]]) -> Edit:
    """Damage to a list of pieces: one gone, doubled, moved, swapped with another, or repeated."""

    def edit(chance: Chance, text: str) -> str:
        found = pieces(text)
        if not found:
            return text
        at, to = chance.randrange(len(found)), chance.randrange(len(found))
        match chance.randrange(5):
            case 0:
                del found[at : at + chance.choice([1, 1, 1, 2, 5])]
            case 1:
                found.insert(at, found[at])
            case 2:
                found.insert(to, found.pop(at))
            case 3:
                found[at], found[to] = found[to], found[at]
            case _:
                found[at : at + 1] = [found[at]] * chance.choice([3, 30, 300])
        return "".join(found)

    return edit


def _inserted(choices: list[str]) -> Edit:
    def edit(chance: Chance, text: str) -> str:
        at = _spot(chance, text)
        return text[:at] + chance.choice(choices) + text[at + chance.choice([0, 0, 1, 3]) :]

    return edit


def _cut(chance: Chance, text: str) -> str:
    start, end = sorted((_spot(chance, text), _spot(chance, text)))
    return chance.choice([text[:start], text[start:], text[:start] + text[end:]])


def _spliced(chance: Chance, text: str) -> str:
    other = chance.choice(_TEXTS)
    return text[: _spot(chance, text)] + other[_spot(chance, other) :]


def _exchanged(chance: Chance, text: str) -> str:
    """A sign for another, once or everywhere."""
    old, new = (
        chance.choice(_SIGNS),
        chance.choice([*_SIGNS, "", "'", "\u201c", "=>", "\u2013>", ";"]),
    )
    return text.replace(old, new, chance.choice([1, 3, -1]))


def _ends(chance: Chance, text: str) -> str:
    return text.replace("\n", chance.choice(["\r\n", "\r", "\n\n", "\n\t", " ", "", "\u2028"]))


def _nested(chance: Chance, text: str) -> str:
    at = _spot(chance, text)
    return text[:at] + chance.choice(_DEEP) * chance.choice([10, 63, 64, 65, 300]) + text[at:]


def _long(chance: Chance, text: str) -> str:
    word = chance.choice(["x", "x ", '"x" ', "x.", "a = 1 and ", "1, ", "A -> a once ", "\t", "é"])
    at = _spot(chance, text)
    return text[:at] + word * (chance.choice([99, 999, 4999]) // len(word)) + text[at:]


def _garbled(chance: Chance, text: str) -> str:
    at = _spot(chance, text)
    noise = "".join(
        chr(chance.choice([chance.randrange(256), chance.randrange(0xD800)])) for _ in range(9)
    )
    return text[:at] + noise + text[at:]


_EDITS: list[Edit] = [
    _listed(_PIECE.findall),
    _listed(_PIECE.findall),
    _listed(lambda text: text.splitlines(keepends=True)),
    _inserted(_SIGNS),
    _inserted(_ODD),
    _inserted(_WORDS),
    _cut,
    _spliced,
    _exchanged,
    _ends,
    _nested,
    _long,
    _garbled,
]


def _broken(chance: Chance, raw: bytes) -> bytes:
    """Now and then what is wrong is the bytes."""
    match chance.randrange(20):
        case 0:
            at = chance.randint(0, len(raw))
            return raw[:at] + chance.randbytes(chance.choice([1, 2, 8])) + raw[at:]
        case 1:
            return raw[: chance.randint(0, len(raw))]
        case 2:
            return chance.choice([codecs.BOM_UTF8, codecs.BOM_UTF16_LE, b"\0"]) + raw
        case _:
            return raw
