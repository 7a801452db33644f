"""The Sphinx extension of this site: the `sync` highlighter, and pages made from the program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosswalk_docs.codes import code_index, code_pages
from crosswalk_docs.commands import commands_page
from crosswalk_docs.grammar import grammar_page
from crosswalk_docs.lexer import SyncLexer

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
    for old in (docs / "reference" / "codes").glob("CW*.md"):
        if f"reference/codes/{old.name}" not in pages:
            old.unlink()
    prose = docs / "reference" / "grammar.toml"
    pages["_generated/grammar.md"] = grammar_page(prose.read_text(encoding="utf-8"))
    pages["_generated/codes.md"] = code_index()
    pages["_generated/commands.md"] = commands_page()
    for name, text in pages.items():
        _write(docs / name, text)


def _write(path: Path, text: str) -> None:
    """Leave a file alone that says this already: Sphinx reads again what is newer."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
