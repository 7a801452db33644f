"""Where the user's own cache is, if there can be one. Imports nothing that takes time."""

from __future__ import annotations

import os
import stat

__all__ = ["cache_folder"]


def cache_folder() -> str | None:
    """The path of the user's own cache folder, made if missing; None if there can be none.

    What is kept there is believed when it is read again, so a folder that anybody else could write
    to is no place for it.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".cache")
    folder = os.path.join(base, "crosswalk")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.stat(folder)
    except OSError:
        return None
    if hasattr(os, "getuid") and (
        status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    ):
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None
