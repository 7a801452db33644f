"""`crosswalk local field`, `fields` and `picklist`: what an administrator changes in Setup."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dsl.schema import Field, ObjectType, Side, is_custom, shipped_schema
from engine.cli.project import Failure

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.stores.local import LocalOrg

__all__ = ["FIELD_ACTS", "add_fields", "type_named"]

_FIELD = """\
A custom field of Salesforce has a name that ends in `__c`. In Outreach, custom1 to custom150 are
there already: one of those is only given a label. A field that is there keeps its type; with
--label alone, it gets another label.

examples:
  crosswalk local field salesforce Lead Region__c --type picklist --values EMEA,AMER,APAC
  crosswalk local field salesforce Contact Manager__c --type reference --to User
  crosswalk local field outreach prospect custom7 --label "Account tier"
"""
_FIELDS = """\
Lists the custom fields that were added, or with --all every field, with its type and label.

example:
  crosswalk local fields salesforce Lead
"""
_PICKLIST = """\
As in Setup: `add` offers a new value, or a deactivated one again. `rename` gives one another name,
which the records that hold it have from then on. After `deactivate`, records keep the value, and
no list offers it. The records of LeadStatus and OpportunityStage follow. `crosswalk maps` tells
what that means for the maps of the rules.

examples:
  crosswalk local picklist salesforce Lead Status add Nurturing
  crosswalk local picklist salesforce Lead Status rename "Working - Contacted" Working
  crosswalk local picklist salesforce Opportunity StageName deactivate "Needs Analysis"
"""
_KINDS = ["text", "textarea", "number", "checkbox", "date", "datetime", "picklist", "reference"]


def add_fields(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """Add the acts that are about fields."""
    field = command("field", "add a custom field", _FIELD)
    field.add_argument("type", metavar="TYPE", help="Lead, prospect, …")
    field.add_argument("name", metavar="NAME", help="Region__c, or custom7 in Outreach")
    kinds = ", ".join(_KINDS)
    field.add_argument("--type", dest="kind", choices=_KINDS, metavar="KIND", help=kinds)
    field.add_argument("--values", metavar="A,B", help="what a picklist may hold")
    field.add_argument(
        "--length", metavar="N", type=int, help="of a text, 255 unless said, or a textarea"
    )
    field.add_argument("--to", metavar="TYPE", help="the type that a reference points to")
    field.add_argument("--label", metavar="L", help="what users read; made of the name unless said")
    field.add_argument(
        "--external-id", action="store_true", help="a text of which no two records have the same"
    )
    fields = command("fields", "list a type's custom fields", _FIELDS)
    fields.add_argument("type", metavar="TYPE", help="Lead, prospect, …")
    fields.add_argument("--all", action="store_true", help="all fields, not only custom ones")
    picklist = command("picklist", "change the values of a picklist", _PICKLIST)
    picklist.add_argument("type", metavar="TYPE", help="Lead, Opportunity, …")
    picklist.add_argument("name", metavar="FIELD", help="Status, StageName, …")
    picklist.add_argument("change", choices=["add", "rename", "deactivate"], metavar="CHANGE")
    picklist.add_argument("value", metavar="VALUE")
    picklist.add_argument("new", metavar="NEW", nargs="?", help="with `rename`, the new name")


def type_named(side: Side, name: str) -> ObjectType:
    """A type of the shipped schema. Raises `Failure`."""
    found = shipped_schema().get(side, name)
    if found is not None:
        return found
    names = sorted(shipped_schema().names(side))
    folded = {n.casefold(): n for n in names}
    near = get_close_matches(name.casefold(), list(folded), 1)
    meant = f"did you mean {folded[near[0]]}?" if near else f"there are {', '.join(names)}"
    raise Failure(f"{side.title()} has no type `{name}`; {meant}")


def _field(org: LocalOrg, args: argparse.Namespace, type_: ObjectType) -> int:
    if args.kind is None:
        if args.label is None:
            raise Failure(
                f"say what `{args.name}` is to be: --type, or --label for one that is there"
            )
        made = org.label_field(type_.name, args.name, args.label)
    else:
        to = None if args.to is None else type_named(Side(args.side), args.to).name
        values = [v.strip() for v in (args.values or "").split(",") if v.strip()]
        more = {"values": values, "length": args.length, "label": args.label, "to": to}
        more["external_id"] = args.external_id
        made = org.add_field(type_.name, args.name, args.kind, **more)
    _print(args, type_, made, made.name)
    return 0


def _picklist(org: LocalOrg, args: argparse.Namespace, type_: ObjectType) -> int:
    if (args.change == "rename") != (args.new is not None):
        raise Failure('`rename` takes two names, as in `rename "Working - Contacted" Working`')
    given = [args.value] if args.new is None else [args.value, args.new]
    made = org.change_picklist(type_.name, args.name, args.change, *given)
    _print(args, type_, made, "\n".join(made.picklist))
    return 0


def _fields(org: LocalOrg, args: argparse.Namespace, type_: ObjectType) -> int:
    from engine.cli.table import print_json, print_table

    fields = type_.fields if args.all else {f.name: f for f in org.file.custom_fields(type_.name)}
    shown = [f for f in fields.values() if args.all or is_custom(type_.side, f.name)]
    if args.format == "json":
        print_json({"version": 1, "object": type_.name}, "fields", map(_document, shown))
        return 0
    rows = ([f.name, f.vendor_type, f.label, ", ".join(f.picklist or f.references)] for f in shown)
    if not print_table(["field", "type", "label", "values"], rows):
        print(f"{type_.name} has no custom fields; add one with `crosswalk local field`")
    return 0


def _document(field: Field) -> dict[str, Any]:
    from engine.stores.local.custom import as_document

    return as_document(field)


def _print(args: argparse.Namespace, type_: ObjectType, field: Field, words: str) -> None:
    document = {"version": 1, "field": {"object": type_.name, **_document(field)}}
    print(json.dumps(document, ensure_ascii=False) if args.format == "json" else words)


FIELD_ACTS: dict[str, Callable[[LocalOrg, argparse.Namespace, ObjectType], int]] = {
    "field": _field,
    "fields": _fields,
    "picklist": _picklist,
}
