"""The outline of a file, and what grows as a selection is widened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lsprotocol import types as lsp

from dsl import syntax as s
from dsl.at import nodes_at
from dsl.describe import toggle_in_words
from dsl.source import Span
from engine.lsp.positions import Text
from engine.lsp.workspace import Document

__all__ = ["selection", "symbols"]

_Kind = lsp.SymbolKind


def symbols(document: Document, module: s.Module) -> list[lsp.DocumentSymbol]:
    """The items of a file, a sync with its clauses, a block with its lines."""
    return [_item(document.text, item) for item in module.items]


def _item(text: Text, item: s.Item) -> lsp.DocumentSymbol:
    match item:
        case s.Sync():
            name = f"{item.salesforce.text} <-> {item.outreach.text}"
            below = [_clause(text, clause) for clause in item.clauses]
            head = item.salesforce.span.to(item.outreach.span)
            return _symbol(text, name, _Kind.Class, item.span, "sync", below, head)
        case s.ValueMap():
            pairs = [_symbol(text, _brief(p.span), _Kind.EnumMember, p.span) for p in item.pairs]
            return _named(text, item, item.kind, _Kind.Enum, pairs)
        case s.Fields():
            return _named(text, item, "fields", _Kind.Module, _lines(text, item.lines))
        case s.Activities():
            return _named(text, item, "activities", _Kind.Module, _lines(text, item.lines))
        case s.Test():
            title = item.title
            return _symbol(
                text, str(title.value) or '""', _Kind.Method, item.span, "test", (), title.span
            )
        case s.Limits():
            below = [_symbol(text, _brief(e.span), _Kind.Number, e.span) for e in item.limits]
            return _symbol(text, "limits", _Kind.Namespace, item.span, below=below)
        case s.Guard():
            below = [_symbol(text, _brief(e.span), _Kind.Number, e.span) for e in item.bounds]
            return _symbol(text, "guard", _Kind.Namespace, item.span, below=below)
        case s.Version():
            return _symbol(text, _brief(item.span), _Kind.Constant, item.span)


def _named(
    text: Text,
    item: s.ValueMap | s.Fields | s.Activities,
    what: str,
    kind: lsp.SymbolKind,
    below: Sequence[lsp.DocumentSymbol],
) -> lsp.DocumentSymbol:
    return _symbol(text, item.name.text, kind, item.span, what, below, item.name.span)


def _clause(text: Text, clause: s.Clause) -> lsp.DocumentSymbol:
    match clause:
        case s.Toggle():
            said = toggle_in_words(clause)
            return _symbol(
                text, clause.name, _Kind.Boolean, clause.span, said, (), clause.name_span
            )
        case s.FieldsBlock():
            return _symbol(
                text, "fields", _Kind.Object, clause.span, below=_lines(text, clause.lines)
            )
        case s.ActivitiesBlock():
            return _symbol(
                text, "activities", _Kind.Object, clause.span, below=_lines(text, clause.lines)
            )
        case s.Match():
            return _symbol(text, _brief(clause.span), _Kind.Key, clause.span)
        case s.Conflict():
            return _symbol(text, _brief(clause.span), _Kind.Property, clause.span)


def _lines(
    text: Text, lines: Iterable[s.FieldLine | s.ActivityLine | s.Use]
) -> list[lsp.DocumentSymbol]:
    return [_line(text, line) for line in lines]


def _line(text: Text, line: s.FieldLine | s.ActivityLine | s.Use) -> lsp.DocumentSymbol:
    match line:
        case s.FieldLine():
            name = f"{_brief(line.left.span)} {line.arrow} {_brief(line.right.span)}"
            head = line.left.span.to(line.right.span)
            return _symbol(text, name, _Kind.Field, line.span, "", (), head)
        case s.ActivityLine():
            below = _lines(text, line.lines)
            return _symbol(text, line.kind, _Kind.Event, line.span, "", below, line.kind_span)
        case s.Use():
            return _symbol(text, _brief(line.span), _Kind.Variable, line.span)


def _symbol(
    text: Text,
    name: str,
    kind: lsp.SymbolKind,
    span: Span,
    detail: str = "",
    below: Sequence[lsp.DocumentSymbol] = (),
    head: Span | None = None,
) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        name=name,
        kind=kind,
        range=text.range_of(span),
        selection_range=text.range_of(head or span),
        detail=detail or None,
        children=list(below) or None,
    )


def _brief(span: Span) -> str:
    return " ".join(span.text.split())


# -- selection ----------------------------------------------------------------------------------


def selection(
    document: Document, module: s.Module | None, position: lsp.Position
) -> lsp.SelectionRange:
    """The ranges around a place: the whole file, then inwards to the word."""
    place = document.text.place(document.text.offset(position))
    around = nodes_at(module, place) if module else ()
    whole = document.text.range(0, len(document.text.text))
    found = lsp.SelectionRange(whole)
    for inner in _ranges(document.text, around):
        if inner != found.range:
            found = lsp.SelectionRange(inner, found)
    return found


def _ranges(text: Text, around: Sequence[Any]) -> Iterator[lsp.Range]:
    for node in around:
        yield text.range_of(node.span)
