"""`crosswalk lsp`: the language server, on standard input and output."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import redirect_stdout
from pathlib import Path

from engine.cli.project import Project

__all__ = ["register", "run"]

EXAMPLE = """\
examples:
  crosswalk lsp           (an editor starts it, and speaks to it)
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.description = (
        "Run the language server on standard input and output. An editor starts it for `.sync`"
        " files; it finds the project around each file by its crosswalk.toml."
    )
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--stdio", action="store_true", help="standard input and output, as without it"
    )


def run(args: argparse.Namespace, _project: Project | None) -> int:
    """Serves until the editor leaves. 0: it said so before, 1: it was gone all of a sudden."""
    from engine.lsp.server import Server

    # Nothing of ours is to be closed, and a thread that waits for input must not hold it up.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    server = Server()
    if args.project:
        server.files.add_root(Path(args.project).resolve())
    output = sys.stdout.buffer
    with redirect_stdout(sys.stderr):  # what is printed by mistake must not get between messages
        server.start_io(sys.stdin.buffer, output)
    return 0 if server.asked_to_stop else 1
