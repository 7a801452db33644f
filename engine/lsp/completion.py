"""Completion: every word that the grammar and the schema let stand at the cursor, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lsprotocol import types as lsp

from dsl import syntax as s
from dsl.cursor import Cursor, cursor_at
from dsl.labels import labels_of_field, labels_of_map
from dsl.meanings import FUNCTIONS_IN_WORDS, MEANINGS
from dsl.paths import title_of
from dsl.places import Place, Role
from dsl.reach import field_at, fields_at, types_of
from dsl.schema import Field, ObjectType, Side
from dsl.uses import What, uses
from engine.lsp.cards import brief, field_card, function_card, map_card, source_card, title_card
from engine.lsp.files import template_file
from engine.lsp.workspace import Document, View

__all__ = ["completions"]

# What the best fitting come first by: fields and values, then ways on, then words.
_BEST, _FIRST, _LATER, _WAY, _WORD = "01234"
_REST_OF_TEXT = re.compile(r'[^",()\n]*"')

_Kind = lsp.CompletionItemKind


@dataclass(frozen=True)
class _Choice:
    label: str
    kind: lsp.CompletionItemKind
    detail: str = ""
    card: str = ""
    rank: str = _FIRST
    insert: str = ""
    snippet: bool = False


def completions(
    view: View, document: Document, position: lsp.Position, *, snippets: bool
) -> list[lsp.CompletionItem]:
    """What can be written at a place, the text before it taken as it is."""
    text = document.text.text
    offset = document.text.offset(position)
    cursor = cursor_at(text, offset)
    if cursor is None:
        return []
    end = offset
    if cursor.quoted and (rest := _REST_OF_TEXT.match(text, offset)):
        end = rest.end()
    place = document.text.range(cursor.start, end)
    return [_item(choice, place, snippets) for choice in _choices(view, cursor)]


def _item(choice: _Choice, place: lsp.Range, snippets: bool) -> lsp.CompletionItem:
    text = choice.insert or choice.label
    snippet = choice.snippet and snippets
    plain = lsp.InsertTextFormat.PlainText
    card = lsp.MarkupContent(lsp.MarkupKind.Markdown, choice.card) if choice.card else None
    return lsp.CompletionItem(
        label=choice.label,
        kind=choice.kind,
        detail=choice.detail or None,
        documentation=card,
        sort_text=f"{choice.rank}{choice.label.casefold()}",
        filter_text=text if choice.kind is _Kind.EnumMember else None,
        insert_text_format=lsp.InsertTextFormat.Snippet if snippet else plain,
        text_edit=lsp.TextEdit(place, f"{choice.label}($1)" if snippet else text),
    )


def _choices(view: View, cursor: Cursor) -> Iterator[_Choice]:
    if cursor.text is not None:
        yield from _values(view, cursor.text)
    if cursor.name is not None:
        rank = _LATER if cursor.text is not None else _FIRST
        yield from _names(view, cursor.name, cursor.path, rank)
    for words in cursor.keywords:
        yield _Choice(words, _Kind.Keyword, "keyword", MEANINGS.get(words, ""), _WORD)
    if cursor.function:
        for name, (called, _) in FUNCTIONS_IN_WORDS.items():
            card = function_card(name)
            yield _Choice(name, _Kind.Function, called, card, _WORD, snippet=True)


# -- names --------------------------------------------------------------------------------------


def _names(view: View, place: Place, path: tuple[str, ...], rank: str) -> Iterator[_Choice]:
    match place.role:
        case Role.TYPE:
            yield from _types(view, place)
        case Role.TARGET:
            yield _Choice("Task", _Kind.Class, "activities, calls and mail")
            yield _Choice("Event", _Kind.Class, "meetings")
        case Role.FIELD | Role.RECORD_FIELD | Role.CONFLICT_FIELD:
            yield from _fields(view, place, path, rank)
        case Role.MAP:
            for name, known in view.checked.program.maps.items():
                what = "stages" if known.is_stages else "values"
                yield _Choice(name, _Kind.Enum, f"{what} map", map_card(known))
        case Role.GROUP_OF_FIELDS | Role.GROUP_OF_ACTIVITIES:
            yield from _groups(view, place.role)
        case Role.TEMPLATE:
            for name in sorted(view.templates):
                card = title_card(name, template_file(view.home, name))
                yield _Choice(name, _Kind.File, "title template", card)


def _types(view: View, place: Place) -> Iterator[_Choice]:
    """The types, and first the custom ones that the rules know."""
    sides = (place.side,) if place.side else tuple(Side)
    written = {use.name.text for use in uses(view.modules) if use.what is What.TYPE}
    for side in sides:
        known = view.schema.names(side)
        for name in known:
            rank = _FIRST if place.side or name in written else _LATER
            yield _Choice(name, _Kind.Class, f"{title_of(side)} type", rank=rank)


def _groups(view: View, role: Role) -> Iterator[_Choice]:
    wanted = s.Fields if role is Role.GROUP_OF_FIELDS else s.Activities
    for module in view.modules:
        for item in module.items:
            if isinstance(item, wanted) and isinstance(item, s.Fields | s.Activities):
                what = "group of fields" if wanted is s.Fields else "group of activities"
                yield _Choice(item.name.text, _Kind.Module, what, source_card(item))


# -- fields -------------------------------------------------------------------------------------


def _fields(view: View, place: Place, path: tuple[str, ...], usual: str) -> Iterator[_Choice]:
    found = fields_at(place, path, view.schema, view.modules)
    for name, (owner, field) in found.items():
        fits = not place.written or field.updateable or field.createable
        rank = _BEST if _akin(place.source, name) else usual if fits else _LATER
        insert = f"{name}: " if place.role is Role.RECORD_FIELD else name
        kind = _Kind.Reference if field.references else _Kind.Field
        yield _Choice(name, kind, brief(field), field_card(owner, field), rank, insert)
    if place.role is Role.FIELD and not place.written:
        yield from _ways(found.values())
    if place.role is Role.FIELD and not path:
        yield from _further(view, place)


def _akin(source: str, name: str) -> bool:
    """Whether two fields have one name but for the systems' habits: `OwnerId` and `owner`."""
    return bool(source) and _bare(source) == _bare(name)


def _bare(name: str) -> str:
    folded = name.casefold().removesuffix("__c").replace("_", "")
    return folded.removesuffix("id").removesuffix("s")


def _ways(found: Iterable[tuple[ObjectType, Field]]) -> Iterator[_Choice]:
    """The references that a path can go on through."""
    for owner, field in found:
        if field.relationship and field.references and not field.many:
            detail = f"through `{field.name}` to {' or '.join(field.references)}"
            card = field_card(owner, field)
            yield _Choice(f"{field.relationship}.", _Kind.Module, detail, card, _WAY)


def _further(view: View, place: Place) -> Iterator[_Choice]:
    """What only some places know: an activity's variables, `sequence`, the other side."""
    for types in types_of(place.owner, view.schema, view.modules):
        right = place.side is not Side.SALESFORCE
        for name in sorted(types.variables) if right else ():
            yield _Choice(name, _Kind.Variable, "known of the activity")
        if right and types.outreach and types.outreach.name == "prospect" and not place.written:
            yield _Choice("sequence.", _Kind.Module, "its current sequence state", rank=_WAY)
    if place.condition:
        for side in Side:
            detail = f"a field of {title_of(side)}'s record"
            yield _Choice(f"{side.value}.", _Kind.Module, detail, rank=_WAY)


# -- values -------------------------------------------------------------------------------------


def _values(view: View, place: Place) -> Iterator[_Choice]:
    if place.role is Role.LABEL and place.side and place.owner.names:
        program, name = view.checked.program, place.owner.names[0]
        labels = labels_of_map(name, place.side, program, view.schema)
        yield from (_value(each, title_of(place.side)) for each in labels)
    if place.role is Role.VALUE:
        yield from _field_values(view, place)


def _field_values(view: View, place: Place) -> Iterator[_Choice]:
    path = tuple(place.operand.split("."))
    seen: set[str] = set()
    for owner, field in field_at(place, path, view.schema, view.modules):
        for label in labels_of_field(owner, field, view.checked.program):
            if label not in seen:
                seen.add(label)
                yield _value(label, f"{owner.name}.{field.name}")


def _value(label: str, detail: str) -> _Choice:
    escaped = label.replace("\\", "\\\\").replace('"', '\\"')
    return _Choice(label, _Kind.EnumMember, detail, insert=f'"{escaped}"')
