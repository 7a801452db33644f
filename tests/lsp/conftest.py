"""A project with an editor open on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.editor import Editor

LEADS = """\
sync Lead <-> prospect {
    match Email = emails

    polling when IsConverted = false
    inbound create when Email is present and Rating in ("Hot", "Warm")
    inbound update
    pushing

    fields {
        Email   -> emails
        Status  -> stage   via lead_status
        use engagement
    }
    activities {
        use standard
    }
}
"""
SHARED = """\
stages lead_status {
    "Open - Not Contacted"  -> "Open"
    otherwise hold
}

fields engagement {
    Title  -> title
}

activities standard {
    email sent  -> Task  title from weekly
}
"""
TOML = """\
[project]
name = "Shop"

[salesforce]
store = "local"
path = "salesforce.db"

[outreach]
store = "local"
path = "outreach.db"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def make_project(folder: Path) -> Path:
    """Two rule files without an error, and a title template."""
    (folder / "crosswalk.toml").write_text(TOML)
    (folder / "rules").mkdir()
    (folder / "rules" / "leads.sync").write_text(LEADS)
    (folder / "rules" / "shared.sync").write_text(SHARED)
    titles = folder / "templates" / "activity_titles"
    titles.mkdir(parents=True)
    (titles / "weekly.j2").write_text("[Mail] {{ subject }}\n")
    return folder


@pytest.fixture
def start() -> Iterator[Callable[..., Editor]]:
    """Starts editors, and ends them with the test."""
    started: list[Editor] = []

    def begin(folder: Path | None = None, *words: str, **capabilities: Any) -> Editor:
        started.append(Editor(folder, *words, **capabilities))
        return started[-1]

    yield begin
    for editor in started:
        editor.end()


@pytest.fixture(scope="module")
def scratch() -> Iterator[Editor]:
    """An editor without a folder: what is opened in it is checked by itself."""
    snippets = {"completion": {"completionItem": {"snippetSupport": True}}}
    editor = Editor(None, textDocument=snippets)
    yield editor
    editor.end()
