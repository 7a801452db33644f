"""Reads rule files from disk, and says what is wrong with a file as such."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dsl.diagnostics import Diagnostic
from dsl.source import Source, Span

__all__ = ["Loaded", "decode", "read_folder", "read_paths"]


@dataclass(frozen=True)
class Loaded:
    """Rule files as read. `failed` are files that hold no readable text, one finding each.

    `error` is a sentence for the user where there is nothing to check: no such file, no rule file.
    `named` are the paths of those that a command is about; None: all.
    """

    sources: tuple[Source, ...] = ()
    failed: tuple[Diagnostic, ...] = ()
    error: str | None = None
    named: frozenset[str] | None = None

    @property
    def count(self) -> int:
        """How many files a command is about."""
        return len(self.sources) + len(self.failed) if self.named is None else len(self.named)

    def is_named(self, path: str) -> bool:
        """Whether a command is about this file, and not only about others that need it."""
        return self.named is None or path in self.named


def read_folder(folder: Path, shown: Path | None = None) -> Loaded:
    """All `*.sync` files below a folder, by path. `shown` is the folder as the user writes it."""
    if not folder.is_dir():
        return Loaded(error=f"there is no folder of rules at `{shown or folder}`")
    files = _inside(folder, shown or folder)
    if not files:
        return Loaded(error=f"there is no rule file (`*.sync`) in `{shown or folder}`")
    return _read(files)


def read_paths(paths: Sequence[Path], folder: Path | None = None) -> Loaded:
    """Rule files by their paths; a folder stands for the rule files in it.

    If all of them lie in `folder`, the others in it are read too, since the named ones may use what
    those define; `named` then tells the two apart.
    """
    files: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = _inside(path, path)
            if not inside:
                return Loaded(error=f"there is no rule file (`*.sync`) in `{path}`")
            files |= {each.resolve(): each for each, _ in inside}
        elif path.exists():
            files.setdefault(path.resolve(), path)
        else:
            return Loaded(error=f"there is no file `{path}`")
    named = frozenset(path.as_posix() for path in files.values())
    root = folder.resolve() if folder is not None else None
    if root is not None and all(path.is_relative_to(root) for path in files):
        # Whoever names one file of several in a folder writes the others just so.
        for path, shown in _inside(root, _as_written(root, files)):
            files.setdefault(path, shown)
    # A pipe is there by the name that it was given only.
    places = [
        (files[path] if files[path].exists() else path, files[path]) for path in sorted(files)
    ]
    return replace(_read(places), named=named)


def _inside(folder: Path, shown: Path) -> list[tuple[Path, Path]]:
    """The rule files below a folder, by path, and as the user would write them."""
    files = sorted(path for path in folder.rglob("*.sync") if path.is_file())
    return [(path, shown / path.relative_to(folder)) for path in files]


def _as_written(folder: Path, files: Mapping[Path, Path]) -> Path:
    """A folder as it stands in the path by which a file in it was named."""
    for path, shown in files.items():
        below = path.relative_to(folder).parts
        if shown.parts[-len(below) :] == below:
            return Path(*shown.parts[: -len(below)])
    return folder


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
