"""Where names are defined and used, and what renaming one would change."""

from __future__ import annotations

import re

from lsprotocol import types as lsp
from pygls.uris import from_fs_path

from dsl.at import covers
from dsl.cursor import NAME, cursor_at, word_at
from dsl.places import Role
from dsl.source import Span
from dsl.uses import Use, What, uses
from engine.lsp.files import template_file
from engine.lsp.workspace import Document, View

__all__ = ["Refused", "definitions", "references", "rename", "renamed"]

_OWN = (What.MAP, What.FIELDS, What.ACTIVITIES)
_BY_ROLE = {
    Role.MAP: What.MAP,
    Role.GROUP_OF_FIELDS: What.FIELDS,
    Role.GROUP_OF_ACTIVITIES: What.ACTIVITIES,
    Role.TEMPLATE: What.TEMPLATE,
    Role.TYPE: What.TYPE,
    Role.TARGET: What.TYPE,
}


class Refused(Exception):
    """A name cannot be changed so: a sentence for the user."""


# -- finding ------------------------------------------------------------------------------------


def definitions(view: View, document: Document, position: lsp.Position) -> list[lsp.Location]:
    """Where the name at a place is defined: a type by each of its syncs, a title by its file."""
    found = _named(view, document, position)
    if found is None:
        return []
    what, name = found
    if what is What.TEMPLATE:
        file = template_file(view.home, name)
        start = lsp.Position(0, 0)
        return (
            [lsp.Location(from_fs_path(str(file)) or "", lsp.Range(start, start))] if file else []
        )
    return [_location(view, use.name.span) for use in _all(view, what, name) if use.item]


def references(
    view: View, document: Document, position: lsp.Position, *, declared: bool
) -> list[lsp.Location]:
    """Every place where the name at a place stands, with its definition or without."""
    found = _named(view, document, position)
    if found is None:
        return []
    return [_location(view, u.name.span) for u in _all(view, *found) if declared or not u.item]


def _named(view: View, document: Document, position: lsp.Position) -> tuple[What, str] | None:
    """What is named at a place, by the tree, or in a broken statement by what leads up to it."""
    use = _use_at(view, document, position)
    if use is not None:
        return use.what, use.name.text
    text = document.text.text
    word = word_at(text, document.text.offset(position))
    cursor = cursor_at(text, word.start()) if word else None
    if word is None or cursor is None or cursor.name is None or cursor.path:
        return None
    what = _BY_ROLE.get(cursor.name.role)
    return (what, word[0]) if what else None


def _use_at(view: View, document: Document, position: lsp.Position) -> Use | None:
    module = view.module(document.source.path)
    place = document.text.place(document.text.offset(position))
    found = uses([module]) if module else ()
    return next((use for use in found if covers(use.name.span, place)), None)


def _all(view: View, what: What, name: str) -> list[Use]:
    return [use for use in uses(view.modules) if use.what is what and use.name.text == name]


def _location(view: View, span: Span) -> lsp.Location:
    document = view.documents[span.source.path]
    return lsp.Location(document.uri, document.text.range_of(span))


# -- renaming -----------------------------------------------------------------------------------


def rename(view: View, document: Document, position: lsp.Position) -> tuple[lsp.Range, str]:
    """The name at a place that can be given another, and where it stands. Raises `Refused`."""
    use = _use_at(view, document, position)
    if use is None:
        raise Refused("only the names of groups and maps can be changed")
    name = use.name.text
    if use.what is What.TEMPLATE:
        raise Refused(f"a title is a file: rename `templates/activity_titles/{name}.j2`")
    if use.what not in _OWN:
        raise Refused(f"`{name}` is the name of a type, which its own system gives")
    if not any(other.item for other in _all(view, use.what, name)):
        raise Refused(f"there is no {use.what} named `{name}`")
    return document.text.range_of(use.name.span), name


def renamed(view: View, document: Document, position: lsp.Position, name: str) -> lsp.WorkspaceEdit:
    """The edits that give the name at a place another one, in all files. Raises `Refused`."""
    _, old = rename(view, document, position)
    use = _use_at(view, document, position)
    assert use is not None  # noqa: S101 - `rename` has refused it otherwise
    if not NAME.fullmatch(name):
        raise Refused(f"`{name}` is no name: write letters, digits and `_`, a letter first")
    if name != old and any(other.item for other in _all(view, use.what, name)):
        raise Refused(f"there is a {use.what} named `{name}` already")
    _check_readable(view, old)
    edits: dict[str, list[lsp.TextEdit]] = {}
    for other in _all(view, use.what, old):
        where = _location(view, other.name.span)
        edits.setdefault(where.uri, []).append(lsp.TextEdit(where.range, name))
    return lsp.WorkspaceEdit(changes=edits)


def _check_readable(view: View, name: str) -> None:
    """Refuses where the name may stand in what cannot be read."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    for module in view.modules:
        for span in module.broken:
            if word.search(span.text):
                where = f"{span.source.path.rpartition('/')[2]}:{span.first.line}"
                raise Refused(
                    f"`{name}` may stand in what cannot be read at {where}: mend it first"
                )
