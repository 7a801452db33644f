"""Reads rule files from disk, and says what is wrong with a file as such."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsl.diagnostics import Diagnostic
from dsl.source import Source, Span

__all__ = ["Loaded", "decode", "read_folder", "read_paths"]


@dataclass(frozen=True)
class Loaded:
    """Rule files as read. `failed` are files that hold no readable text, one finding each.

    `error` is a sentence for the user where there is nothing to check: no such file, no rule file.
    """

    sources: tuple[Source, ...] = ()
    failed: tuple[Diagnostic, ...] = ()
    error: str | None = None

    @property
    def count(self) -> int:
        return len(self.sources) + len(self.failed)


def read_folder(folder: Path, shown: Path | None = None) -> Loaded:
    """All `*.sync` files below a folder, by path. `shown` is the folder as the user writes it."""
    if not folder.is_dir():
        return Loaded(error=f"there is no folder of rules at `{shown or folder}`")
    files = sorted(path for path in folder.rglob("*.sync") if path.is_file())
    if not files:
        return Loaded(error=f"there is no rule file (`*.sync`) in `{shown or folder}`")
    return _read([(path, (shown or folder) / path.relative_to(folder)) for path in files])


def read_paths(paths: Sequence[Path]) -> Loaded:
    """Rule files by their paths; a folder stands for the rule files in it."""
    files: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*.sync") if each.is_file())
            if not inside:
                return Loaded(error=f"there is no rule file (`*.sync`) in `{path}`")
            files |= {each.resolve(): each for each in inside}
        elif path.exists():
            files.setdefault(path.resolve(), path)
        else:
            return Loaded(error=f"there is no file `{path}`")
    return _read([(path, path) for path in files.values()])


def _read(files: Sequence[tuple[Path, Path]]) -> Loaded:
    sources: list[Source] = []
    failed: list[Diagnostic] = []
    for path, shown in files:
        try:
            raw = path.read_bytes()
        except OSError as error:
            return Loaded(error=f"`{shown}` cannot be read: {error.strerror or error}")
        found = decode(raw, shown.as_posix())
        if isinstance(found, Source):
            sources.append(found)
        else:
            failed.append(found)
    return Loaded(tuple(sources), tuple(failed))


def decode(raw: bytes, path: str) -> Source | Diagnostic:
    """The source in some bytes; a finding if they are not UTF-8. A byte order mark is dropped."""
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        line = raw.count(b"\n", 0, error.start) + 1
        where = "it looks like UTF-16" if utf16 else f"the first wrong byte is on line {line}"
        return Diagnostic(
            "CW101",
            f"the file is not UTF-8 text: {where}",
            Span(Source(path, ""), 0, 0),
            "save it as UTF-8 in the editor",
        )
    return Source(path, text)
