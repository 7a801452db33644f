"""What became of the rows of a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.imports.rows import Bad

__all__ = ["Rows"]

_KEPT = 1000  # bad rows that are named: a file that is none has them without end


@dataclass
class Rows:
    """Rows counted: `read` are those that were imported, left alone as they should be, or bad.

    `notes` and `unknown` tell of columns.
    """

    name: str
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    read: int = 0
    imported: int = 0
    skipped: int = 0
    failed: int = 0
    bad: list[Bad] = field(default_factory=list)

    def wrong(self, line: int, message: str) -> None:
        """Count a row that could not be imported."""
        self.failed += 1
        if len(self.bad) < _KEPT:
            self.bad.append(Bad(line, message))

    def as_json(self) -> dict[str, Any]:
        """The documented JSON."""
        bad = [{"line": each.line, "message": each.message} for each in sorted(self.bad)]
        return {
            "read": self.read,
            "imported": self.imported,
            "skipped": self.skipped,
            "bad": bad,
            "unknown_columns": list(self.unknown),
        }
