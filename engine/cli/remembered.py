"""Says again what `crosswalk lint` said, where nothing that it looked at has changed since.

This is asked before anything else is imported, so it imports next to nothing itself: with
`pathlib`, `json` or `argparse` an answer would take twice as long.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from dsl.cache import cache_folder
from engine.cli.colour import wants_colour

__all__ = ["Seen", "recall", "remember"]

_ABSENT = "-"
_KEPT = 200


class Seen:
    """What an answer rests on: files, and the files of an ending below folders."""

    def __init__(self, files: Iterable[str], folders: Iterable[tuple[str, str]]) -> None:
        self.files = sorted({os.path.abspath(path) for path in files})
        self.folders = sorted({(os.path.abspath(path), ending) for path, ending in folders})

    def rows(self) -> list[str]:
        """One row each: what it is, and a digest of it as it is now."""
        files = [f"{_digest_of_file(path)} file {path}" for path in self.files]
        return files + [f"{_digest_of(_listed(*at))} {at[1]} {at[0]}" for at in self.folders]


def recall(arguments: Sequence[str]) -> int | None:
    """Prints what the same command last printed, and gives its exit code; None to check anew."""
    path = _entry(arguments)
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8", newline="") as file:
            head, _, output = file.read().partition("\n\n")
        program, code, *rows = head.split("\n")
        if program != _program() or not all(map(_holds, rows)):
            return None
    except (OSError, ValueError):
        return None
    sys.stdout.write(output)
    return int(code)


def remember(
    arguments: Sequence[str], seen: Seen, before: Sequence[str], output: str, code: int
) -> None:
    """Keeps an answer. `before` are the rows of `seen` from before the files were read."""
    path = _entry(arguments)
    rows = seen.rows()
    if path is None or rows != list(before) or any("\n" in row for row in rows):
        return  # a file changed under our hands: the answer may be about either state
    try:
        _clear(os.path.dirname(path))
        with open(f"{path}.{os.getpid()}", "w", encoding="utf-8", newline="") as file:
            file.write("\n".join([_program(), str(code), *rows]) + "\n\n" + output)
        os.replace(file.name, path)
    except (OSError, ValueError):
        return  # it can be said again tomorrow


def _entry(arguments: Sequence[str]) -> str | None:
    """The file that holds the answer to a command in this folder, on this sort of terminal."""
    folder = cache_folder()
    if folder is None:
        return None
    key = "\0".join([os.getcwd(), str(wants_colour()), *arguments])
    return f"{folder}/lint/{_digest_of(key)}"


def _clear(folder: str) -> None:
    """Makes room: of very many answers none is likely to be asked for again."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    names = os.listdir(folder)
    if len(names) > _KEPT:
        for name in names:
            os.unlink(os.path.join(folder, name))


def _holds(row: str) -> bool:
    digest, ending, path = row.split(" ", 2)
    if ending == "file":
        return _digest_of_file(path) == digest
    return _digest_of(_listed(path, ending)) == digest


def _digest_of(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()


def _digest_of_file(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return blake2b(file.read(), digest_size=20).hexdigest()
    except OSError:
        return _ABSENT


def _listed(folder: str, ending: str) -> str:
    """The files of an ending below a folder, and digests of what is in them."""
    found = []
    for at, _, names in os.walk(folder):
        found += [os.path.join(at, name) for name in names if name.endswith(ending)]
    return "\n".join(f"{_digest_of_file(path)} {path}" for path in sorted(found))


def _program() -> str:
    """What identifies this program: its own files and what ships with it, and Python's version."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    root = os.path.dirname(here)
    rows = [sys.version]
    for folder in (os.path.join(root, "dsl"), os.path.join(here, "cli"), here):
        rows += _stats(folder, below=folder != here)
    return _digest_of("\n".join(rows))


def _stats(folder: str, *, below: bool) -> list[str]:
    rows = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if below and entry.name != "__pycache__":
                    rows += _stats(entry.path, below=True)
            else:
                status = entry.stat()
                rows.append(f"{entry.path} {status.st_mtime_ns} {status.st_size}")
    return sorted(rows)
