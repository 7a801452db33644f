"""`crosswalk import`: inbound create by hand, from a CSV file, a report or a list view."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dsl.program import Pair, Program
from dsl.schema import Side
from engine.cli.project import Failure, Project
from engine.cli.writing import Session, add_yes, writing

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.cycle import Summary
    from engine.imports.bring import List
    from engine.imports.outcome import Rows
    from engine.model import Listing
    from engine.objection import Objection
    from engine.ports import Lists, Store

__all__ = ["register", "run"]

_SHOWN = 20

_CSV = """\
Rows with an id are looked up in Salesforce, and what stands there counts. Rows without one are
looked for in Salesforce by the sync's `match`; who is not there is made in Outreach from the
columns, by the sync's field lines, unless Outreach has them already. Columns are headed by API
names, labels, or as reports head them. Separator and encoding are told from the file, and so is
its locale, where dates and numbers leave no doubt.

examples:
  crosswalk import csv leads.csv --type Lead --dry-run
  crosswalk import csv leads.csv --type Lead
  crosswalk import csv fair.csv --type Contact --locale de_DE --format json
"""
_REPORT = """\
The report's records, as it finds them now. Without ID, the reports that there are.

examples:
  crosswalk import report
  crosswalk import report 00OCw0000000001AAA --dry-run
  crosswalk import report "Hot leads"
"""
_VIEW = """\
The list view's records, as it shows them now. Without ID, the list views that there are.

examples:
  crosswalk import list-view
  crosswalk import list-view "Hot leads" --format json
"""
_WHAT = {"report": "report", "list-view": "list view"}


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their options."""
    parser.epilog = (
        "Brings in what somebody picked, although the toggle or condition of `inbound create`, or\n"
        "polling, keeps it out. All else holds as in a run: match, guard, what is held, what is\n"
        "required. Nothing is written to Salesforce. Exit code 1 says that rows were bad, or that\n"
        "records were held or refused.\n\n"
        "examples:\n"
        "  crosswalk import csv leads.csv --type Lead --dry-run\n"
        "  crosswalk import report 00OCw0000000001AAA\n"
        '  crosswalk import list-view "Hot leads"'
    )
    commands = parser.add_subparsers(title="lists", dest="source", metavar="LIST", required=True)
    csv = _command(commands, "csv", "bring in the rows of a CSV file", _CSV)
    csv.add_argument("file", metavar="FILE", type=Path)
    csv.add_argument("--type", metavar="T", required=True, help="what the rows are: Lead, Contact…")
    csv.add_argument(
        "--locale", metavar="L", help="whose dates and numbers these are: en_US, en_GB, de_DE, …"
    )
    for name, epilog in (("report", _REPORT), ("list-view", _VIEW)):
        own = _command(commands, name, f"bring in the records of a {_WHAT[name]}", epilog)
        own.add_argument("id", metavar="ID", nargs="?", help="its id, or its name")
    for own in commands.choices.values():
        own.add_argument(
            "--dry-run", action="store_true", help="show what it would do, as `plan` does"
        )
        add_yes(own)
        own.add_argument("--changes", action="store_true", help="list the changes in the JSON too")
        own.add_argument("--all", action="store_true", help="show all changes and bad rows")
        own.add_argument("--format", choices=["text", "json"], default="text")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, does: str, epilog: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=does,
        description=does[0].upper() + does[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Import, or show what an import would do; exit code 1 if rows were bad."""
    from engine.imports.text import Unreadable

    try:
        if args.source != "csv" and args.id is None:
            return _show_lists(args, project)
        return _dry_run(args, project) if args.dry_run else _import(args, project)
    except Unreadable as error:
        raise Failure(str(error)) from None


def _import(args: argparse.Namespace, project: Project) -> int:
    from engine.imports.bring import bring, objections_to

    rows: list[Rows] = []

    def work(session: Session) -> Summary:
        pair, given = _given(args, project, session.program, session.stores)

        def guarded(_run: str) -> Sequence[Objection]:
            if args.yes:
                return ()
            return objections_to(*session.world, pair.name, given, stop=session.stop)

        summary, found = bring(
            *session.world,
            pair.name,
            given,
            before=guarded,
            report=session.report,
            stop=session.stop,
            progress=session.progress,
        )
        rows.append(found)
        return summary

    code = writing(args, project, work)
    return max(code, _tell(args, rows[0]))


def _dry_run(args: argparse.Namespace, project: Project) -> int:
    """What the import would do, in the shape of a plan."""
    from engine.cli.objections import objection_lines
    from engine.cli.output import ChangeSpool
    from engine.cli.progress import shown_progress
    from engine.cycle import rehearse
    from engine.guard import Blast
    from engine.imports.bring import bring

    program = project.program()
    as_json = args.format == "json"
    with ExitStack() as stack:
        ledger = project.open_ledger_to_look(stack, program)
        stores = project.open_budgeted(stack, program, ledger)
        pair, given = _given(args, project, program, stores)
        spool = stack.enter_context(ChangeSpool(as_json, None if args.all or as_json else 100))
        blast = Blast()
        with shown_progress() as progress, rehearse(stores, ledger) as (rehearsal, copy):
            zone = project.config.timezone
            summary, rows = bring(
                program,
                rehearsal,
                copy,
                zone,
                pair.name,
                given,
                report=spool.add,
                keep=blast.add,
                progress=progress,
            )
        found = blast.objections(program, ledger, zone)
        summary = replace(summary, objections=tuple(found))
        spool.print(summary, foretold=True)
    for line in objection_lines(summary, foretold=True):
        print(line, file=sys.stderr)
    return _tell(args, rows)


def _tell(args: argparse.Namespace, rows: Rows) -> int:
    """Say on standard error what is wrong with the list; whether rows were bad."""
    for note in rows.notes:
        print(f"{rows.name}: {note}", file=sys.stderr)
    shown = rows.bad if args.all else rows.bad[:_SHOWN]
    for each in shown:
        print(f"{rows.name}:{each.line}: {each.message}", file=sys.stderr)
    if rows.failed > len(shown):
        print(f"… and {rows.failed - len(shown):,} more bad rows", file=sys.stderr)
    return int(bool(rows.failed))


# -- what is imported ---------------------------------------------------------------------------


def _given(
    args: argparse.Namespace, project: Project, program: Program, stores: dict[Side, Store]
) -> tuple[Pair, List]:
    """The list that is asked for, and the sync that it concerns. Raises `Failure`."""
    from engine.imports.bring import List

    store = stores[Side.SALESFORCE]
    if args.source == "csv":
        pair = _pair(program, args.type)
        return pair, _csv(args, project, pair, store)
    from engine.imports.rows import chunks_of

    lists = _offered(project, store)
    listing = _listing(lists, args.source, args.id)
    name = f"{_WHAT[args.source]} {listing.name}"
    return _pair(program, listing.type), List(name, lambda: chunks_of(lists.listed(listing)))


def _csv(args: argparse.Namespace, project: Project, pair: Pair, store: Store) -> List:
    from engine.imports.bring import List
    from engine.imports.locales import LOCALES
    from engine.imports.rows import open_list
    from engine.mapping import compile_pair

    locale = None
    if args.locale is not None:
        locale = LOCALES.get(args.locale.replace("-", "_"))
        if locale is None:
            raise Failure(f"no locale `{args.locale}` is known: there are {', '.join(LOCALES)}")
    file = open_list(
        args.file,
        store.describe(pair.salesforce.name) or pair.salesforce,
        reads=compile_pair(pair).columns[Side.SALESFORCE],
        keys=[[left.path for left, _ in rule.keys] for rule in pair.matches],
        locale=locale,
        zone=project.config.timezone,
    )
    return List(file.name, file.chunks, file.columns.notes, file.columns.unknown)


def _pair(program: Program, name: str) -> Pair:
    """The sync of a Salesforce type, or the one of this name (`Lead<->prospect`)."""
    wanted = name.replace(" ", "")
    syncs = [p for p in program.pairs if not p.label]  # the others are of activities
    found = [p for p in syncs if wanted in (p.salesforce.name, p.name)]
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(f'"{pair.name}"' for pair in found)
        raise Failure(f"several syncs are of {name}: write --type {names}")
    known = ", ".join(sorted({pair.salesforce.name for pair in syncs}))
    raise Failure(f"no sync of a Salesforce type `{name}`: the rules sync {known}")


def _offered(project: Project, store: Store) -> Lists:
    from engine.ports import Lists

    if isinstance(store, Lists):
        return store
    kind = project.config.stores[Side.SALESFORCE].store
    raise Failure(
        f'the store "{kind}" of [salesforce] offers no reports and list views: export the list as'
        " CSV, then `crosswalk import csv FILE --type TYPE`"
    )


def _listing(lists: Lists, source: str, wanted: str) -> Listing:
    from dsl.ids import full_id

    known = lists.reports() if source == "report" else lists.list_views()
    found = [each for each in known if each.id == full_id(wanted)]
    found = found or [each for each in known if each.name.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(each.id for each in found)
        raise Failure(f"several {_WHAT[source]}s are called `{wanted}`: name one by its id, {ids}")
    named = ", ".join(f"{each.id} ({each.name})" for each in known[:10])
    there = f"there are {named}" if named else f"there are no {_WHAT[source]}s"
    raise Failure(f"Salesforce has no {_WHAT[source]} `{wanted}`: {there}")


def _show_lists(args: argparse.Namespace, project: Project) -> int:
    """The reports or list views that there are."""
    from engine.cli.table import print_json, print_table

    with ExitStack() as stack:
        store = project.open_store(Side.SALESFORCE)
        stack.callback(store.close)
        lists = _offered(project, store)
        known = lists.reports() if args.source == "report" else lists.list_views()
    if args.format == "json":
        print_json({"version": 1}, "lists", (each._asdict() for each in known))
    elif not print_table(("id", "type", "name"), ((e.id, e.type, e.name) for e in known)):
        print(f"there are no {_WHAT[args.source]}s", file=sys.stderr)
    return 0
