"""`crosswalk check`: whether both connections let the rules do what they need."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from dsl.schema import Side
from engine.cli.hooking import webhook_checkups
from engine.cli.project import Failure, Project
from engine.cli.table import print_json

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.ports import Checkup, Need, Store

__all__ = ["register", "run"]

_VENDOR = {Side.SALESFORCE: "Salesforce", Side.OUTREACH: "Outreach"}


class _Found(NamedTuple):
    side: Side
    checkup: Checkup


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = (
        "It signs in to both sides, looks whether the user may see and write what the rules\n"
        "name, whether types and fields are there, how far the clocks are apart, and what is left\n"
        "of the calls. Nothing is written. What is wrong comes with the setting to change.\n\n"
        "Exit code 0 if all is right, 1 if something is not, 3 if a side cannot be reached.\n\n"
        "examples:\n"
        "  crosswalk check\n"
        "  crosswalk check --format json | jq '.checks[] | select(.right | not)'"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Look at both sides; all that is found is told together."""
    from engine.compiled import Compiled
    from engine.needs import needs
    from engine.ports import Unreachable

    wanted = needs(Compiled(project.program(), project.config.timezone))
    found: list[_Found] = []
    unreachable = False
    for side in Side:
        try:
            for checkup in _look(project, side, wanted[side]):
                found.append(_Found(side, checkup))
                if args.format == "text":
                    _print(found[-1])
        except Unreachable as error:
            unreachable = True
            found.append(_Found(side, _wrong("it can be reached", str(error))))
            if args.format == "text":
                _print(found[-1])
    wrong = sum(not each.checkup.right for each in found)
    if args.format == "json":
        print_json({"version": 1, "wrong": wrong}, "checks", map(_as_json, found))
    else:
        print(f"\n{len(found)} things looked at, {wrong or 'none'} of them wrong")
    return 3 if unreachable else 1 if wrong else 0


def _look(project: Project, side: Side, wanted: list[Need]) -> Iterator[Checkup]:
    from engine.ports import Checkable, StoreError, Unreachable

    try:
        store = project.open_store(side)
    except Failure as failure:
        yield _wrong("the connection is configured", str(failure))
        return
    except Unreachable:
        raise
    except StoreError as error:
        yield _wrong("the connection opens", str(error))
        return
    with closing(store):
        right = True
        if isinstance(store, Checkable):
            for checkup in store.checkups(wanted):
                right &= checkup.right
                yield checkup
        if right or not isinstance(store, Checkable):
            yield from _types(store, wanted)
        if right:
            try:
                yield from webhook_checkups(project, store)
            except Unreachable:
                raise
            except StoreError as error:
                yield _wrong("it calls us of changes", str(error))


def _types(store: Store, wanted: list[Need]) -> Iterator[Checkup]:
    """Whether each type is there, with the fields that the rules name."""
    from engine.ports import Checkup

    for need in wanted:
        type_ = store.describe(need.type)
        what = f"{need.type} has what the rules name"
        if type_ is None:
            yield _wrong(what, f"there is no {need.type}: a rule that syncs it does nothing")
            continue
        words = {field.relationship for field in type_.fields.values()}  # as in `Account.Name`
        missing = sorted((need.reads | need.writes) - type_.fields.keys() - words)
        advice = (
            f"{need.type} has no {', '.join(missing)}, or the user may not see it:"
            " add it there, give the user access to it, or take it out of the rules"
        )
        yield Checkup(what, not missing, advice if missing else "")


def _wrong(what: str, advice: str) -> Checkup:
    from engine.ports import Checkup

    return Checkup(what, False, advice)


def _print(found: _Found) -> None:
    checkup = found.checkup
    mark = "ok    " if checkup.right else "wrong "
    print(f"{mark} {_VENDOR[found.side]:<10}  {checkup.what}", flush=True)
    if not checkup.right and checkup.advice:
        print(f"                    {checkup.advice}", flush=True)


def _as_json(found: _Found) -> dict[str, Any]:
    return {"side": found.side.value, **found.checkup._asdict()}
