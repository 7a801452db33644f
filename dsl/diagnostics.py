"""Findings in rule files, and how they read: text with code frames, JSON, GitHub annotations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dsl.codes import CODES, Severity
from dsl.fixes import Edit, Fix
from dsl.source import Position, Span

__all__ = ["Diagnostic", "as_github", "as_json", "as_text", "closest", "in_order"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: its code, one sentence that names the thing, and where it is.

    `help` says what to do, `suggestion` is the text that would stand there instead, `fix` a way to
    mend it that is more, or surer, than to write that. `related` are further places with a few
    words each.
    """

    code: str
    message: str
    span: Span
    help: str | None = None
    suggestion: str | None = None
    fix: Fix | None = None
    related: tuple[tuple[Span, str], ...] = ()

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What an editor can offer: the finding's own fix, or else its suggestion.

        A suggestion that is what stands there but for capitals is what was meant.
        """
        if self.fix is not None:
            return (self.fix,)
        if self.suggestion is None:
            return ()
        same = self.suggestion.casefold() == self.span.text.casefold()
        edit = Edit(self.span, self.suggestion)
        return (Fix(f"write `{self.suggestion}`", (edit,), safe=same),)

    @property
    def fixable(self) -> bool:
        """Whether `lint --fix` mends it."""
        return any(fix.safe for fix in self.fixes)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file, line and column; of several of one code at one place the first.

    A line of a group can be wrong in each sync that uses the group, and is one mistake.
    """
    unique: dict[tuple[str, Position, Position, str], Diagnostic] = {}
    for d in diagnostics:
        unique.setdefault((d.span.source.path, d.span.first, d.span.last, d.code), d)
    return tuple(unique[k] for k in sorted(unique))


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one was probably meant to be."""
    from difflib import get_close_matches  # noqa: PLC0415 - lazily: only a finding needs it

    names = list(dict.fromkeys(known))
    folded = word.casefold()
    for name in names:
        if name.casefold() == folded:
            return name
    found = get_close_matches(word, names, 1, 0.7)
    if not found:
        by_folded = {name.casefold(): name for name in names}
        found = [by_folded[f] for f in get_close_matches(folded, by_folded, 1, 0.75)]
    return found[0] if found else None


# -- text ---------------------------------------------------------------------------------------

_RED, _YELLOW, _BLUE, _CYAN, _BOLD, _PLAIN = (
    "\033[1;31m",
    "\033[1;33m",
    "\033[1;34m",
    "\033[36m",
    "\033[1m",
    "\033[0m",
)
_TAB = 4
_WIDEST = 160


def as_text(diagnostics: Sequence[Diagnostic], *, colour: bool = False) -> str:
    """Each finding with the line it is on, as a terminal shows it."""
    text = "\n".join(_frame(d) for d in diagnostics)
    return text if colour else _without_colour(text)


def _without_colour(text: str) -> str:
    for code in (_RED, _YELLOW, _BLUE, _CYAN, _BOLD, _PLAIN):
        text = text.replace(code, "")
    return text


def _frame(d: Diagnostic) -> str:
    line, column = d.span.first
    tint = _RED if d.is_error else _YELLOW
    path = _visible(d.span.source.path)
    head = f"{_BOLD}{path}:{line}:{column}{_PLAIN}: {tint}{d.severity}[{d.code}]{_PLAIN}"
    rows = [f"{head}: {_BOLD}{_visible(d.message)}{_PLAIN}"]
    width = max(len(str(at.first.line)) for at in (d.span, *(s for s, _ in d.related)))
    rows.append(f"{_BLUE}{' ' * width} |{_PLAIN}")
    rows += _shown(d.span, "^", tint, "", width)
    for span, words in d.related:
        if span.source.path == d.span.source.path:
            if span.first.line != line:
                rows.append(f"{_BLUE}{' ' * width} ...{_PLAIN}")
        else:
            rows.append(f"{_BLUE}{' ' * width} ::: {_visible(span.place)}{_PLAIN}")
        rows += _shown(span, "-", _BLUE, f" {words}", width)
    if d.help:
        rows.append(f"{_BLUE}{' ' * width} ={_PLAIN} {_CYAN}help{_PLAIN}: {_visible(d.help)}")
    return "\n".join(rows) + "\n"


def _shown(span: Span, mark: str, tint: str, words: str, width: int) -> list[str]:
    first, last = span.first, span.last
    raw = span.source.line_text(first.line)
    start = first.column - 1
    end = last.column - 1 if last.line == first.line else len(raw)
    end = max(min(end, len(raw)), start)
    lead = _widened(raw[:start])
    marked = _widened(raw[start:end], len(lead))
    text = lead + marked + _widened(raw[end:], len(lead) + len(marked))
    cells, count = _cells(lead), max(_cells(marked), 1)
    if len(text) > _WIDEST:
        text, cells = _cut(text, len(lead))
        count = min(count, max(_WIDEST - cells, 1))
    number = str(first.line).rjust(width)
    return [
        f"{_BLUE}{number} |{_PLAIN} {text}".rstrip(),
        f"{_BLUE}{' ' * width} |{_PLAIN} {' ' * cells}{tint}{mark * count}{words}{_PLAIN}",
    ]


def _cut(text: str, start: int) -> tuple[str, int]:
    """A window of a very long line around what is marked."""
    begin = max(0, start - 40)
    window = text[begin : begin + _WIDEST]
    lead = "…" if begin else ""
    tail = "…" if begin + _WIDEST < len(text) else ""
    return lead + window + tail, len(lead) + _cells(text[begin:start])


def _widened(text: str, column: int = 0) -> str:
    """Tabs as spaces up to the next stop, and nothing that a terminal would obey."""
    if "\t" not in text and text.isprintable():
        return text
    out: list[str] = []
    for character in text:
        if character == "\t":
            out.append(" " * (_TAB - column % _TAB))
        else:
            out.append(_visible(character))
        column += len(out[-1])
    return "".join(out)


def _visible(text: str) -> str:
    """Without control characters: what a file holds must not steer the reader's terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == " " else "\N{REPLACEMENT CHARACTER}" for c in text)


def _cells(text: str) -> int:
    """How many columns a text takes up in a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - lazy

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


# -- for programs -------------------------------------------------------------------------------


def as_json(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """The document of `lint --format json`."""
    return {"version": 1, "diagnostics": [_object(d) for d in diagnostics]}


def _object(d: Diagnostic) -> dict[str, Any]:
    found: dict[str, Any] = {
        "code": d.code,
        "severity": str(d.severity),
        "message": d.message,
        "file": d.span.source.path,
        **_place(d.span),
        "suggestion": d.suggestion,
        "fixable": d.fixable,
    }
    if d.help:
        found["help"] = d.help
    if d.related:
        found["related"] = [
            {"file": span.source.path, **_place(span), "message": words}
            for span, words in d.related
        ]
    return found


def _place(span: Span) -> dict[str, int]:
    (line, column), (end_line, end_column) = span.first, span.last
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def as_github(diagnostics: Sequence[Diagnostic]) -> str:
    """Workflow commands that GitHub shows beside the changed lines."""
    rows = []
    for d in diagnostics:
        (line, column), (end_line, end_column) = d.span.first, d.span.last
        where = f"file={_escaped(d.span.source.path, ',:')},line={line},endLine={end_line}"
        if line == end_line:
            where += f",col={column},endColumn={end_column}"
        message = _escaped(f"{d.message} ({d.help})" if d.help else d.message)
        rows.append(f"::{d.severity} {where},title={d.code}::{message}\n")
    return "".join(rows)


def _escaped(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
