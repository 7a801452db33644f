"""Brings rule files into their one canonical form, and checks that nothing but the form changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar

from dsl import syntax as s
from dsl.diagnostics import Diagnostic, in_order
from dsl.parser import parse
from dsl.printing import Printer
from dsl.source import Source, Span
from dsl.words import read_words

__all__ = ["Formatted", "format_source"]

_Option = TypeVar("_Option")


@dataclass(frozen=True)
class Formatted:
    """A file's text in canonical form; as it was, if there are `findings` or a `flaw`.

    `findings` are its syntax errors. `flaw` says, in words that follow "it", what the formatter
    would have done wrong: a bug of ours.
    """

    text: str
    findings: tuple[Diagnostic, ...] = ()
    flaw: str | None = None


def format_source(source: Source) -> Formatted:
    """Formats one rule file. Never raises, whatever the text."""
    module, found = parse(source)
    if found:
        return Formatted(source.text, in_order(found))
    text = _printed(module)
    if text == source.text:
        return Formatted(text)
    flaw = _flaw(module, Source(source.path, text))
    return Formatted(source.text, flaw=flaw) if flaw else Formatted(text)


def _printed(module: s.Module) -> str:
    return Printer().text(*read_words(module.source.text))


def _flaw(before: s.Module, written: Source) -> str | None:
    """What is wrong with our own output."""
    after, found = parse(written)
    if found:
        return "wrote what cannot be read again"
    if _meaning(before.items) != _meaning(after.items):
        return "changed what the rules say"
    if _texts(before.comments) != _texts(after.comments):
        return "lost or moved a comment"
    if _printed(after) != written.text:
        return "would format its own output differently"
    return None


def _texts(comments: Sequence[s.Comment]) -> list[str]:
    return [comment.text.rstrip() for comment in comments]


def _meaning(node: object) -> object:
    """A tree without its places, and with options in one order: theirs says nothing."""
    match node:
        case Span():
            return None
        case s.Literal(value=value):
            return repr(value)
        case s.FieldLine():
            return _values(replace(node, modifiers=_ordered(node.modifiers)))
        case s.ActivityLine():
            return _values(replace(node, options=_ordered(node.options)))
        case s.Toggle():
            return _values(replace(node, options=_ordered(node.options)))
        case tuple():
            return tuple(_meaning(each) for each in node)
        case _ if is_dataclass(node):
            return _values(node)
        case _:
            return node


def _values(node: object) -> tuple[object, ...]:
    assert is_dataclass(node)  # noqa: S101 - by its callers
    return type(node).__name__, *(_meaning(getattr(node, each.name)) for each in fields(node))


def _ordered(options: tuple[_Option, ...]) -> tuple[_Option, ...]:
    return tuple(sorted(options, key=lambda option: type(option).__name__))
