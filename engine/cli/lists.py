"""`crosswalk local report` and `local list-view`: the lists that a local Salesforce keeps."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from dsl.schema import ObjectType

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.stores.local import LocalOrg

__all__ = ["LISTS", "add_list", "make_list"]

#: The acts that make a list, with what each makes.
LISTS = {"report": "a report", "list-view": "a list view"}

EPILOG = """\
Keeps {what} in the org: all records of its type, those for which a condition holds when it is
run, or those of some ids. It prints the id, which `crosswalk import {act}` takes, as it takes the
name.

examples:
  crosswalk local {act} "Hot leads" --type Lead --when 'Rating = "Hot"'
  crosswalk local {act} Picked --type Lead --ids 00Q3z00001AmqLYEAZ 00Q3z00001AmqLZEAZ
"""


def add_list(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """Add the acts that make lists."""
    for act, what in LISTS.items():
        parser = command(act, f"make {what}", EPILOG.format(act=act, what=what))
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--type", metavar="TYPE", required=True, help="Lead, Contact, …")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--when", metavar="CONDITION", help="in the language of the rules")
        which.add_argument("--ids", metavar="ID", nargs="+", help="these records")


def make_list(org: LocalOrg, args: argparse.Namespace, _: ObjectType) -> int:
    """Make a list, and print its id, or itself as JSON."""
    from engine.stores.local.lists import make_list as make

    made = make(org.file, args.act, args.name, args.type, args.when, args.ids)
    told = {"version": 1, "list": made._asdict()}
    print(json.dumps(told, ensure_ascii=False) if args.format == "json" else made.id)
    return 0
