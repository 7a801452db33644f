"""What is open in the editor and what is on disk, checked project by project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types as lsp
from pygls.uris import from_fs_path, to_fs_path

from dsl.diagnostics import Diagnostic, in_order
from dsl.lint import Checked, Checker
from dsl.schema import Schema, shipped_schema
from dsl.source import Source
from dsl.syntax import Module
from engine.lsp.files import Disk, Home, home_of
from engine.lsp.positions import Text

__all__ = ["Document", "View", "Workspace", "path_of"]


@dataclass(frozen=True)
class Document:
    """One version of a rule file; `version` is the editor's count, None if it is not open."""

    uri: str
    text: Text
    source: Source
    version: int | None = None


@dataclass(frozen=True)
class View:
    """A project, or a file by itself, as it is at one moment: every file, and what is wrong.

    `titles` are the project's own title templates, as they are on disk.
    """

    home: Home
    documents: Mapping[str, Document]
    titles: Mapping[str, Document]
    templates: frozenset[str]
    checked: Checked
    diagnostics: tuple[Diagnostic, ...]
    schema: Schema

    @property
    def modules(self) -> Sequence[Module]:
        return self.checked.modules

    def module(self, path: str) -> Module | None:
        return next((each for each in self.modules if each.source.path == path), None)

    def file(self, path: str) -> Document | None:
        """A rule file or title template."""
        return self.documents.get(path) or self.titles.get(path)


def path_of(uri: str) -> str:
    """How a document is known here: its path, or its address if it is no file."""
    path = to_fs_path(uri)
    return Path(path).as_posix() if path else uri


def _around(path: str) -> tuple[Home, str | None]:
    """The project around a file, and the file itself where it is none of the project's rules."""
    home = home_of(Path(path)) if Path(path).is_absolute() else Home(None, None)
    inside = home.rules is not None and home.rules in Path(path).parents
    return home, None if inside else path


def _key(home: Home, alone: str | None) -> object:
    return alone or home.root


class Workspace:
    """All that the editor has open, and the projects around it."""

    def __init__(self) -> None:
        self.encoding = "utf-16"
        self._schema = shipped_schema()
        self._open: dict[str, Document] = {}
        self._roots: set[Path] = set()
        self._views: dict[object, tuple[object, View]] = {}
        self._checkers: dict[object, tuple[object, Checker]] = {}
        self._disk = Disk()

    # -- what the editor tells ------------------------------------------------------------------

    def add_folder(self, uri: str) -> None:
        """A folder that the editor works in: the project there is checked as a whole."""
        self.add_root(Path(path_of(uri)))

    def add_root(self, folder: Path) -> None:
        home = home_of(folder)
        if home.root is not None:
            self._roots.add(home.root)

    def remove_folder(self, uri: str) -> None:
        home = home_of(Path(path_of(uri)))
        self._roots -= {home.root} if home.root else set()

    def open(self, uri: str, version: int | None, text: str) -> None:
        self._put(uri, version, Text.opened(text, self.encoding))

    def change(
        self,
        uri: str,
        version: int | None,
        changes: Sequence[lsp.TextDocumentContentChangeEvent],
    ) -> None:
        document = self._open.get(path_of(uri))
        text = document.text if document else Text("", self.encoding)
        for change in changes:
            text = text.changed(change)
        self._put(uri, version, text)

    def _put(self, uri: str, version: int | None, text: Text) -> None:
        path = path_of(uri)
        self._open[path] = Document(uri, text, Source(path, text.text), version)

    def close(self, uri: str) -> None:
        self._open.pop(path_of(uri), None)

    def document(self, uri: str) -> Document | None:
        return self._open.get(path_of(uri))

    # -- what is so -----------------------------------------------------------------------------

    def views(self) -> list[View]:
        """Every project that is open or has an open file, and every file that has none."""
        views = {_key(home, None): self._view(home, None) for home in self._projects()}
        for path in list(self._open):
            home, alone = _around(path)
            if _key(home, alone) not in views:
                views[_key(home, alone)] = self._view(home, alone)
        self._views = {key: kept for key, kept in self._views.items() if key in views}
        self._checkers = {key: kept for key, kept in self._checkers.items() if key in views}
        return list(views.values())

    def view(self, path: str) -> View:
        """What a file is part of."""
        return self._view(*_around(path))

    def _projects(self) -> list[Home]:
        return [home for root in sorted(self._roots) if (home := home_of(root)).root == root]

    def _view(self, home: Home, alone: str | None) -> View:
        """Checked anew only if something has changed since."""
        key = _key(home, alone)
        documents, failed = self._documents(home, alone)
        templates, titles = home.templates, [] if alone else self._titles(home)
        texts = tuple(document.source for document in (*documents, *titles))
        state = (home, templates, texts, failed)
        kept = self._views.get(key)
        if kept is None or kept[0] != state:
            checker = self._checker(key, templates, titles)
            kept = self._views[key] = (state, self._check(checker, home, documents, failed, titles))
        return kept[1]

    def _titles(self, home: Home) -> list[Document]:
        """The project's own title templates; what is no text is none."""
        found = (self._disk.read(path) for path in home.own_titles)
        return [self._as_document(source) for source in found if isinstance(source, Source)]

    def _as_document(self, source: Source) -> Document:
        uri = from_fs_path(source.path) or source.path
        return Document(uri, Text(source.text, self.encoding), source)

    def _checker(
        self, key: object, templates: frozenset[str], titles: Sequence[Document]
    ) -> Checker:
        """Kept from check to check, for as long as no template changes."""
        own = {Path(title.source.path).stem: title.source for title in titles}
        known = self._checkers.get(key)
        if known is None or known[0] != (templates, own):
            made = Checker(self._schema, templates, own)
            known = self._checkers[key] = ((templates, own), made)
        return known[1]

    def _documents(
        self, home: Home, alone: str | None
    ) -> tuple[list[Document], tuple[Diagnostic, ...]]:
        """The files of a project, those that are open as they are in the editor."""
        on_disk = [] if alone or home.rules is None else self._disk.rule_files(home.rules)
        opened = [alone] if alone else [p for p in self._open if home.rules in Path(p).parents]
        documents, failed = [], []
        for path in sorted({*opened, *(each.as_posix() for each in on_disk)}):
            found = self._open.get(path) or self._disk.read(Path(path))
            if isinstance(found, Source):
                found = self._as_document(found)
            if isinstance(found, Document):
                documents.append(found)
            elif found is not None:
                failed.append(found)
        return documents, tuple(failed)

    def _check(
        self,
        checker: Checker,
        home: Home,
        documents: Sequence[Document],
        failed: tuple[Diagnostic, ...],
        titles: Sequence[Document],
    ) -> View:
        checked = checker.check([document.source for document in documents])
        found = checked.diagnostics
        if failed:
            # What is not defined may well be defined in the file that could not be read.
            found = in_order((*failed, *(d for d in found if d.code != "CW207")))
        by_path, titled = (
            {document.source.path: document for document in each} for each in (documents, titles)
        )
        return View(home, by_path, titled, home.templates, checked, found, self._schema)
