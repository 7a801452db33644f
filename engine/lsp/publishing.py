"""Findings as an editor takes them, sent only where they have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lsprotocol import types as lsp
from pygls.uris import from_fs_path

from dsl.diagnostics import Diagnostic
from dsl.source import Span
from engine.lsp.workspace import View

__all__ = ["Publisher", "as_lsp"]

_UNNECESSARY = frozenset({"CW305"})
_START = lsp.Position(0, 0)


def as_lsp(view: View, found: Diagnostic) -> lsp.Diagnostic:
    """One finding; further places keep their words, in whatever file they are."""
    message = f"{found.message}\nhelp: {found.help}" if found.help else found.message
    related = [
        lsp.DiagnosticRelatedInformation(location, words)
        for span, words in found.related
        if (location := _location(view, span)) is not None
    ]
    return lsp.Diagnostic(
        range=_range(view, found.span),
        message=message,
        severity=(
            lsp.DiagnosticSeverity.Error if found.is_error else lsp.DiagnosticSeverity.Warning
        ),
        code=found.code,
        source="crosswalk",
        tags=[lsp.DiagnosticTag.Unnecessary] if found.code in _UNNECESSARY else None,
        related_information=related or None,
    )


def _range(view: View, span: Span) -> lsp.Range:
    document = view.file(span.source.path)
    return document.text.range_of(span) if document else lsp.Range(_START, _START)


def _location(view: View, span: Span) -> lsp.Location | None:
    document = view.file(span.source.path)
    return lsp.Location(document.uri, document.text.range_of(span)) if document else None


class Publisher:
    """Knows what the editor shows, and tells it no more than what is new."""

    def __init__(self, send: Callable[[lsp.PublishDiagnosticsParams], None]) -> None:
        self._send = send
        self._shown: dict[str, list[lsp.Diagnostic]] = {}

    def publish(self, views: Iterable[View]) -> None:
        """Sends the findings of all files that are known, and takes back those of the others."""
        now: dict[str, tuple[int | None, list[lsp.Diagnostic]]] = {}
        for view in views:
            now.update(_by_file(view))
        for uri in self._shown.keys() - now.keys():
            now[uri] = (None, [])
        for uri, (version, found) in now.items():
            if found != self._shown.get(uri, []):
                self._send(lsp.PublishDiagnosticsParams(uri, found, version))
        self._shown = {uri: found for uri, (_, found) in now.items() if found}


def _by_file(view: View) -> Iterator[tuple[str, tuple[int | None, list[lsp.Diagnostic]]]]:
    found: dict[str, list[lsp.Diagnostic]] = {path: [] for path in view.documents}
    for each in view.diagnostics:
        found.setdefault(each.span.source.path, []).append(as_lsp(view, each))
    for path, rows in found.items():
        document = view.file(path)
        if document is None:
            yield from_fs_path(path) or path, (None, rows)
        else:
            yield document.uri, (document.version, rows)
