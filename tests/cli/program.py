"""The installed program, run from outside as a user's script would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = [str(Path(sys.executable).with_name("crosswalk"))]


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("CROSSWALK")}


def crosswalk(folder: Path, *words: str, stdin: str | None = None) -> Answer:
    """Run `crosswalk WORDS` in a folder."""
    done = subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(done.returncode, done.stdout, done.stderr)
