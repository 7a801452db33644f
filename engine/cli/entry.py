"""Where the command `crosswalk` starts: what can be said at once is, `main` does the rest."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """The exit code of the command in `sys.argv`."""
    arguments = sys.argv[1:]
    if "lint" in arguments:
        from engine.cli.remembered import recall

        code = recall(arguments)
        if code is not None:
            return code
    from engine.cli.main import main as whole

    return whole(arguments)
