"""Seals what lies on disk and nobody may read there; the key is the user's, and lies elsewhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from engine.ports import StoreError

__all__ = ["KEY", "opened", "sealed"]

#: The environment variable that may hold the key, for machines that keep no files.
KEY = "CROSSWALK_KEY"
_PRIVATE = 0o077  # what nobody but the user may do


def sealed(text: bytes, environment: Mapping[str, str] = os.environ) -> bytes:
    """The text encrypted and signed. Raises `StoreError` if there can be no key."""
    return _fernet(environment).encrypt(text)


def opened(text: bytes, environment: Mapping[str, str] = os.environ) -> bytes | None:
    """What was sealed; None if it was with another key. Raises `StoreError` without a key."""
    try:
        return _fernet(environment).decrypt(text)
    except InvalidToken:
        return None


def _fernet(environment: Mapping[str, str]) -> Fernet:
    given = environment.get(KEY)
    try:
        return Fernet(given.encode() if given else _key_of_user(environment))
    except ValueError:
        where = f"the environment variable {KEY}" if given else str(_path(environment))
        raise StoreError(
            f"{where} holds no key: it takes 32 bytes in URL-safe base64, 44 characters"
        ) from None


def _path(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if base.startswith("/") else Path.home() / ".config"
    return folder / "crosswalk" / "key"


def _key_of_user(environment: Mapping[str, str]) -> bytes:
    path = _path(environment)
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & _PRIVATE:
            raise StoreError(f"{path} can be read by others: make it yours with `chmod 600 {path}`")
        return path.read_bytes().strip()
    except OSError as error:
        raise StoreError(
            f"the key that seals tokens cannot be kept in {path} ({error.strerror}):"
            f" give one in the environment variable {KEY}"
        ) from None


def _make(path: Path) -> None:
    """A new key; of two processes that make one, the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(file.name, path)
    except FileExistsError:
        pass
    finally:
        Path(file.name).unlink()
