"""Tells a story: runs commands as a user would type them, and checks that the story holds."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

from dsl.schema import Side
from engine.cli.changes import change_lines, paint, summary_lines
from engine.cli.colour import wants_colour
from engine.cli.project import Failure
from engine.cli.table import print_table

__all__ = ["Step", "Story", "Teller", "play_story"]

_WIDTH = 88
_COLUMN = 48


@dataclass(frozen=True, slots=True)
class Step:
    """A heading, what is told under it, and what is then done. `play` raises `Failure`."""

    title: str
    text: str
    play: Callable[[Teller], None]


@dataclass(frozen=True, slots=True)
class Story:
    """A story by the name that `--story` takes; `about` is one line on it."""

    name: str
    about: str
    steps: tuple[Step, ...]


def play_story(story: Story, folder: Path, *, keep: bool) -> None:
    """Play a story in a folder that has no project yet. Raises `Failure` if a step goes wrong."""
    with ExitStack() as stack:
        teller = Teller(folder, stack)
        for number, step in enumerate(story.steps, 1):
            teller.tell(f"{number}. {step.title}", step.text)
            step.play(teller)
    teller.tell(
        "That is Crosswalk",
        f"The project is in {folder}: edit rules/leads.sync there, and plan again."
        if keep
        else "Make a project of your own: crosswalk init --sample trial",
    )


class Teller:
    """What the steps of a story act through.

    `folder` is the project's, which the first step makes; `foretold` are the counts of a plan that
    a later step holds its run to. `stack` closes what a story has opened, at its end.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self.foretold: dict[str, int] = {}
        self._colour = wants_colour()

    def tell(self, title: str, text: str) -> None:
        """A heading, and a paragraph under it."""
        print("\n" + paint(title, "1;36", self._colour))
        print(f"{fill(text, _WIDTH)}\n")

    def serve(self) -> None:
        """Put the project's local orgs behind the sandbox servers, and connect it to these."""
        from engine.cli.stories.servers import over_http

        urls = self._stack.enter_context(over_http(self.folder))
        for side, url in urls.items():
            print(f"  {side.title():<11}{url}")
        print()

    def show(self, name: str, first: int = 1, last: int | None = None) -> None:
        """A file of the project, or some of its lines, both ends included."""
        print(paint(f"  {name}", "2", self._colour))
        text = (self.folder / name).read_text(encoding="utf-8")
        for line in text.splitlines()[first - 1 : last]:
            print(f"  | {line}".rstrip())

    def write(self, name: str, text: str) -> None:
        """Make or replace a file of the project, and show it."""
        (self.folder / name).write_text(text, encoding="utf-8")
        self.show(name)

    def show_records(
        self,
        type_name: str,
        *fields: str,
        side: Side = Side.SALESFORCE,
        having: str | None = None,
        head: int | None = None,
    ) -> None:
        """What stands in an org: its records of a type, a row each, or the first ones.

        Only those in which the field `having` is filled in, if one is given. A dotted field reads
        through a reference.
        """
        from engine.stores.local import open_org  # `--help` must not wait for a database

        with closing(open_org(side, self.folder / f"{side}.db")) as org:
            rows = [row[2:] for page in org.scan(type_name, fields, None) for row in page.rows]
        if having is not None:
            rows = [row for row in rows if row[fields.index(having)] is not None]
        print()
        print_table([_heading(field) for field in fields], ([*map(_brief, r)] for r in rows[:head]))
        if head is not None and len(rows) > head:
            print(paint("…", "2", self._colour))

    # -- commands -------------------------------------------------------------------------------

    def command(self, *words: str, head: int | None = None, code: int = 0) -> dict[str, Any]:
        """Run a command and show its output, or of a plan or run its first changes.

        What a plan or run says as JSON comes back, of others nothing. A `*.csv` is a file of the
        project. Raises `Failure` if the command does not end with `code`.
        """
        self._typed(words)
        words = tuple(str(self.folder / w) if w.endswith(".csv") else w for w in words)
        if words[0] not in ("plan", "run"):
            self._checked(words, self._main(*words), code)
            return {}
        more = ("--changes",) if words[0] == "run" else ()
        told = self.output(*words, "--format", "json", *more, code=code)
        result: dict[str, Any] = json.loads(told)
        self._show_changes(result, head, foretold=words[0] == "plan")
        return result

    def brief(self, *words: str, head: int) -> None:
        """Run a command and show the first lines of what it prints, and its last paragraph."""
        self._typed(words)
        above, mark, below = self.output(*words).rpartition("\n\n")
        lines = above.splitlines()
        for line in lines[:head]:
            print(line)
        if len(lines) > head:
            print(paint("  …", "2", self._colour))
        print(mark[1:] + below, end="")

    def local(self, *words: str) -> str:
        """A command on the local orgs, shown without what it prints, which comes back."""
        self._typed(("local", *words))
        return self.output("local", *words).strip()

    def play(self, name: str, script: str) -> None:
        """Acts of salespeople and prospects, as a script; what each made or changed is shown."""
        (self.folder / name).write_text(script, encoding="utf-8")
        self._typed(("local", "play", name))
        words = ("local", "play", str(self.folder / name))
        self._checked(words, self._main(*words), 0)

    def output(self, *words: str, code: int = 0) -> str:
        """What a command prints, without showing it. Raises `Failure`."""
        text = io.StringIO()
        with redirect_stdout(text):
            ended = self._main(*words)
        self._checked(words, ended, code)
        return text.getvalue()

    def linked(self, type_name: str, record: str) -> str:
        """The id of the Outreach record that a Salesforce record is linked to."""
        links = json.loads(
            self.output("links", "--type", type_name, "--id", record, "--format", "json")
        )["links"]
        return str(links[0]["outreach"]["id"])

    def wait_for_a_later_second(self) -> None:
        """Salesforce stamps to the second, so a later edit needs a later one."""
        time.sleep(1.1)

    def expect(self, result: dict[str, Any], **counts: int) -> None:
        """Hold a run to its counts. Raises `Failure`."""
        for key, count in counts.items():
            if result["counts"][key] != count:
                raise Failure(f"the demo expected {count} {key}, and got {result['counts']}", 1)

    def _main(self, *words: str) -> int:
        from engine.cli.main import main

        return main(["--project", str(self.folder), *words])

    def _typed(self, words: tuple[str, ...]) -> None:
        print(paint(f"$ crosswalk {shlex.join(words)}", "1", self._colour), flush=True)

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
        if lines:
            print()
        for line in summary_lines(result["counts"], result["calls"], foretold):
            print(paint(line, "1", self._colour))

    def _checked(self, words: tuple[str, ...], ended: int, expected: int) -> None:
        sys.stdout.flush()
        if ended != expected:
            raise Failure(f"`crosswalk {shlex.join(words)}` ended with {ended}", 1)


def _heading(field: str) -> str:
    """A field's name as the heading of a narrow column."""
    return re.sub(r"^Current_|__c$|(?i:\.name)$", "", field)


def _brief(value: Any) -> str:
    """A value in a column of few characters."""
    text = "" if value is None else str(value)
    return text if len(text) <= _COLUMN else f"{text[: _COLUMN - 1]}…"
