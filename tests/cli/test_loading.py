"""A command loads what it uses, and nothing that takes long besides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import crosswalk, environment

#: What takes long to load, of all that the program is built on.
HEAVY = {
    *("aiohttp", "alembic", "apscheduler", "cryptography", "httptools", "jinja2", "jwt", "keyring"),
    *(
        "lark",
        "lxml",
        "networkx",
        "prometheus_client",
        "pygls",
        "requests",
        "rich",
        "simple_salesforce",
    ),
    *("sqlalchemy", "starlette", "uvicorn"),
}
RULES = {"lark", "jinja2"}  # of these, jinja2 only for a title that is more than names
CYCLE = RULES | {"sqlalchemy", "networkx"}
_CODE = """\
import sys
from engine.cli.entry import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loading")
    assert crosswalk(folder, "init").code == 0
    assert crosswalk(folder, "run").code == 0
    return folder


@pytest.mark.parametrize(
    ("command", "used"),
    [
        ("--version", set()),
        ("--help", set()),
        ("run --help", set()),
        ("local dump outreach dumped", set()),
        ("fmt --check", {"lark"}),
        ("lint --no-cache", RULES),
        ("status", {"sqlalchemy"}),
        ("log", {"sqlalchemy"}),
        ("activity", {"sqlalchemy"}),
        ("limits", RULES | {"sqlalchemy"}),
        ("plan", CYCLE),
    ],
)
def test_a_command_loads_only_what_it_uses(project: Path, command: str, used: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CODE, *command.split()],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert HEAVY & loaded <= used
