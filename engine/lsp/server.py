"""Wires what an editor asks for to what answers it; knows the protocol, and nothing of rules."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from engine.lsp.actions import FIX_ALL, actions
from engine.lsp.completion import completions
from engine.lsp.definitions import Refused, definitions, references, rename, renamed
from engine.lsp.folding import folds
from engine.lsp.formatting import formatted
from engine.lsp.hover import hover
from engine.lsp.publishing import Publisher
from engine.lsp.symbols import selection, symbols
from engine.lsp.workspace import Document, View, Workspace

__all__ = ["Server"]

# What comes in at once is checked at once; this is how long it is waited for, in seconds.
_AT_ONCE = 0.002
_LONGEST_WAIT = 0.5


class _Protocol(LanguageServerProtocol):
    """Leaves the texts to our own workspace, which counts lines as the protocol does."""

    def _handed_on(self, method: str, params: Any) -> Iterator[Any]:
        handler = self.fm.features.get(method)
        if handler is not None:
            yield handler, (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> Iterator[Any]:
        yield from self._handed_on(lsp.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(
        self, params: lsp.DidChangeTextDocumentParams
    ) -> Iterator[Any]:
        yield from self._handed_on(lsp.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> Iterator[Any]:
        yield from self._handed_on(lsp.TEXT_DOCUMENT_DID_CLOSE, params)


class Server(LanguageServer):
    """The language server. `asked_to_stop`: the editor has said that it is about to leave."""

    def __init__(self) -> None:
        super().__init__("crosswalk", version("crosswalk"), protocol_cls=_Protocol)
        self.files = Workspace()
        self.publisher = Publisher(self.text_document_publish_diagnostics)
        self.asked_to_stop = False
        self._waiting: asyncio.TimerHandle | None = None
        self._took = 0.0
        self._ended = 0.0
        self._told: dict[str, str] = {}
        for method, handler, options in _FEATURES:
            self.feature(method, options)(_bound(self, handler))

    # -- checking -------------------------------------------------------------------------------

    def check_soon(self) -> None:
        """Checks at once, or while it is typed fast, after as long a rest as a check takes."""
        if self._waiting is None:
            rest = self._took - (time.perf_counter() - self._ended)
            wait = min(max(rest, _AT_ONCE), _LONGEST_WAIT)
            self._waiting = asyncio.get_running_loop().call_later(wait, self.check_now)

    def check_now(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        started = time.perf_counter()
        views = self.files.views()
        self.publisher.publish(views)
        if not self._ended:
            gc.freeze()  # what the first check has made stays: looking through it takes too long
        self._ended = time.perf_counter()
        self._took = self._ended - started
        for view in views:
            if view.home.root is not None:
                self.tell_once(str(view.home.root), view.home.problem)

    def tell_once(self, about: str, message: str | None) -> None:
        """A message that the editor shows, not again until there was nothing to say about it."""
        if message is None:
            self._told.pop(about, None)
        elif self._told.get(about) != message:
            self._told[about] = message
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, message))

    def seen(self, uri: str) -> tuple[View, Document] | None:
        """An open file and what it is part of."""
        document = self.files.document(uri)
        if document is None:
            return None
        return self.files.view(document.source.path), document


def _bound(server: Server, handler: Callable[[Server, Any], Any]) -> Callable[[Any], Any]:
    def handle(params: Any) -> Any:
        return handler(server, params)

    return handle


# -- what the editor tells ----------------------------------------------------------------------


def _initialized(server: Server, _params: lsp.InitializedParams) -> None:
    encoding = server.server_capabilities.position_encoding
    server.files.encoding = str(getattr(encoding, "value", encoding))
    for folder in server.workspace.folders.values():
        server.files.add_folder(folder.uri)
    if server.workspace.root_uri:
        server.files.add_folder(server.workspace.root_uri)
    _watch(server)
    server.check_soon()


def _watch(server: Server) -> None:
    """Asks to be told of changes on disk, where the editor can."""
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace else None
    if watching is None or not watching.dynamic_registration:
        return
    patterns = ("**/*.sync", "**/crosswalk.toml", "**/activity_titles/*.j2")
    options = lsp.DidChangeWatchedFilesRegistrationOptions(
        [lsp.FileSystemWatcher(pattern) for pattern in patterns]
    )
    method = lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES
    wanted = lsp.Registration("rule-files", method, options)
    server.client_register_capability(lsp.RegistrationParams([wanted]))


def _opened(server: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    document = params.text_document
    server.files.open(document.uri, document.version, document.text)
    server.check_soon()


def _changed(server: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    document = params.text_document
    server.files.change(document.uri, document.version, params.content_changes)
    server.check_soon()


def _closed(server: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    server.files.close(params.text_document.uri)
    server.check_soon()


def _on_disk(server: Server, _params: object) -> None:
    server.check_soon()


def _folders(server: Server, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    for folder in params.event.removed:
        server.files.remove_folder(folder.uri)
    for folder in params.event.added:
        server.files.add_folder(folder.uri)
    server.check_soon()


def _stopping(server: Server, _params: object) -> None:
    server.asked_to_stop = True


# -- what the editor asks -----------------------------------------------------------------------


def _complete(server: Server, params: lsp.CompletionParams) -> lsp.CompletionList | None:
    seen = server.seen(params.text_document.uri)
    if seen is None:
        return None
    snippets = _can_fill_in(server.client_capabilities)
    return lsp.CompletionList(False, completions(*seen, params.position, snippets=snippets))


def _can_fill_in(client: lsp.ClientCapabilities) -> bool:
    """Whether the editor can put the cursor between a call's parentheses."""
    with contextlib.suppress(AttributeError):
        return bool(client.text_document.completion.completion_item.snippet_support)  # type: ignore[union-attr]
    return False


def _hover(server: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    seen = server.seen(params.text_document.uri)
    return hover(*seen, params.position) if seen else None


def _define(server: Server, params: lsp.DefinitionParams) -> list[lsp.Location]:
    seen = server.seen(params.text_document.uri)
    return definitions(*seen, params.position) if seen else []


def _refer(server: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
    seen = server.seen(params.text_document.uri)
    declared = params.context.include_declaration
    return references(*seen, params.position, declared=declared) if seen else []


def _prepare(server: Server, params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
    with _refusals():
        where, name = rename(*_open(server, params.text_document.uri), params.position)
    return lsp.PrepareRenamePlaceholder(where, name)


def _rename(server: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
    with _refusals():
        seen = _open(server, params.text_document.uri)
        return renamed(*seen, params.position, params.new_name)


def _open(server: Server, uri: str) -> tuple[View, Document]:
    seen = server.seen(uri)
    if seen is None:
        raise Refused("the file is not open")
    return seen


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """A refusal as the error that the editor shows."""
    try:
        yield
    except Refused as refused:
        raise JsonRpcInvalidParams(str(refused)) from refused


def _act(server: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    seen = server.seen(params.text_document.uri)
    return actions(*seen, params.range, params.context.only) if seen else []


def _format(server: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
    seen = server.seen(params.text_document.uri)
    if seen is None:
        return None
    edits, message = formatted(seen[1])
    server.tell_once(params.text_document.uri, message)
    return edits or None


def _symbols(server: Server, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    seen = server.seen(params.text_document.uri)
    module = seen[0].module(seen[1].source.path) if seen else None
    return symbols(seen[1], module) if seen and module else []


def _fold(server: Server, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
    seen = server.seen(params.text_document.uri)
    return folds(seen[1]) if seen else []


def _select(server: Server, params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange] | None:
    seen = server.seen(params.text_document.uri)
    if seen is None:
        return None
    module = seen[0].module(seen[1].source.path)
    return [selection(seen[1], module, position) for position in params.positions]


_COMPLETION = lsp.CompletionOptions(trigger_characters=[".", '"'])
_ACTIONS = lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix, FIX_ALL])

_FEATURES: tuple[tuple[str, Callable[[Server, Any], Any], Any], ...] = (
    (lsp.INITIALIZED, _initialized, None),
    (lsp.SHUTDOWN, _stopping, None),
    (lsp.TEXT_DOCUMENT_DID_OPEN, _opened, None),
    (lsp.TEXT_DOCUMENT_DID_CHANGE, _changed, None),
    (lsp.TEXT_DOCUMENT_DID_CLOSE, _closed, None),
    (lsp.TEXT_DOCUMENT_DID_SAVE, _on_disk, None),
    (lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, _on_disk, None),
    (lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, _folders, None),
    (lsp.TEXT_DOCUMENT_COMPLETION, _complete, _COMPLETION),
    (lsp.TEXT_DOCUMENT_HOVER, _hover, None),
    (lsp.TEXT_DOCUMENT_DEFINITION, _define, None),
    (lsp.TEXT_DOCUMENT_REFERENCES, _refer, None),
    (lsp.TEXT_DOCUMENT_PREPARE_RENAME, _prepare, None),
    (lsp.TEXT_DOCUMENT_RENAME, _rename, None),
    (lsp.TEXT_DOCUMENT_CODE_ACTION, _act, _ACTIONS),
    (lsp.TEXT_DOCUMENT_FORMATTING, _format, None),
    (lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL, _symbols, None),
    (lsp.TEXT_DOCUMENT_FOLDING_RANGE, _fold, None),
    (lsp.TEXT_DOCUMENT_SELECTION_RANGE, _select, None),
)
