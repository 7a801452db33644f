"""Plays the transcripts of a page in a project of its own, and compares what comes out.

`…` in a transcript stands for what may vary or is left out: within a line, or, alone, for lines.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cli.program import environment, folder_of_the_program
from tests.docs.pages import Block

__all__ = ["Terminal", "commands", "is_as_shown"]

#: The reader commits as somebody, whoever runs the tests.
_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada Byron"), ("EMAIL", "ada@edge.com"))
}


def commands(transcript: str) -> Iterator[tuple[str, str]]:
    """Each command of a transcript with what is shown below it."""
    for part in re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def is_as_shown(shown: str, printed: str) -> bool:
    """Whether a command printed what a page shows; blank lines at the ends are no matter."""
    lines = [
        r"(?:.*\n)*?" if line.strip() == "…" else _line(line) for line in shown.strip().splitlines()
    ]
    text = printed.strip("\n")
    return re.fullmatch("".join(lines), f"{text}\n" if text else "") is not None


def _line(line: str) -> str:
    return ".*".join(re.escape(piece) for piece in line.rstrip().split("…")) + r"[ ]*\n"


@dataclass
class Terminal:
    """A user's terminal, in a folder that `cd` changes, with the program on its path."""

    folder: Path

    def save(self, block: Block) -> None:
        """Write a rule file of the page, as its reader would."""
        assert block.caption is not None
        path = self.folder / block.caption
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def type(self, command: str) -> str:
        """Run a command; what it prints, on either stream."""
        if command.startswith("cd "):
            self.folder = self.folder / command[3:].strip()
            return ""
        path = f"{folder_of_the_program()}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment() | _GIT | {"PATH": path, "COLUMNS": "100"},
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout
