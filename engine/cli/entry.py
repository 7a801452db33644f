"""Where the command `crosswalk` starts: what can be said at once is, `main` does the rest."""

from __future__ import annotations

import gc
import io
import os
import sys

__all__ = ["main"]

#: So many objects more than before, and Python looks for circles that it can let go.
_MANY = 100_000


def main() -> int:
    """The exit code of the command in `sys.argv`."""
    arguments = sys.argv[1:]
    _keep_order()
    if "lint" in arguments:
        from engine.cli.remembered import recall

        code = recall(arguments)
        if code is not None:
            return code
    # What is imported stays. Looking through it every 700 objects took a fifth of a short command.
    gc.set_threshold(_MANY)
    from engine.cli.main import main as whole

    return whole(arguments)


def _keep_order() -> None:
    """Let what goes wrong stand where it happened, also in a file that takes both streams.

    Otherwise what is printed would wait for a block to be full, and a warning overtake it.
    """
    try:
        together = os.path.sameopenfile(1, 2)
    except OSError:  # one of them is closed
        return
    if together and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
