"""The rules of another git revision, read without touching the working tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dsl.program import Program
from engine.cli.project import Failure, Project

__all__ = ["program_at"]


def program_at(project: Project, revision: str) -> Program:
    """The program of a revision's rules. Raises `Failure`."""
    from dsl.diagnostics import Diagnostic, as_text, in_order
    from dsl.files import decode
    from dsl.lint import check
    from dsl.schema import shipped_schema
    from engine.activities import carried_out
    from engine.shipped import title_texts

    verify = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = _git(project, revision, *verify).decode().strip()
    listed = _git(project, revision, "ls-tree", "-r", "-z", "--name-only", commit)
    names = sorted(n for n in listed.decode().split("\0") if n.endswith(".sync"))
    folder = project.config.rules_name
    if not names:
        raise Failure(f"there is no rule file (`*.sync`) in `{folder}` at {revision}")
    found = [
        decode(
            _git(project, revision, "show", f"{commit}:./{name}"),
            (Path(folder) / name).as_posix(),
        )
        for name in names
    ]
    sources = [each for each in found if not isinstance(each, Diagnostic)]
    failed = [each for each in found if isinstance(each, Diagnostic)]
    checked = check(sources, shipped_schema(), project.templates)
    errors = [d for d in in_order((*failed, *checked.diagnostics)) if d.is_error]
    if errors:
        print(as_text(errors), file=sys.stderr)
        raise Failure(f"the rules of {revision} have errors, so they cannot be compared", 1)
    return carried_out(checked.program, title_texts(project.root))


def _git(project: Project, revision: str, *words: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, no shell
            ["git", "-C", str(project.rules), *words],  # noqa: S607 - the user's own git
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise Failure(f"git cannot be run: {error.strerror}") from error
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip() or f"it knows no revision `{revision}`"
        raise Failure(f"git cannot give the rules of `{revision}`: {why}")
    return done.stdout
