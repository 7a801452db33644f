"""`crosswalk init`: a working project with the recommended rules and local orgs."""

from __future__ import annotations

import argparse
import shutil
from contextlib import closing
from pathlib import Path

from dsl.schema import Side
from engine.cli.project import Failure, Project
from engine.config import FILE
from engine.shipped import RULES, TITLES

__all__ = ["make_project", "register", "run"]

_TOML = """\
# A crosswalk project. Paths are relative to this file; it holds no secret.

[project]
name     = "{name}"
rules    = "rules"                       # *.sync files, one namespace
ledger   = "sqlite:///crosswalk.db"      # what is linked, agreed on and under way
timezone = "UTC"                         # what `today` and a date's midnight go by
log_days = 30                            # how long the technical log is kept

[salesforce]
store = "local"                          # a small Salesforce in one file, to try rules on
path  = "salesforce.db"

[outreach]
store = "local"
path  = "outreach.db"
"""

_IGNORED = """\
# What a run keeps, and local orgs: data, not rules.
*.db
*.db-shm
*.db-wal
*.lock

# The key of the sandbox servers.
sandbox.pem
"""

_NEXT = """\
Made a project in {folder}:
  {file:<28} connections and ledger
  {rules:<28} the recommended rules, with their tests
  {titles:<28} the titles of activities, yours to change
  {orgs:<28} {state}

Next:
{go}  crosswalk lint         check the rules
  crosswalk test         play the tests beside the rules
  crosswalk plan         see what a run would do; nothing is written
  crosswalk run          do it
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="default: this one")
    parser.add_argument(
        "--sample", action="store_true", help="fill the local Salesforce with the sample org"
    )
    parser.epilog = (
        "The local orgs are empty unless --sample is given; fill them with `crosswalk local`.\n\n"
        "examples:\n"
        "  crosswalk init acme\n"
        "  crosswalk init --sample trial && cd trial && crosswalk plan"
    )


def run(args: argparse.Namespace, _project: Project | None) -> int:
    """Make the project and say what to do next."""
    folder = Path(args.folder)
    make_project(folder, args.sample)
    print(
        _NEXT.format(
            folder=folder.resolve(),
            file=FILE,
            rules="rules/",
            titles="templates/activity_titles/",
            orgs="salesforce.db, outreach.db",
            state="local orgs" + (", Salesforce filled with the sample org" if args.sample else ""),
            go="" if args.folder == "." else f"  cd {args.folder}\n",
        ),
        end="",
    )
    return 0


def make_project(folder: Path, sample: bool) -> None:
    """Write a project into a folder that has none. Raises `Failure`."""
    if (folder / FILE).exists():
        raise Failure(f"{folder / FILE} is there already: this is a project, nothing was changed")
    for name in ("rules", "templates"):
        if (folder / name).exists():
            raise Failure(f"{folder / name} is there already: choose a folder without it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(RULES, folder / "rules")
        shutil.copytree(TITLES, folder / "templates" / "activity_titles")
        name = folder.resolve().name.replace("\\", "\\\\").replace('"', '\\"')
        (folder / FILE).write_text(_TOML.format(name=name), encoding="utf-8")
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{error.filename or folder} cannot be written: {error.strerror}") from None
    _make_orgs(folder, sample)


def _make_orgs(folder: Path, sample: bool) -> None:
    from engine.stores.local import SAMPLE, load, open_org

    for side in Side:
        with closing(open_org(side, folder / f"{side}.db")) as org:
            if side is Side.SALESFORCE:
                load(org, SAMPLE / "setup")  # as an administrator would before connecting Outreach
                if sample:
                    load(org, SAMPLE / side.value)
