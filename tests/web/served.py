"""The real service over a project on the sample org, whose schedule a test does not start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.cli.project import Project
from engine.config import read_config
from engine.model import Side
from engine.service import Service
from engine.service.desk import Desk
from engine.stores.local import load, open_org

TOML = """[project]
name = "Acme"

[salesforce]
store = "local"
path = "salesforce.db"

[outreach]
store = "local"
path = "outreach.db"
"""


class Served(Service):
    """A worker that does what it is asked, and nothing by the clock."""

    def do(self, work: Callable[[Desk], Any] = lambda _desk: None) -> Any:
        """Something that touches the orgs, after all that was asked for before."""
        return self._ask("test", work).result(60)


def served(folder: Path, rules: Path, sample: Sequence[Path]) -> Served:
    """A project on these records, with these rules."""
    (folder / "crosswalk.toml").write_text(TOML, encoding="utf-8")
    (folder / "rules").mkdir()
    for file in rules.glob("*.sync"):
        (folder / "rules" / file.name).write_text(file.read_text("utf-8"), "utf-8")
    org = open_org(Side.SALESFORCE, folder / "salesforce.db")
    try:
        for part in sample:
            load(org, part)
    finally:
        org.close()
    project = Project(read_config(folder))
    made = Served(project, project.program())
    made.open()
    return made
