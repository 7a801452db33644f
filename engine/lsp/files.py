"""Rule files on disk, read again only where they have changed, and where a project has its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dsl.diagnostics import Diagnostic
from dsl.files import decode
from dsl.source import Source
from engine.config import FILE, ConfigError, read_config
from engine.shipped import TITLES, title_names

__all__ = ["Disk", "Home", "home_of", "template_file"]


@dataclass(frozen=True)
class Home:
    """What a rule file belongs to: a project, or (`root` of None) nothing but itself.

    `problem` is what is wrong with `crosswalk.toml`; its rules are then looked for in `rules`.
    """

    root: Path | None
    rules: Path | None
    problem: str | None = None

    @property
    def templates(self) -> frozenset[str]:
        return title_names(self.root)

    @property
    def own_titles(self) -> list[Path]:
        """The files of the project's own title templates."""
        folder = self.root / "templates" / "activity_titles" if self.root else None
        return sorted(folder.glob("*.j2")) if folder else []


def home_of(path: Path) -> Home:
    """The project around a file or folder: the nearest folder upward with a `crosswalk.toml`."""
    for folder in (path, *path.parents):
        try:
            if (folder / FILE).is_file():
                return Home(folder, read_config(folder).rules)
        except ConfigError as error:
            return Home(folder, folder / "rules", str(error))
        except OSError:
            break
    return Home(None, None)


def template_file(home: Home, name: str) -> Path | None:
    """The file of a title template: the project's own, or the one that ships."""
    own = [home.root / "templates" / "activity_titles"] if home.root else []
    files = (folder / f"{name}.j2" for folder in (*own, TITLES))
    return next((file for file in files if file.is_file()), None)


class Disk:
    """Reads rule files and title templates, and remembers what it has read by their stamps."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[tuple[int, int], Source | Diagnostic]] = {}

    def rule_files(self, folder: Path) -> list[Path]:
        try:
            return sorted(path for path in folder.rglob("*.sync") if path.is_file())
        except OSError:
            return []

    def read(self, path: Path) -> Source | Diagnostic | None:
        """A file as last written, or that it is no text; None if it cannot be read."""
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._read.get(path)
            if known is None or known[0] != stamp:
                known = self._read[path] = (stamp, decode(path.read_bytes(), path.as_posix()))
        except OSError:
            return None
        return known[1]
