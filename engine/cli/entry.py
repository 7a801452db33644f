"""Where the command `crosswalk` starts: what can be said at once is, `main` does the rest."""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]

#: So many objects more than before, and Python looks for circles that it can let go.
_MANY = 100_000


def main() -> int:
    """The exit code of the command in `sys.argv`."""
    arguments = sys.argv[1:]
    if "lint" in arguments:
        from engine.cli.remembered import recall

        code = recall(arguments)
        if code is not None:
            return code
    # What is imported stays. Looking through it every 700 objects took a fifth of a short command.
    gc.set_threshold(_MANY)
    from engine.cli.main import main as whole

    return whole(arguments)
