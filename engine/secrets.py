"""Secrets by reference: read where they are used, and shown to nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["REFERENCES", "Secret", "SecretError", "Secrets"]

REFERENCES = ("env:", "file:", "keyring:")


class SecretError(Exception):
    """A reference leads nowhere; the message names it and says what to do, never a secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no `repr`, log or traceback shows; `reveal` gives it to whoever sends it."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "(a secret)"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Resolves references of one project: `env:NAME`, `file:PATH` or `keyring:SERVICE/NAME`.

    Paths are relative to `root`. What is no reference is taken as it stands, for keys that are no
    secrets.
    """

    root: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def get(self, key: str, reference: str) -> Secret:
        """What the reference in `key` stands for, without white space around it.

        Raises `SecretError`.
        """
        kind, _, rest = reference.partition(":")
        match kind:
            case "env":
                text = self._of_environment(key, rest)
            case "file":
                text = self._of_file(key, rest)
            case "keyring":
                text = _of_keyring(key, rest)
            case _:
                return Secret(reference)
        if not text.strip():
            raise SecretError(f"`{key}` refers to `{reference}`, which is empty")
        return Secret(text.strip())

    def _of_environment(self, key: str, name: str) -> str:
        try:
            return self.environment[name]
        except KeyError:
            raise SecretError(
                f"`{key}` refers to the environment variable {name}, which is not set:"
                f" set it, as in `export {name}=…`, then try again"
            ) from None

    def _of_file(self, key: str, name: str) -> str:
        path = self.root / name
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SecretError(f"`{key}` refers to the file {path}, which is not there") from None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SecretError(f"`{key}` refers to the file {path}: {why}") from None


def _of_keyring(key: str, place: str) -> str:
    import keyring  # noqa: PLC0415 - slow, and seldom needed
    from keyring.errors import KeyringError  # noqa: PLC0415 - likewise

    service, _, name = place.partition("/")
    try:
        found = keyring.get_password(service, name)
    except KeyringError as error:
        raise SecretError(
            f"`{key}` refers to {name} of {service} in the keyring, which cannot be read: {error}"
        ) from None
    if found is None:
        raise SecretError(
            f"`{key}` refers to {name} of {service} in the keyring, where there is none:"
            f" put it there with `keyring set {service} {name}`"
        )
    return found
