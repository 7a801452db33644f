"""`lint --fix`: makes the fixes that can only be meant in one way, file by file."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dsl.diagnostics import Diagnostic
from dsl.files import Loaded
from dsl.fixes import edited
from dsl.lint import Checker
from dsl.schema import Schema
from dsl.source import Source
from engine.cli.files import replace_file
from engine.cli.project import Failure

__all__ = ["mend"]

# A fix can uncover what another one then mends; more rounds than this are a bug of ours.
_MOST = 10


def mend(loaded: Loaded, schema: Schema, templates: frozenset[str]) -> Loaded:
    """The files with their safe fixes made and written. Raises `Failure` if one cannot be."""
    checker = Checker(schema, templates)
    sources = loaded.sources
    total = 0
    for _ in range(_MOST):
        found = checker.check(sources).diagnostics
        mended, made = _mended(sources, [d for d in found if loaded.is_named(d.span.source.path)])
        if not made or _unreadable(checker.check(mended).diagnostics) > _unreadable(found):
            break
        sources = mended
        total += made
    for before, after in zip(loaded.sources, sources, strict=True):
        if before.text != after.text:
            _write(after)
    print(f"{total} finding{'' if total == 1 else 's'} mended", file=sys.stderr)
    return replace(loaded, sources=sources)


def _mended(
    sources: Sequence[Source], found: Sequence[Diagnostic]
) -> tuple[tuple[Source, ...], int]:
    fixes = [fix for d in found for fix in d.fixes if fix.safe]
    results = [edited(source, fixes) for source in sources]
    texts = tuple(Source(s.path, text) for s, (text, _) in zip(sources, results, strict=True))
    return texts, sum(made for _, made in results)


def _unreadable(found: Sequence[Diagnostic]) -> int:
    """Syntax errors; of other findings a fix may well uncover more, as that of a wrong type."""
    return sum(d.code == "CW101" for d in found)


def _write(source: Source) -> None:
    """The text in place of the file's, after its byte order mark if it has one."""
    path = Path(source.path)
    try:
        mark = codecs.BOM_UTF8 if path.read_bytes().startswith(codecs.BOM_UTF8) else b""
        replace_file(path, mark + source.text.encode())
    except OSError as error:
        raise Failure(f"`{path}` cannot be written: {error.strerror or error}") from error
