"""The Sphinx extension of this site: the `sync` highlighter, and pages made from the program."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosswalk_docs.codes import code_index, code_pages
from crosswalk_docs.commands import commands_page
from crosswalk_docs.coverage import coverage_page, read_coverage
from crosswalk_docs.grammar import grammar_page
from crosswalk_docs.lexer import SyncLexer
from crosswalk_docs.places import Places
from crosswalk_docs.rules import rule_pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["generate", "setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls to have the extension."""
    app.add_lexer("sync", SyncLexer)
    app.connect("builder-inited", lambda app: generate(Path(app.srcdir)))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def generate(docs: Path) -> None:
    """Write the pages, and parts of pages, that are made from the program."""
    pages = {f"reference/codes/{code}.md": text for code, text in code_pages().items()}
    prose = docs / "reference" / "grammar.toml"
    pages["_generated/grammar.md"] = grammar_page(prose.read_text(encoding="utf-8"))
    pages["_generated/codes.md"] = code_index()
    places = Places(docs.parent, made=pages)
    rows = read_coverage((docs / "reference" / "coverage.toml").read_text(encoding="utf-8"))
    pages["_generated/coverage.md"] = coverage_page(rows, places)
    for name, text in rule_pages(places.files).items():
        pages[f"reference/rules/{name}.md"] = text
    pages["_generated/commands.md"] = commands_page()
    _forget(docs, pages)
    for name, text in pages.items():
        _write(docs / name, text)


def _forget(docs: Path, pages: Collection[str]) -> None:
    """Remove the pages of codes and rule files that are gone."""
    for folder, names in (("codes", "CW*.md"), ("rules", "*.md")):
        for old in (docs / "reference" / folder).glob(names):
            if old.name != "index.md" and f"reference/{folder}/{old.name}" not in pages:
                old.unlink()


def _write(path: Path, text: str) -> None:
    """Leave a file alone that says this already: Sphinx reads again what is newer."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
