"""Notices that rule files or title templates have changed, by looking at them each second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from engine.config import Config

__all__ = ["Watch"]

_EVERY = 1.0  # seconds


class Watch:
    """Tells `changed` once the files have been left alone since a look; a save in parts is one."""

    def __init__(self, config: Config, changed: Callable[[], None]) -> None:
        self._folders = (config.rules, config.root / "templates")
        self._changed = changed
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()

    def _look(self) -> None:
        taken = seen = self._files()
        while not self._end.wait(_EVERY):
            now = self._files()
            if now == seen and now != taken:
                taken = now
                self._changed()
            seen = now

    def _files(self) -> frozenset[tuple[Path, int, int]]:
        found = set()
        for folder in self._folders:
            for path in folder.rglob("*"):
                try:
                    stat = path.stat()
                except OSError:  # it has just gone
                    continue
                found.add((path, stat.st_mtime_ns, stat.st_size))
        return frozenset(found)
