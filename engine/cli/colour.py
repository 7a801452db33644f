"""Whether to print in colour. Imports nothing that takes time."""

from __future__ import annotations

import os
import sys
from typing import TextIO

__all__ = ["wants_colour"]


def wants_colour(stream: TextIO | None = None) -> bool:
    """Whether a stream (standard output) is a terminal, unless the environment says otherwise."""
    if os.environ.get("NO_COLOR"):
        return False
    on_terminal = (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"
    return bool(os.environ.get("FORCE_COLOR")) or on_terminal
