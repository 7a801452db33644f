"""Why a run stops before its first write: the words for people, and the parts for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Objection"]


@dataclass(frozen=True)
class Objection:
    """One reason; `kind` is `guard` (a bound of the rules) or `plan` (what a plan rests on)."""

    kind: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "message": self.message, **self.details}
