"""The program, run from outside as a user's script would run it."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import Any

from tests.cli.loaded import ask

ROOT = Path(__file__).parents[2]
#: The program as it is installed, for what only a process from nothing shows.
PROGRAM = [str(Path(sys.executable).with_name("crosswalk"))]
_SCRIPT = """\
#!{python} -S
import os, sys
sys.path.insert(0, {root!r})
from tests.cli.loaded import ask
code = ask({socket!r}, sys.argv[1:], os.getcwd(), dict(os.environ))
sys.exit(code if code >= 0 else 128 - code)
"""


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


def crosswalk(
    folder: Path, *words: str, stdin: str | bytes = "", exported: dict[str, str] | None = None
) -> Answer:
    """Run `crosswalk WORDS` in a folder."""
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(stdin.encode() if isinstance(stdin, str) else stdin)
        given.seek(0)
        streams = (given.fileno(), out.fileno(), err.fileno())
        path = str(folder_of_the_program() / "socket")
        code = ask(path, list(words), str(folder), environment() | (exported or {}), streams)
        told = []
        for stream in (out, err):
            stream.seek(0)
            told.append(stream.read().decode(errors="surrogateescape"))
    assert "Traceback" not in told[1], told[1]
    return Answer(code, *told)


def installed(folder: Path, *words: str) -> Answer:
    """As `crosswalk`, in a process from nothing."""
    done = subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(done.returncode, done.stdout, done.stderr)


def program() -> str:
    """The program for other processes to start; a signal does not reach the command itself."""
    return str(folder_of_the_program() / "crosswalk")


def folder_of_the_program() -> Path:
    """A folder for a shell's PATH, with `crosswalk` in it."""
    return _loaded()[0]


@cache
def _loaded() -> tuple[Path, subprocess.Popen[bytes]]:
    """Where the loaded program answers, and it, which ends with these tests; see `loaded.py`."""
    folder = Path(mkdtemp(prefix="crosswalk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    script = folder / "crosswalk"
    named = {"python": sys.executable, "root": str(ROOT), "socket": str(folder / "socket")}
    script.write_text(_SCRIPT.format(**named), encoding="utf-8")
    script.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.loaded", str(folder / "socket")],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return folder, process
