"""Query parameters of the API, such as `filter[account][id]=3`, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from engine.sandbox.outreach.errors import unsuitable

__all__ = ["Parameters", "parameters"]

_KEY = re.compile(r"([A-Za-z_]\w*)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_TRUE, _FALSE = ("true", "1"), ("false", "0")


@dataclass(frozen=True)
class Parameters:
    """A request's query: each name and the words in brackets after it, with its values in order."""

    pairs: Sequence[tuple[str, str]]
    found: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def one(self, *key: str) -> str | None:
        """The last value of a parameter: clients may repeat one that a link bore already."""
        values = self.found.get(key)
        return values[-1] if values else None

    def flag(self, name: str, default: bool) -> bool:
        """A parameter that is true or false. Raises `ApiError`."""
        value = self.one(name)
        if value is None:
            return default
        if value.lower() in (*_TRUE, *_FALSE):
            return value.lower() in _TRUE
        raise unsuitable(f"'{name}' must be true or false.", name)

    def number(self, least: int, most: int, *key: str) -> int | None:
        """A parameter that is a whole number within bounds. Raises `ApiError`."""
        value = self.one(*key)
        if value is None:
            return None
        known = value.isascii() and value.isdigit() and len(value) < 10
        if not known or not least <= int(value) <= most:
            name = shown(key)
            raise unsuitable(f"'{name}' must be a whole number from {least} to {most:,}.", name)
        return int(value)

    def of(self, name: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
        """All parameters of a name: the words in brackets after it, and the values."""
        for key, values in self.found.items():
            if key[0] == name and len(key) > 1:
                yield key[1:], values

    def link(self, base: str, page: dict[str, str]) -> str:
        """An address with the same parameters, but with another page."""
        kept = [(k, v) for k, v in self.pairs if not k.startswith("page[")]
        return f"{base}?{urlencode(kept + list(page.items()))}" if kept or page else base


def shown(key: tuple[str, ...]) -> str:
    """A parameter as it is written."""
    return key[0] + "".join(f"[{part}]" for part in key[1:])


def parameters(query: bytes) -> Parameters:
    """Take a query string apart; what has no such form is left alone."""
    pairs = parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True) if query else []
    result = Parameters(pairs)
    for name, value in pairs:
        match = _KEY.fullmatch(name)
        if match is not None:
            key = (match[1], *_PART.findall(match[2]))
            result.found.setdefault(key, []).append(value)
    return result
