"""`crosswalk local`: fill, read and change the project's local orgs, as their users would."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsl.schema import ObjectType, Side
from engine.cli.custom import FIELD_ACTS, add_fields, type_named
from engine.cli.lists import LISTS, add_list, make_list
from engine.cli.project import Failure, Project
from engine.play.table import HELP

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.model import RecordId
    from engine.stores.local import LocalOrg, Refused

__all__ = ["register", "run"]

_STEP = 5_000

_LOAD = """\
DIR has a JSON array for each type: Lead.json of Salesforce REST records, prospect.json of JSON:API
resource objects. Ids and stamps are kept, and a record that is there already is replaced. What a
user may not write may be loaded. One wrong file, and nothing is loaded.

example:
  crosswalk local load salesforce data/salesforce
"""
_DUMP = """\
Writes the files that `local load` reads, one for each type that has records.

example:
  crosswalk local dump outreach backup/outreach
"""
_CREATE = """\
The org fills in its defaults and stamps, and refuses what its vendor would. It prints the new id.

examples:
  crosswalk local create salesforce Lead LastName=Boxer Company="Farmers Coop." IsConverted=false
  crosswalk local create outreach prospect firstName=Rose emails=rose@edge.com stage=Working
"""
_EDIT = """\
An empty value clears a field. In Outreach, a reference is an id or the name or e-mail of what it
refers to, a list is JSON or its one element.

examples:
  crosswalk local edit salesforce Lead 00Q3z00001AmqLYEAZ Status="Working - Contacted" Title=
  crosswalk local edit outreach prospect 17 stage=Working emails='["a@b.co", "c@d.co"]'
"""
_DELETE = """\
example:
  crosswalk local delete salesforce Lead 00Q3z00001AmqLYEAZ
"""
_UNDELETE = """\
Brings a record back from the recycle bin as it was.

example:
  crosswalk local undelete salesforce Lead 00Q3z00001AmqLYEAZ
"""
_CONVERT = """\
As in Salesforce: the lead becomes an account and a contact (or those that are named, where they
lack a value, are filled in), and with --opportunity an opportunity. The lead is read-only from then
on. It prints the ids of the lead, its contact, its account and its opportunity, one a line, or the
lead as JSON.

examples:
  crosswalk local convert 00Q3z00001AmqLYEAZ
  crosswalk local convert 00Q3z00001AmqLYEAZ --account 0013z00002Rl4JZAAZ --opportunity "Big deal"
"""
_MERGE = """\
As in Salesforce: what refers to the loser refers to the master from then on, and the loser is
deleted. For leads, contacts and accounts. It prints the master's id.

example:
  crosswalk local merge Contact 0033z00002mNO7ZAAW 0033z00002mNO7aAAG
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their options."""
    parser.epilog = (
        "A local org is a small Salesforce or Outreach in one file. What is done to it here is\n"
        "what a user would do there: the org stamps it, and refuses what the vendor would.\n\n"
        "examples:\n"
        "  crosswalk local load salesforce data/salesforce\n"
        "  crosswalk local edit outreach prospect 17 stage=Working\n"
        "  crosswalk local edit --help"
    )
    commands = parser.add_subparsers(title="acts", dest="act", metavar="ACT", required=True)
    load = _command(commands, "load", "fill an org from files", _LOAD)
    load.add_argument("folder", metavar="DIR", type=Path, help="has a JSON file per type")
    dump = _command(commands, "dump", "write an org's records to files", _DUMP)
    dump.add_argument("folder", metavar="DIR", type=Path, help="made if it is not there")
    create = _command(commands, "create", "make a record", _CREATE)
    create.add_argument("type", metavar="TYPE", help="Lead, prospect, …")
    create.add_argument("pairs", metavar="FIELD=VALUE", nargs="*")
    edit = _command(commands, "edit", "change a record", _EDIT)
    edit.add_argument("type", metavar="TYPE", help="Lead, prospect, …")
    edit.add_argument("id", metavar="ID")
    edit.add_argument("pairs", metavar="FIELD=VALUE", nargs="+")
    delete = _command(commands, "delete", "delete a record", _DELETE)
    delete.add_argument("type", metavar="TYPE", help="Lead, prospect, …")
    delete.add_argument("id", metavar="ID")
    undelete = _command(commands, "undelete", "bring a deleted record back", _UNDELETE)
    undelete.add_argument("type", metavar="TYPE", help="Lead, prospect, …")
    undelete.add_argument("id", metavar="ID")
    convert = _command(commands, "convert", "convert a lead", _CONVERT, Side.SALESFORCE)
    convert.add_argument("id", metavar="LEAD_ID")
    convert.add_argument("--account", metavar="ID", help="an account to use")
    convert.add_argument("--contact", metavar="ID", help="a contact to use")
    convert.add_argument("--opportunity", metavar="NAME", help="make an opportunity of this name")
    convert.add_argument("--status", metavar="NAME", help="the converted status that it gets")
    convert.set_defaults(type="Lead")
    merge = _command(commands, "merge", "merge two records", _MERGE, Side.SALESFORCE)
    merge.add_argument("type", metavar="TYPE", help="Lead, Contact or Account")
    merge.add_argument("id", metavar="MASTER_ID")
    merge.add_argument("loser", metavar="LOSER_ID")
    play = commands.add_parser(
        "play",
        help="act as salespeople do: mails, calls, meetings, sequences",
        description="Act as salespeople do, from a script or one act at a time.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    play.add_argument("script", metavar="SCRIPT|ACT", nargs="+", help="a file, -, or one act")
    play.add_argument("--as", dest="acting", metavar="USER", help="who acts, if no line says so")
    play.add_argument("--format", choices=["text", "json"], default="text")
    add_fields(lambda name, does, epilog: _command(commands, name, does, epilog))
    add_list(lambda name, does, epilog: _command(commands, name, does, epilog, Side.SALESFORCE))


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    does: str,
    epilog: str,
    side: Side | None = None,
) -> argparse.ArgumentParser:
    """An act's own parser; one that only one side knows does not ask for the side."""
    parser = commands.add_parser(
        name,
        help=does,
        description=does[0].upper() + does[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if side is None:
        parser.add_argument(
            "side",
            metavar="SIDE",
            choices=[s.value for s in Side],
            help="which org: salesforce or outreach",
        )
    else:
        parser.set_defaults(side=side.value)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    return parser


def run(args: argparse.Namespace, project: Project) -> int:
    """Carry out the act; exit code 1 if the org refuses it."""
    if args.act == "play":
        from engine.cli.playing import run as play

        return play(args, project)
    from engine.stores.local import Refused, open_org

    side = Side(args.side)
    path = project.config.org_path(side)
    if path is None:
        kind = project.config.stores[side].store
        raise Failure(
            f'[{side}] has store = "{kind}", and `crosswalk local` acts on local orgs only:'
            f" change the records in {side.title()} itself"
        )
    type_ = type_named(side, args.type) if "type" in args else None
    with closing(open_org(side, path)) as org:
        try:
            if type_ is None:
                return _FILES[args.act](org, args)
            type_ = org.describe(type_.name) or type_
            return _ACTS[args.act](org, args, type_)
        except Refused as refusal:
            return _tell(refusal, side, type_)


def _tell(refusal: Refused, side: Side, type_: ObjectType | None) -> int:
    hint = ""
    unknown = [] if type_ is None else [f for f in refusal.fields if f not in type_.fields]
    if type_ is not None and unknown:
        near = get_close_matches(unknown[0], list(type_.fields), 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
    code, message = refusal.code, " ".join(refusal.message.split())
    print(f"{side.title()} refused: {code}: {message}{hint}", file=sys.stderr)
    return 1


# -- the acts -----------------------------------------------------------------------------------


def _load(org: LocalOrg, args: argparse.Namespace) -> int:
    from engine.stores.local import load

    counts = load(org, args.folder, _progress if sys.stderr.isatty() else None)
    return _counted(args, "loaded", counts)


def _progress(name: str, done: int, total: int) -> None:
    if done % _STEP == 0:
        print(f"{name}: {done:,} of about {total:,}", file=sys.stderr)


def _dump(org: LocalOrg, args: argparse.Namespace) -> int:
    from engine.stores.local import dump

    return _counted(args, "dumped", dump(org, args.folder))


def _counted(args: argparse.Namespace, what: str, counts: dict[str, int]) -> int:
    for name, count in counts.items():
        print(f"{what} {count:>7,} {name}", file=sys.stderr)
    if not counts:
        print(f"{what} nothing: the org has no records", file=sys.stderr)
    if args.format == "json":
        print(json.dumps({"version": 1, what: counts}))
    return 0


def _create(org: LocalOrg, args: argparse.Namespace, type_: ObjectType) -> int:
    return _shown(org, args, org.create(args.type, _values(org, type_, args.pairs)))


def _edit(org: LocalOrg, args: argparse.Namespace, type_: ObjectType) -> int:
    return _shown(org, args, org.edit(args.type, args.id, _values(org, type_, args.pairs)))


def _delete(org: LocalOrg, args: argparse.Namespace, _: ObjectType) -> int:
    record = org.delete(args.type, args.id)
    _print(args, record, {"version": 1, "deleted": {"type": args.type, "id": record}})
    return 0


def _undelete(org: LocalOrg, args: argparse.Namespace, _: ObjectType) -> int:
    return _shown(org, args, org.undelete(args.type, args.id))


def _convert(org: LocalOrg, args: argparse.Namespace, _: ObjectType) -> int:
    made = org.convert(args.id, args.account, args.contact, args.opportunity, args.status)
    if args.format == "json":
        return _shown(org, args, made["Lead"] or args.id)
    ids = (made[name] for name in ("Lead", "Contact", "Account", "Opportunity"))
    print("\n".join(str(record) for record in ids if record is not None))
    return 0


def _merge(org: LocalOrg, args: argparse.Namespace, _: ObjectType) -> int:
    return _shown(org, args, org.merge(args.type, args.id, args.loser))


def _shown(org: LocalOrg, args: argparse.Namespace, record: RecordId) -> int:
    _print(args, record, org.get(args.type, record) if args.format == "json" else None)
    return 0


def _print(args: argparse.Namespace, record: RecordId, document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False) if args.format == "json" else record)


def _values(org: LocalOrg, type_: ObjectType, pairs: Sequence[str]) -> dict[str, Any]:
    from engine.stores.local.acts import typed_values

    texts: dict[str, str] = {}
    for pair in pairs:
        name, mark, text = pair.partition("=")
        if not mark or not name:
            raise Failure(f"`{pair}` is not FIELD=VALUE: write a field's name, `=` and its value")
        if name in texts:
            raise Failure(f"`{name}` is given twice")
        texts[name] = text
    return typed_values(org, type_, texts)


_FILES: dict[str, Callable[[LocalOrg, argparse.Namespace], int]] = {"load": _load, "dump": _dump}
_ACTS: dict[str, Callable[[LocalOrg, argparse.Namespace, ObjectType], int]] = {
    "create": _create,
    "edit": _edit,
    "delete": _delete,
    "undelete": _undelete,
    "convert": _convert,
    "merge": _merge,
    **FIELD_ACTS,
    **dict.fromkeys(LISTS, make_list),
}
