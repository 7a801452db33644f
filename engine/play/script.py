"""A script of acts as text: each line read by the table, every wrong one reported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from engine.play.slots import SLOTS
from engine.play.table import ACTS, ActForm

__all__ = ["Act", "Wrong", "read_act", "read_script"]

_TEXT = r'"(?:[^"\\]|\\.)*"'
_WORD = re.compile(rf'({_TEXT})|(#.*)|([^\s"]+(?:{_TEXT})?)|(")')
_PAIRS = "FIELD=VALUE…"


@dataclass(frozen=True, slots=True)
class Act:
    """An act to be done: its name in the table, and what fills the slots.

    An optional part is under its first word (`body`, `by`), True if it has no slot; others are
    under their slot's name in small letters (`subject`). `line` counts from 1, `text` is as
    written.
    """

    name: str
    values: Mapping[str, Any]
    text: str = ""
    line: int = 1

    def get(self, key: str) -> Any:
        """What fills a part; None if it was left out."""
        return self.values.get(key)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that is no act, and why."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    quoted: bool


def read_script(text: str) -> tuple[list[Act], list[Wrong]]:
    """The acts of a script, and the lines that are none."""
    acts, wrong = [], []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words, written = _words(line)
            if words:
                name, values = _read(words)
                acts.append(Act(name, values, written, number))
        except ValueError as error:
            wrong.append(Wrong(number, str(error)))
    return acts, wrong


def read_act(arguments: Sequence[str]) -> Act:
    """The act that the arguments of a command are. Raises `ValueError`, worded for the user."""
    name, values = _read([_Word(a, quoted=" " in a or not a) for a in arguments])
    return Act(name, values, " ".join(f'"{a}"' if " " in a or not a else a for a in arguments))


def _words(line: str) -> tuple[list[_Word], str]:
    """The words of a line, and the line without its comment."""
    words: list[_Word] = []
    for found in _WORD.finditer(line):
        quoted, comment, plain, open_quote = found.groups()
        if open_quote:
            raise ValueError('a text begins with `"` and does not end: close it on the same line')
        if comment is not None:
            return words, line[: found.start()].strip()
        if plain is not None:
            words.append(_Word(_unquoted(plain) if '"' in plain else plain, quoted=False))
        else:
            words.append(_Word(_unescaped(quoted[1:-1]), quoted=True))
    return words, line.strip()


def _unquoted(text: str) -> str:
    head, _, rest = text.partition('"')
    return head + _unescaped(rest.removesuffix('"'))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text)


# -- one line -----------------------------------------------------------------------------------


def _read(words: list[_Word]) -> tuple[str, dict[str, Any]]:
    first = words[0].text
    forms = [form for form in ACTS if form.usage.split()[0] == first and not words[0].quoted]
    if not forms:
        known = sorted({form.usage.split()[0] for form in ACTS})
        near = get_close_matches(first, known, 1)
        meant = f"did you mean `{near[0]}`?" if near else f"acts begin with {', '.join(known)}"
        raise ValueError(f"`{first}` is no act; {meant}")
    mismatches = []
    for form in forms:
        try:
            return form.name, _Reading(words, form).values()
        except _Mismatch as mismatch:
            mismatches.append(mismatch)
    furthest = max(mismatches, key=lambda mismatch: mismatch.at)
    raise ValueError(f"{furthest}; write {furthest.usage}")


class _Mismatch(Exception):
    def __init__(self, message: str, at: int, usage: str) -> None:
        super().__init__(message)
        self.at, self.usage = at, usage


@dataclass
class _Reading:
    """A line's words on their way into the parts of a form."""

    words: list[_Word]
    form: ActForm
    at: int = 0
    found: dict[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        head, _, _ = self.form.usage.partition(" [")
        groups = {g.split()[0]: g.split() for g in re.findall(r"\[([^]]*)\]", self.form.usage)}
        for part in head.split():
            if part == _PAIRS:
                self.found["pairs"] = dict(self._pairs())
            elif part.isupper():
                self.found[part.lower()] = self._slot(part)
            else:
                self._literal(part)
        while self.at < len(self.words):
            self._group(groups)
        return self.found

    def _literal(self, part: str) -> None:
        if self.at >= len(self.words):
            raise self._wrong(f"`{part}` is missing at the end")
        word = self.words[self.at]
        if word.text != part or word.quoted:
            raise self._wrong(f"`{part}` is expected, and not `{word.text}`")
        self.at += 1

    def _slot(self, part: str) -> Any:
        slot = SLOTS[part]
        if self.at >= len(self.words):
            raise self._wrong(f"{part} is missing at the end")
        whole = self.words[self.at].quoted
        taken = self.words[self.at : self.at + (1 if whole else slot.words)]
        try:
            value = slot.read(" ".join(word.text for word in taken))
        except ValueError as error:
            raise self._wrong(f"{part} {error}") from None
        self.at += len(taken)
        return value

    def _group(self, groups: dict[str, list[str]]) -> None:
        word = self.words[self.at]
        group = None if word.quoted else groups.get(word.text)
        if group is None:
            listed = f"one of {', '.join(groups)} may follow" if groups else "nothing may follow"
            raise self._wrong(f"{listed}, and not `{word.text}`")
        if word.text in self.found:
            raise self._wrong(f"`{word.text}` is given twice")
        value: Any = True
        for part in group:
            if part.isupper():
                value = self._slot(part)
            else:
                self._literal(part)
        self.found[word.text] = value

    def _pairs(self) -> Iterator[tuple[str, str]]:
        if self.at >= len(self.words):
            raise self._wrong("FIELD=VALUE is missing at the end")
        for word in self.words[self.at :]:
            name, mark, text = word.text.partition("=")
            if not mark or not name:
                raise self._wrong(f"FIELD=VALUE is expected, and not `{word.text}`")
            self.at += 1
            yield name, text

    def _wrong(self, message: str) -> _Mismatch:
        return _Mismatch(message, self.at, f"`{self.form.usage}`")
