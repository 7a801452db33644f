"""`crosswalk demo`: the whole story on the sample org, told so that a newcomer understands it."""

from __future__ import annotations

import argparse
import io
import json
import shlex
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from engine.cli.changes import change_lines, paint, summary_lines
from engine.cli.colour import wants_colour
from engine.cli.init import make_project
from engine.cli.project import Failure, Project

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "folder", nargs="?", metavar="DIR", help="keep the demo's project here (default: nowhere)"
    )
    parser.epilog = "examples:\n  crosswalk demo\n  crosswalk demo trial && cd trial"


def run(args: argparse.Namespace, _project: Project | None) -> int:
    """Play the story; exit code 1 if a step does not go as told."""
    if args.folder is not None:
        return _play(Path(args.folder))
    with tempfile.TemporaryDirectory(prefix="crosswalk-demo-") as folder:
        return _play(Path(folder) / "demo", keep=False)


def _play(folder: Path, keep: bool = True) -> int:
    story = _Story(folder)
    story.tell(
        "1. A project",
        "Rules are text files, one per object type: what flows which way, and when. Two local orgs"
        " stand in for Salesforce (the Developer Edition's own sample data: 13 accounts, 22 leads,"
        " 20 contacts) and for Outreach, which is empty.",
    )
    make_project(folder, sample=True)
    story.show_rules(folder / "rules" / "leads.sync", 6, 22)
    story.tell(
        "2. An administrator's part",
        "The sample data tells no user's e-mail address, by which a user is known in Outreach. The"
        " administrator fills it in, so that owners come over too.",
    )
    owner = ("FirstName=Ann", "LastName=Lee", "Email=ann@example.com")
    story.local("edit", "salesforce", "User", "0055i000007S72zAAC", *owner)
    story.tell(
        "3. Lint and test",
        "Before anything runs, the rules are checked against both schemas, and the tests beside"
        " them are played on empty orgs in memory.",
    )
    story.command("lint")
    story.command("test")
    story.tell(
        "4. Plan",
        "A plan shows, record by record, what a run would write, and what it would cost in API"
        " calls. It writes to neither side.",
    )
    plan = story.command("plan", head=24)
    story.tell("5. Run", "The run does exactly what the plan foretold.")
    first = story.command("run", head=0)
    if plan["counts"] != first["counts"]:
        raise Failure("the run did something else than its plan foretold", 1)
    story.tell(
        "6. An edit on each side",
        "A salesperson moves Bertha Boxer's stage on in Outreach; at the same time an administrator"
        " corrects her title in Salesforce. Fields are decided one by one, so both edits survive.",
    )
    lead, prospect = "00Q3z00001AmqLYEAZ", story.linked("Lead", "00Q3z00001AmqLYEAZ")
    story.local("edit", "outreach", "prospect", prospect, "stage=Closed - Not Converted")
    story.local("edit", "salesforce", "Lead", lead, "Title=Director of Purchasing")
    both = story.command("run")
    story.expect(both, updated=2, conflicts=0)
    story.tell(
        "7. A conflict",
        "Now both change the same field. The rule says `conflict prefer newest`: the later edit"
        " wins, and the log keeps both values.",
    )
    story.local("edit", "outreach", "prospect", prospect, "title=Head of Vendor Relations")
    story.wait_for_a_later_second()
    story.local("edit", "salesforce", "Lead", lead, "Title=VP of Purchasing")
    conflict = story.command("run")
    story.expect(conflict, updated=1, conflicts=1)
    story.command("log", "--status", "conflict")
    story.tell(
        "8. Nothing left to do",
        "Both sides agree. A second run reads what has changed since, which is nothing but its own"
        " writes, and writes nothing.",
    )
    last = story.command("run")
    story.expect(last, updated=0, created=0, conflicts=0)
    story.command("status")
    story.tell(
        "That is Crosswalk",
        f"The project is in {folder}: edit rules/leads.sync there, and plan again."
        if keep
        else "Make a project of your own: crosswalk init --sample trial",
    )
    return 0


class _Story:
    """Tells, runs commands as a user would type them, and checks that the story holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._colour = wants_colour()

    def tell(self, title: str, text: str) -> None:
        from textwrap import fill

        print("\n" + paint(title, "1;36", self._colour))
        print(fill(text, 88) + "\n")

    def show_rules(self, path: Path, first: int, last: int) -> None:
        print(paint(f"  rules/{path.name}", "2", self._colour))
        for line in path.read_text(encoding="utf-8").splitlines()[first - 1 : last]:
            print(f"  | {line}")

    def _main(self, *words: str) -> int:
        from engine.cli.main import main

        return main(["--project", str(self._folder), *words])

    def command(self, *words: str, head: int | None = None) -> dict[str, Any]:
        """Run a command and show its output, or its first lines; a plan's or run's JSON summary."""
        print(paint(f"$ crosswalk {shlex.join(words)}", "1", self._colour), flush=True)
        if words[0] not in ("plan", "run"):
            self._checked(words, self._main(*words))
            return {}
        text = io.StringIO()
        with redirect_stdout(text):
            code = self._main(*words, "--format", "json", *["--changes"][: words[0] == "run"])
        self._checked(words, code)
        result: dict[str, Any] = json.loads(text.getvalue())
        self._show_changes(result, head, foretold=words[0] == "plan")
        return result

    def _show_changes(self, result: dict[str, Any], head: int | None, foretold: bool) -> None:
        lines = [
            line
            for change in result["changes"]
            if change["action"] != "skip"
            for line in change_lines(change, self._colour)
        ]
        shown = lines if head is None else lines[:head]
        for line in shown:
            print(line)
        if len(shown) < len(lines):
            print(paint(f"  … {len(result['changes']):,} changes in all", "2", self._colour))
        print()
        for line in summary_lines(result["counts"], result["calls"], foretold):
            print(paint(line, "1", self._colour))

    def local(self, *words: str) -> None:
        print(paint(f"$ crosswalk local {shlex.join(words)}", "1", self._colour), flush=True)
        with redirect_stdout(io.StringIO()):
            self._checked(words, self._main("local", *words))

    def linked(self, type_name: str, record: str) -> str:
        text = io.StringIO()
        with redirect_stdout(text):
            self._main("links", "--type", type_name, "--id", record, "--format", "json")
        links = json.loads(text.getvalue())["links"]
        return str(links[0]["outreach"]["id"])

    def wait_for_a_later_second(self) -> None:
        """Salesforce stamps to the second, so a later edit needs a later one."""
        import time

        time.sleep(1.1)

    def expect(self, result: dict[str, Any], **counts: int) -> None:
        for key, count in counts.items():
            if result["counts"][key] != count:
                raise Failure(f"the demo expected {count} {key}, and got {result['counts']}", 1)

    def _checked(self, words: tuple[str, ...], code: int) -> None:
        sys.stdout.flush()
        if code:
            raise Failure(f"`crosswalk {shlex.join(words)}` ended with {code}", 1)
