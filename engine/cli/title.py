"""`crosswalk title`: what the title of a real activity would be, before it is written anywhere."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dsl.schema import Side
from engine.cli.project import Failure, Project

if TYPE_CHECKING:  # `--help` must not wait for a database
    from dsl.program import ActivityRule, Program
    from engine.model import RecordId, Row
    from engine.ports import Store

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("kind", metavar="KIND", help='a kind of activity, such as "email sent"')
    parser.add_argument(
        "id", metavar="ID", nargs="?", help="of an Outreach record; else the newest"
    )
    parser.add_argument(
        "--template", metavar="T", help="a template's name, or a file, instead of the rule's title"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = (
        "Reads one record of the connected Outreach, and writes nothing.\n\n"
        "examples:\n"
        '  crosswalk title "call logged"\n'
        '  crosswalk title "email sent" 4711 --template drafts/email.j2'
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the title; exit code 1 if it cannot be made."""
    from contextlib import closing

    from engine.shipped import title_texts
    from engine.worked_out import title_line

    kind = " ".join(args.kind.replace("_", " ").split())
    rule = _rule(project.program(), kind)
    titles = title_texts(project.root)
    if args.template is not None:
        rule = _with_template(rule, args.template, titles)
    troubles: list[str] = []
    title = title_line(rule, titles, troubles)
    names = list(dict.fromkeys(field.path for field in title.arguments))
    with closing(project.open_store(Side.OUTREACH)) as store:
        row = _record(store, rule, names, args.id)
    values = dict(zip(names, row[2:], strict=True))
    text = title.compute(*(values[f.path] for f in title.arguments), project.config.timezone)
    if troubles:
        raise Failure(f"{troubles[0]}; without it, the title is: {text}", 1)
    if args.format == "json":
        told = {"version": 1, "kind": kind, "id": row[0], "title": text, "values": values}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(text)
    return 0


def _rule(program: Program, kind: str) -> ActivityRule:
    """The rule of a kind: of a sync, or one with nothing said if none writes it."""
    from dataclasses import replace

    from dsl.activities import RESOURCES
    from dsl.diagnostics import closest
    from engine.kinds import KINDS

    if kind not in KINDS:
        near = closest(kind, KINDS)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(KINDS)}"
        raise Failure(f"there is no kind of activity `{kind}`: {hint}")
    rules = [rule for pair in program.pairs for rule in pair.activities]
    found = [rule for rule in rules if rule.kind == kind]
    if found:
        return found[0]
    if not rules:
        raise Failure(f"no sync writes activities, so `{kind}` has no title")
    target: Literal["Task", "Event"] = (
        "Event" if RESOURCES[kind.split(maxsplit=1)[0]] == "meeting" else "Task"
    )
    template = kind.replace(" ", "_")
    return replace(
        rules[0], kind=kind, target=target, title=None, template=template, lines=(), when=None
    )


def _with_template(rule: ActivityRule, given: str, titles: dict[str, str]) -> ActivityRule:
    from dataclasses import replace

    if given in titles:
        return replace(rule, title=None, template=given)
    path = Path(given)
    if not path.is_file():
        known = ", ".join(sorted(titles))
        raise Failure(f"`{given}` is neither a file nor a template: there are {known}")
    return replace(rule, title=path.read_text("utf-8", errors="replace").removesuffix("\n"))


def _record(store: Store, rule: ActivityRule, names: list[str], given: str | None) -> Row:
    """The record that was asked for, or the newest of its kind that is there."""
    from engine.own_rules import resource_of

    resource = resource_of(rule)
    if store.describe(resource) is None:
        raise Failure(f"the connected Outreach has no type `{resource}`", 1)
    if given is not None:
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            raise Failure(f"`{given}` is no id of Outreach: those are whole numbers")
        found = store.fetch(resource, names, [int(given)])
        if not found:
            raise Failure(f"Outreach has no {resource} {given}", 1)
        return found[0]
    newest = _newest(store, resource, rule)
    if newest is None:
        message = f"Outreach has no {resource} yet that is `{rule.kind}`"
        raise Failure(f"{message}: name another one by its id to see its title", 1)
    return store.fetch(resource, names, [newest])[0]


def _newest(store: Store, resource: str, rule: ActivityRule) -> RecordId | None:
    """The id of the record of the kind that changed last; the last days are looked at first."""
    from datetime import UTC, datetime, timedelta

    from dsl.evaluate import Context, evaluate
    from dsl.values import stamp
    from engine.columns import fields_in
    from engine.kinds import KINDS
    from engine.model import Cursor
    from engine.own_rules import condition

    kind, now = KINDS[rule.kind], datetime.fromisoformat(store.now())
    takes = condition(rule, (rule.origin == "anywhere" and kind.anywhere) or kind.takes)
    paths = list(dict.fromkeys(ref.path for ref in fields_in(takes)))

    def is_one(row: Row) -> bool:
        values = dict(zip(paths, row[2:], strict=True))
        read = Context(lambda ref: values[ref.path], lambda _: True, now, UTC)
        return evaluate(takes, read)

    for days in (1, 30, None):
        since = None if days is None else Cursor(stamp(now - timedelta(days=days)), 0)
        pages = store.scan(resource, paths, since)
        found = [row[0] for page in pages for row in page.rows if is_one(row)]
        if found:
            newest: RecordId = found[-1]
            return newest
    return None
