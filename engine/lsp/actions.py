"""Code actions: the fixes of findings, and the comment that silences one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types as lsp

from dsl.diagnostics import Diagnostic
from dsl.fixes import Fix
from dsl.source import Span
from engine.lsp.publishing import as_lsp
from engine.lsp.workspace import Document, View

__all__ = ["FIX_ALL", "actions"]

FIX_ALL = "source.fixAll.crosswalk"


def actions(
    view: View, document: Document, where: lsp.Range, only: Sequence[str] | None
) -> list[lsp.CodeAction]:
    """What can be done about the findings in a range of a file."""
    found = [d for d in view.diagnostics if d.span.source.path == document.source.path]
    offered: list[lsp.CodeAction] = []
    if _wanted(lsp.CodeActionKind.QuickFix, only):
        for each in found:
            if _touch(document.text.range_of(each.span), where):
                offered += _quick(view, document, each)
    if _wanted(FIX_ALL, only):
        offered += _all(view, found)
    return offered


def _wanted(kind: str, only: Sequence[str] | None) -> bool:
    """An editor asks for a kind and all below it: `source` takes in `source.fixAll`."""
    return only is None or any(kind == each or kind.startswith(f"{each}.") for each in only)


def _touch(a: lsp.Range, b: lsp.Range) -> bool:
    return _place(a.start) <= _place(b.end) and _place(b.start) <= _place(a.end)


def _place(position: lsp.Position) -> tuple[int, int]:
    return position.line, position.character


# -- one finding --------------------------------------------------------------------------------


def _quick(view: View, document: Document, found: Diagnostic) -> Iterator[lsp.CodeAction]:
    shown = [as_lsp(view, found)]
    for index, fix in enumerate(found.fixes):
        yield lsp.CodeAction(
            title=fix.title,
            kind=lsp.CodeActionKind.QuickFix,
            diagnostics=shown,
            is_preferred=index == 0 or None,
            edit=_edit(view, [fix]),
        )
    if not found.code.startswith("CW1"):
        yield lsp.CodeAction(
            title=f"allow {found.code} here, and say why",
            kind=lsp.CodeActionKind.QuickFix,
            diagnostics=shown,
            edit=_allow(document, found),
        )


def _allow(document: Document, found: Diagnostic) -> lsp.WorkspaceEdit:
    """The comment that silences a finding, on a line before it, to be gone on with by hand."""
    start, indent = document.text.indent(document.text.offset_of(found.span.first))
    text = f"{indent}# lint: allow {found.code} \n"
    return lsp.WorkspaceEdit(
        {document.uri: [lsp.TextEdit(document.text.range(start, start), text)]}
    )


def _edit(view: View, fixes: Sequence[Fix]) -> lsp.WorkspaceEdit:
    changes: dict[str, list[lsp.TextEdit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            document = view.documents[edit.span.source.path]
            change = lsp.TextEdit(document.text.range_of(edit.span), edit.text)
            changes.setdefault(document.uri, []).append(change)
    return lsp.WorkspaceEdit(changes)


# -- all at once --------------------------------------------------------------------------------


def _all(view: View, found: Sequence[Diagnostic]) -> Iterator[lsp.CodeAction]:
    """Every safe fix of a file; of two that touch one place only the first."""
    taken: list[Span] = []
    fixes: list[Fix] = []
    for fix in (fix for each in found for fix in each.fixes if fix.safe):
        spans = [edit.span for edit in fix.edits]
        if not any(_overlap(span, other) for span in spans for other in taken):
            taken += spans
            fixes.append(fix)
    if fixes:
        title = f"make {len(fixes)} safe fix{'' if len(fixes) == 1 else 'es'}"
        yield lsp.CodeAction(title=title, kind=FIX_ALL, edit=_edit(view, fixes))


def _overlap(a: Span, b: Span) -> bool:
    return a.source.path == b.source.path and a.first <= b.last and b.first <= a.last
