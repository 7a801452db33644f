"""`crosswalk maps`: the rules' maps beside the picklists that the connected org has now."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine.cli.project import Project
from engine.cli.table import plain, print_json

if TYPE_CHECKING:  # `--help` must not wait for the rules' parser
    from dsl.picklists import Drift, MapUse
    from dsl.program import Translation

__all__ = ["register", "run"]

_WORDS = {"new": "new", "gone": "gone", "inactive": "deactivated"}


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = (
        "Asks Salesforce for the values of each picklist that a line translates with `via`, and\n"
        "tells which are new (the map has no pair, and no `otherwise` but `hold`), and which are\n"
        "gone or deactivated, though a pair names them. One that seems renamed is told with its\n"
        "other name. Exit code 1 if there is something to mend.\n\n"
        "examples:\n"
        "  crosswalk maps\n"
        "  crosswalk maps --format json | jq '.maps[].findings[]'"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the maps; exit code 0, or 1 if one has to be mended."""
    from dsl.picklists import drifts, uses_of_maps
    from engine.cli.live import live_schema

    program = project.program()
    uses = uses_of_maps(program.pairs, live_schema(project))
    found = [
        (via, uses.get(name, []), drifts(via, uses.get(name, [])))
        for name, via in sorted(program.maps.items())
    ]
    if args.format == "json":
        print_json({"version": 1}, "maps", (_document(*each) for each in found))
    else:
        for each in found:
            print("\n".join(_lines(*each)))
        if not found:
            print("the rules have no maps")
    return 1 if any(not drift.harmless for *_, some in found for drift in some) else 0


def _served(uses: list[MapUse]) -> list[str]:
    return list(dict.fromkeys(use.name for use in uses if use.field is not None))


def _document(via: Translation, uses: list[MapUse], found: list[Drift]) -> dict[str, Any]:
    return {
        "name": via.name,
        "rule": via.span.place,
        "picklists": {use.name: list(use.field.picklist) for use in uses if use.field},
        "findings": [
            {
                "finding": drift.what,
                "value": drift.value,
                "picklists": _served(list(drift.uses)),
                "near": drift.near,
                "rule": drift.entry.span.place if drift.entry else None,
                "message": _message(drift),
            }
            for drift in found
        ],
    }


def _lines(via: Translation, uses: list[MapUse], found: list[Drift]) -> Iterator[str]:
    served = ", ".join(_served(uses))
    yield f"{via.name} ({via.span.place}): {served or 'serves no picklist'}"
    for drift in found:
        yield f"  {_WORDS[drift.what]:<11}  {plain(drift.value)}: {_message(drift)}"
    if served and not found:
        yield "  as in Salesforce"


def _message(drift: Drift) -> str:
    where = ", ".join(_served(list(drift.uses)))
    match drift.what:
        case "new":
            was = f" (is it `{drift.near}` under a new name?)" if drift.near else ""
            return f"in {where}, and the map has no pair for it{was}"
        case "gone":
            now = f"; is it `{drift.near}` now?" if drift.near else ""
            return f"not in {where}, though a pair names it{now}"
        case _ if drift.harmless:
            return f"no longer offered in {where}; records that still have it are translated"
        case _:
            return f"no longer offered in {where}, though a pair writes it"
