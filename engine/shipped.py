"""Where the shipped rules and title templates are, installed or in a checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["RULES", "TITLES", "title_names"]

_HERE = Path(__file__).parent
_ROOT = _HERE / "shipped" if (_HERE / "shipped").is_dir() else _HERE.parent

#: The stock rules, `*.sync`.
RULES = _ROOT / "rules"
#: The title templates, `*.j2`, one for each kind of activity.
TITLES = _ROOT / "templates" / "activity_titles"


def title_names(project: Path | None = None) -> frozenset[str]:
    """The names that `title from` may use: the shipped templates' and a project's own."""
    folders = [TITLES]
    if project is not None:
        folders.append(project / "templates" / "activity_titles")
    return frozenset(file.stem for folder in folders for file in folder.glob("*.j2"))
