"""CW104 and what it is about: `# lint: allow CODE why` silences findings of the next line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dsl import syntax as s
from dsl.codes import CODES
from dsl.diagnostics import Diagnostic, closest
from dsl.fixes import Edit, Fix
from dsl.source import Span

__all__ = ["silence"]

_LINT = re.compile(r"#\s*lint\s*:", re.IGNORECASE)
_ALLOW = re.compile(r"#\s*lint\s*:\s*(\w*)[ \t]*([^\s]*)[ \t]*(.*)", re.IGNORECASE)
_EXAMPLE = "a suppression is written `# lint: allow CW402 why it is right here`"


@dataclass(frozen=True, slots=True)
class _Allowed:
    """One suppression that is in order: the finding it silences, and on which line."""

    comment: s.Comment
    code: str
    path: str
    line: int


def silence(modules: Sequence[s.Module], found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The findings without those that the files allow, and with what is wrong with the allowing."""
    allowed: list[_Allowed] = []
    left: list[Diagnostic] = []
    for comment, line in _directives(modules):
        read = _read(comment, line)
        if isinstance(read, Diagnostic):
            left.append(read)
        else:
            allowed.append(read)
    places = {(a.path, a.line, a.code) for a in allowed}
    silenced: set[tuple[str, int, str]] = set()
    for d in found:
        place = (d.span.source.path, d.span.first.line, d.code)
        if place in places:
            silenced.add(place)
        else:
            left.append(d)
    # What a mistake leaves out is not checked any further: it may be what a suppression is for.
    if not any(d.code < "CW3" and d.is_error for d in found):
        left += _idle(allowed, silenced)
    return left


def _directives(modules: Sequence[s.Module]) -> Iterator[tuple[s.Comment, int | None]]:
    """Each `# lint:` comment with the line it is for; None if it does not stand on a line alone."""
    for module in modules:
        for comment in module.comments:
            if _LINT.match(comment.text):
                yield comment, _line_after(comment)


def _line_after(comment: s.Comment) -> int | None:
    """The next line that is no comment and not blank."""
    source = comment.span.source
    line = comment.span.first.line
    if not source.line_text(line).lstrip().startswith("#"):
        return None
    last = source.first_line + len(source.line_starts) - 1
    for number in range(line + 1, last + 1):
        text = source.line_text(number).strip()
        if text and not text.startswith("#"):
            return number
    # The comment stands above the next item, which is read as a part of its own.
    return last


def _read(comment: s.Comment, line: int | None) -> _Allowed | Diagnostic:
    found = _ALLOW.match(comment.text)
    verb, code, why = found.groups() if found else ("", "", "")
    start = comment.span.start

    def at(group: int) -> Span:
        assert found is not None  # noqa: S101 - only asked where there is the group
        return Span(comment.span.source, start + found.start(group), start + found.end(group))

    if verb != "allow":
        return Diagnostic("CW104", f"`lint:` knows no `{verb}`", comment.span, _EXAMPLE)
    if code not in CODES:
        message = f"there is no finding `{code}` to allow" if code else "`allow` of which finding?"
        near = closest(code, CODES) if code else None
        help_text = f"did you mean `{near}`?" if near else _EXAMPLE
        return Diagnostic("CW104", message, at(2) if code else comment.span, help_text, near)
    if not CODES[code].silenceable:
        message = f"`{code}` cannot be allowed: what it finds is left out of what runs"
        return Diagnostic("CW104", message, at(2), "mend what it reports, then remove this line")
    if not why.strip():
        message = f"`allow {code}` does not say why, and so allows nothing"
        return Diagnostic("CW104", message, comment.span, _EXAMPLE)
    if line is None:
        message = f"`allow {code}` stands behind something, and so allows nothing"
        help_text = "write it on a line of its own, right above what it is about"
        return Diagnostic("CW104", message, comment.span, help_text)
    return _Allowed(comment, code, comment.span.source.path, line)


def _idle(allowed: Sequence[_Allowed], silenced: set[tuple[str, int, str]]) -> Iterator[Diagnostic]:
    taken: set[tuple[str, int, str]] = set()
    for each in allowed:
        place = (each.path, each.line, each.code)
        if place in silenced and place not in taken:
            taken.add(place)
            continue
        message = (
            f"`allow {each.code}` silences nothing: there is no such finding on line {each.line}"
        )
        if place in taken:
            message = f"`{each.code}` is allowed here already"
        fix = Fix("remove the suppression", (Edit(_whole_line(each.comment.span), ""),), safe=True)
        yield Diagnostic("CW104", message, each.comment.span, "remove it", fix=fix)


def _whole_line(span: Span) -> Span:
    """The line that a comment stands on alone, with its line end."""
    source, text = span.source, span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    return Span(source, start, end + 1 if end >= 0 else len(text))
