"""Writes a user's file in one step, so that it is never there by half."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["replace_file"]


def replace_file(path: Path, content: bytes) -> None:
    """Puts `content` in place of a file's own, its mode kept, a link followed. Raises `OSError`."""
    path = path.resolve()
    with path.open("r+b"):  # a file that may not be written is not replaced either
        mode = path.stat().st_mode
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
