"""The lines that a service writes to standard error: for people, or as JSON for programs."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from engine.tracing import at_work

__all__ = ["log_to_stderr"]


def log_to_stderr(form: str) -> None:
    """Begin; `form` is `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("crosswalk").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


class _Text(logging.Formatter):
    """A line as people read it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")


class _Json(logging.Formatter):
    """A line as programs read it.

    Each has `time`, `level`, `event` (of few kinds), `message`, and `run` and `pair`, which are
    null where the line is about none; that a run ended has its `summary`, as the commands print it.
    """

    def format(self, record: logging.LogRecord) -> str:
        here = at_work()
        told: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
            "message": record.getMessage(),
            "run": getattr(record, "run", here.get("run")),
            "pair": getattr(record, "pair", here.get("pair")),
        }
        if summary := getattr(record, "summary", None):
            told["summary"] = summary
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)
