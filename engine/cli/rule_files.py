"""Which rule files a command is about: those that it names, or the project's."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from dsl.files import Loaded, decode, read_folder, read_paths
from dsl.source import Source
from engine.cli.project import Project

__all__ = ["load", "read_standard_input", "written_from_here"]


def load(
    paths: Sequence[str], project: Project | None, verb: str, *, together: bool = False
) -> Loaded:
    """The rule files at these paths, or the project's; `verb` is what is to be done with them.

    With `together`, files of the project are read with all its others, whose names they may use.
    """
    if "-" in paths:
        return Loaded(error="`-` is standard input, and stands alone")
    if paths:
        folder = project.rules if project is not None and together else None
        return read_paths([Path(path) for path in paths], folder)
    if project is None:
        return Loaded(error=f"there is no project here: name the rule files to {verb}")
    return read_folder(project.rules, written_from_here(project.rules))


def read_standard_input() -> Loaded:
    """One rule file from standard input."""
    found = decode(sys.stdin.buffer.read(), "<stdin>")
    return Loaded((found,)) if isinstance(found, Source) else Loaded(failed=(found,))


def written_from_here(folder: Path) -> Path:
    """A folder as the user would write it: from where they are, if it is below."""
    try:
        return folder.resolve().relative_to(Path.cwd())
    except ValueError:
        return folder
