"""Connects a story's project to the sandbox servers of its own local orgs, while it plays."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dsl.schema import Side
from engine.config import FILE

__all__ = ["over_http"]


@contextmanager
def over_http(folder: Path) -> Iterator[dict[Side, str]]:
    """Both servers at work, by their addresses, and the project connected to them.

    Afterwards the project has its local orgs again, since nobody serves them any more.
    """
    from engine.cli.project import load_project  # `--help` must not wait for a web server
    from engine.cli.sandbox import environment, sections, serve

    path = folder / FILE
    local = path.read_text(encoding="utf-8")
    project = load_project(str(folder))
    with ExitStack() as stack:
        urls = {side: stack.enter_context(serve(side, project, 0)).url for side in Side}
        before = dict(os.environ)
        stack.callback(_restore, path, local, before)
        os.environ.update(environment())
        head = re.split(r"^\[salesforce\]", local, maxsplit=1, flags=re.MULTILINE)[0]
        path.write_text(head + sections(urls), encoding="utf-8")
        yield urls


def _restore(path: Path, local: str, before: dict[str, str]) -> None:
    path.write_text(local, encoding="utf-8")
    os.environ.clear()
    os.environ.update(before)
