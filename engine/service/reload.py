"""Notices that rule files or title templates have changed, by looking at them each second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.config import Config

__all__ = ["Watch"]

_EVERY = 1.0  # seconds


class Watch:
    """Tells `changed` once the files have been left alone since a look; a save in parts is one.

    `tick` is told each look.
    """

    def __init__(
        self, config: Config, changed: Callable[[], None], tick: Callable[[], None]
    ) -> None:
        self._folders = (config.rules, config.root / "templates")
        self._changed, self._tick = changed, tick
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _look(self) -> None:
        taken = seen = self._files()
        while not self._end.wait(_EVERY):
            self._tick()
            now = self._files()
            if now == seen and now != taken:
                taken = now
                self._changed()
            seen = now

    def _files(self) -> frozenset[tuple[Path, int, int]]:
        found = set()
        for folder in self._folders:
            for path in _within(folder):
                with suppress(OSError):  # it has just gone
                    stat = path.stat()
                    found.add((path, stat.st_mtime_ns, stat.st_size))
        return frozenset(found)


def _within(folder: Path) -> list[Path]:
    """All that is in a folder; nothing while that cannot be read."""
    with suppress(OSError):
        return list(folder.rglob("*"))
    return []
