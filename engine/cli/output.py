"""Changes kept aside while a cycle runs, so that a million of them take no memory."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter
from types import TracebackType
from typing import Self

from engine.case import Change
from engine.cli.changes import activity_lines, change_lines, rows_line, summary_lines
from engine.cli.colour import wants_colour
from engine.cycle import Summary, change_as_json
from engine.model import Action

__all__ = ["ChangeSpool"]

_SENT = (Action.CREATE, Action.UPDATE)
_WRITING = (Action.CREATE, Action.UPDATE, Action.LINK, Action.UNLINK, Action.DELETE)


class ChangeSpool:
    """Takes a cycle's changes one by one and prints them at its end.

    As JSON or as text, the first `limit` of them; as text without what a condition left alone.
    """

    def __init__(self, as_json: bool, limit: int | None = None) -> None:
        self._as_json = as_json
        self._limit = limit
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - see __exit__
        self._colour = wants_colour()
        self._shown = 0
        self._told = 0
        self._activities: Counter[str] = Counter()
        self.writes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, change: Change) -> None:
        """Keep one change."""
        self.writes += change.action in _WRITING
        if change.label and change.action in _SENT:
            self._activities[change.label] += 1
        if change.action is Action.SKIP and not self._as_json and not change.fields:
            return
        self._told += 1
        if self._limit is not None and self._shown >= self._limit:
            return
        self._shown += 1
        if self._as_json:
            comma = ",\n" if self._shown > 1 else ""
            self._file.write(comma + json.dumps(change_as_json(change), ensure_ascii=False))
            return
        for line in change_lines(change_as_json(change), self._colour):
            print(line, file=self._file)

    def print(self, summary: Summary, foretold: bool) -> None:
        """The documented JSON document (with no `changes` if none were wanted), or the text."""
        self._file.seek(0)
        if self._as_json and self._limit == 0:
            print(json.dumps({"version": 1, **summary.as_json()}))
            return
        if self._as_json:
            head = json.dumps({"version": 1, **summary.as_json()}, ensure_ascii=False)
            sys.stdout.write(head[:-1] + ', "changes": [')
            shutil.copyfileobj(self._file, sys.stdout)
            sys.stdout.write("]}\n")
            return
        shutil.copyfileobj(self._file, sys.stdout)
        if self._told > self._shown:
            print(f"… and {self._told - self._shown:,} more (--all shows them)")
        if self._told:
            print()
        for line in summary_lines(summary.counts, summary.calls, foretold):
            print(line)
        if summary.rows is not None:
            print(rows_line(summary.rows, foretold))
        for line in activity_lines(self._activities):
            print(line)
