"""What `@{refId.field}` stands for in a composite request: parts of earlier answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.sandbox.salesforce.errors import ApiError

__all__ = ["filled_in"]

_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\[\d+\]|\.[A-Za-z0-9_]+)*)\}")
_STEP = re.compile(r"\[(\d+)\]|\.([A-Za-z0-9_]+)")


def filled_in(given: Any, answers: Mapping[str, Any]) -> Any:
    """A body or an address with its references resolved. Raises `ApiError` for one that fails.

    `answers` are the bodies by reference id.
    """
    if isinstance(given, dict):
        return {k: filled_in(v, answers) for k, v in given.items()}
    if isinstance(given, list):
        return [filled_in(v, answers) for v in given]
    if not isinstance(given, str) or "@{" not in given:
        return given
    whole = _REFERENCE.fullmatch(given)
    if whole:
        return _value(whole, answers)
    return _REFERENCE.sub(lambda found: str(_value(found, answers)), given)


def _value(found: re.Match[str], answers: Mapping[str, Any]) -> Any:
    name, path = found[1], found[2]
    if name not in answers:
        raise _invalid(f"No value for {name} found in the request")
    value = answers[name]
    for index, key in _STEP.findall(path):
        try:
            value = value[int(index)] if index else value[key]
        except (KeyError, IndexError, TypeError):
            raise _invalid(f"No value for {name}{path} found in {name}") from None
    if isinstance(value, dict | list):
        raise _invalid(f"{name}{path} is no single value")
    return value


def _invalid(why: str) -> ApiError:
    return ApiError(400, "PROCESSING_HALTED", f"Invalid reference specified. {why}")
