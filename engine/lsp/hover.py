"""Hover: what the word under the pointer means, in words."""

from __future__ import annotations

import re
from typing import Any

from lsprotocol import types as lsp

from dsl import syntax as s
from dsl.at import nodes_at
from dsl.codes import CODES
from dsl.cursor import Cursor, cursor_at, word_at
from dsl.describe import condition_in_words, match_in_words, toggle_in_words
from dsl.meanings import FUNCTIONS_IN_WORDS, MEANINGS
from dsl.places import Place, Role
from dsl.reach import field_at, type_named
from engine.lsp.cards import field_card, function_card, map_card, source_card, title_card, type_card
from engine.lsp.files import template_file
from engine.lsp.workspace import Document, View

__all__ = ["hover"]

_WORD = re.compile(r"[^\W\d]\w*|<->|->|<-|[<>!]=|[=<>]")
_ALLOWED = re.compile(r"#\s*lint:\s*allow\b")
_ARROWS = {
    "->": "Inbound: from Salesforce to Outreach.",
    "<-": "Outbound: from Outreach to Salesforce.",
    "<->": "Both ways.",
}
_CONDITIONS = (s.AllOf, s.AnyOf, s.Not, s.Compare, s.Emptiness, s.Changed)


def hover(view: View, document: Document, position: lsp.Position) -> lsp.Hover | None:
    """What the word at a place means; None where it means nothing by itself."""
    text = document.text.text
    offset = document.text.offset(position)
    found = word_at(text, offset, _WORD)
    if found is None:
        return None
    words = _card(view, document, found.start(), found[0]) or _allowed(text, found)
    if not words:
        return None
    place = document.text.range(*found.span())
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, words), place)


def _card(view: View, document: Document, offset: int, word: str) -> str | None:
    cursor = cursor_at(document.text.text, offset)
    if cursor is None:
        return None
    around = _nodes(view, document, offset)
    if word in _ARROWS:
        return _ARROWS[word]
    if not word.isidentifier():
        return _condition(around)
    if cursor.function and _is_called(document.text.text, offset, word):
        return function_card(word) if word in FUNCTIONS_IN_WORDS else None
    if not cursor.path and word in {each.partition(" ")[0] for each in cursor.keywords}:
        return _keyword(document.text.text, offset, word, around)
    return _name(view, cursor, word)


def _nodes(view: View, document: Document, offset: int) -> tuple[Any, ...]:
    module = view.module(document.source.path)
    return nodes_at(module, document.text.place(offset)) if module else ()


def _is_called(text: str, offset: int, word: str) -> bool:
    return text.startswith("(", offset + len(word)) and word not in ("in", "not", "and", "or")


def _allowed(text: str, word: re.Match[str]) -> str | None:
    """The finding that a comment silences."""
    line = text[text.rfind("\n", 0, word.start()) + 1 : word.end()]
    code = CODES.get(word[0]) if _ALLOWED.search(line) else None
    return f"**{code.code}** {code.name}: {code.summary}" if code else None


# -- keywords -----------------------------------------------------------------------------------


def _keyword(text: str, offset: int, word: str, around: tuple[Any, ...]) -> str | None:
    before = re.findall(r"\w+\Z", text[:offset].rstrip())
    after = re.match(r"\s*(\w+)", text[offset + len(word) :])
    pairs = [f"{word} {after[1]}"] if after else []
    pairs += [f"{each} {word}" for each in before]
    known = next((each for each in (*pairs, word, *before) if each in MEANINGS), None)
    rows = [f"**{known}**", MEANINGS[known]] if known else []
    said = _said(around, word)
    return "\n\n".join([*rows, *([f"Here: {said}."] if said else [])]) or None


def _said(around: tuple[Any, ...], word: str) -> str | None:
    """What the clause or condition around a keyword says."""
    inner = around[-1] if around else None
    match inner:
        case s.When(condition=condition) if word == "when":
            return condition_in_words(condition)
        case s.Toggle():
            return toggle_in_words(inner)
        case s.Match():
            return match_in_words(inner)
        case s.Switch() | s.Every():
            return toggle_in_words(around[-2]) if isinstance(around[-2], s.Toggle) else None
    return _condition(around) if isinstance(inner, _CONDITIONS) else None


def _condition(around: tuple[Any, ...]) -> str | None:
    inner = around[-1] if around else None
    return condition_in_words(inner) if isinstance(inner, _CONDITIONS) else None


# -- names --------------------------------------------------------------------------------------


def _name(view: View, cursor: Cursor, word: str) -> str | None:
    place = cursor.name
    match place:
        case None:
            return None
        case Place(role=Role.MAP):
            known = view.checked.program.maps.get(word)
            return map_card(known) if known else None
        case Place(role=Role.GROUP_OF_FIELDS | Role.GROUP_OF_ACTIVITIES | Role.NEW):
            return _defined(view, place, word)
        case Place(role=Role.TEMPLATE):
            file = template_file(view.home, word)
            return title_card(word, file) if file else None
        case Place(role=Role.TYPE | Role.TARGET):
            found = type_named(view.schema, word)
            return type_card(found) if found else None
    fields = field_at(place, (*cursor.path, word), view.schema, view.modules)
    return "\n\n---\n\n".join(field_card(*each) for each in fields) or None


def _defined(view: View, place: Place, word: str) -> str | None:
    activities = Role.GROUP_OF_ACTIVITIES is place.role or place.owner.item == "activities"
    if place.role is Role.NEW and place.owner.item in ("stages", "values"):
        known = view.checked.program.maps.get(word)
        return map_card(known) if known else None
    wanted = s.Activities if activities else s.Fields
    for module in view.modules:
        for item in module.items:
            if isinstance(item, wanted) and item.name.text == word:
                return source_card(item)
    return None
