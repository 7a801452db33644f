"""What stands for the capitals in an act: each slot's words taken from a line, and read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dsl.values import stamp

__all__ = ["ACTIONS", "SLOTS", "STEPS", "Slot"]

#: `task.action`, and with it what a step of a sequence may ask for (Outreach API reference, task).
ACTIONS = (
    "action_item",
    "call",
    "email",
    "linkedin_interact_with_post",
    "linkedin_other",
    "linkedin_send_connection_request",
    "linkedin_send_message",
    "linkedin_view_profile",
    "sms",
)
#: `sequenceStep.stepType` (Outreach API reference, sequenceStep).
STEPS = ("auto_email", "manual_email", "call", "task", *(a for a in ACTIONS if "linkedin" in a))

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_DURATION = re.compile(r"(\d{1,6}) *(" + "|".join(_UNITS) + r")s?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


@dataclass(frozen=True, slots=True)
class Slot:
    """How many words fill a slot, and how they are read; `read` raises `ValueError`."""

    read: Callable[[str], Any]
    words: int = 1


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("may not be empty")
    return text


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"is a number and a unit, as `2 hours`, not `{text}`")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _time(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text if _TIME.fullmatch(text) else "")
        return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"is a date and time, as 2026-12-01T10:00, not `{text}`") from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"is the number of a record, not `{text}`")
    return int(text)


def _address(text: str) -> str:
    if "@" not in text and not (text.isalnum() and any(c.isdigit() for c in text)):
        raise ValueError(f"is an e-mail address or an id, not `{text}`")
    return text


def _url(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError(f"is an address that begins with https://, not `{text}`")
    return text


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"is one of {', '.join(choices)}, not `{text}`")
        return text

    return read


def _steps(text: str) -> list[str]:
    return [_one_of(STEPS)(step.strip()) for step in text.split(",")]


SLOTS = {
    **dict.fromkeys(("SUBJECT", "NAME", "NOTE", "TEXT", "USER", "TYPE"), Slot(_text)),
    **dict.fromkeys(("PROSPECT", "RECORD", "MASTER"), Slot(_address)),
    "ACTION": Slot(_one_of(ACTIONS)),
    "DURATION": Slot(_duration, 2),
    "ID": Slot(_number),
    "STEPS": Slot(_steps),
    "TIME": Slot(_time),
    "URL": Slot(_url),
}
