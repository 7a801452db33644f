"""Where the shipped rules and title templates are, installed or in a checkout."""

from __future__ import annotations

from pathlib import Path

from dsl.source import Source

__all__ = ["RULES", "TITLES", "own_titles", "title_names", "title_texts"]

_HERE = Path(__file__).parent
_ROOT = _HERE / "shipped" if (_HERE / "shipped").is_dir() else _HERE.parent

#: The stock rules, `*.sync`.
RULES = _ROOT / "rules"
#: The title templates, `*.j2`, one for each kind of activity.
TITLES = _ROOT / "templates" / "activity_titles"

_OWN = Path("templates", "activity_titles")


def title_names(project: Path | None = None) -> frozenset[str]:
    """The names that `title from` may use: the shipped templates' and a project's own."""
    folders = [TITLES]
    if project is not None:
        folders.append(project / _OWN)
    return frozenset(file.stem for folder in folders for file in folder.glob("*.j2"))


def title_texts(project: Path | None = None) -> dict[str, str]:
    """The text of each title template by name; a project's own go before the shipped ones."""
    shipped = {file.stem: file.read_text("utf-8") for file in TITLES.glob("*.j2")}
    own = {name: source.text for name, source in own_titles(project).items()}
    return {name: text.removesuffix("\n") for name, text in (shipped | own).items()}


def own_titles(project: Path | None) -> dict[str, Source]:
    """A project's own title templates by name, their paths as the user knows them."""
    files = sorted((project / _OWN).glob("*.j2")) if project is not None else []
    return {
        file.stem: Source((_OWN / file.name).as_posix(), file.read_text("utf-8", errors="replace"))
        for file in files
        if file.is_file()
    }
