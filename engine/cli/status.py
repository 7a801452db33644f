"""`crosswalk status`: what is linked, up to where both sides were read, and what waits for what."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dsl.pairs import spoken_pair, types_of_pair
from dsl.schema import Side
from engine.cli.changes import paint
from engine.cli.colour import wants_colour
from engine.cli.looking import add_format, add_limit, looking, reading
from engine.cli.project import Project
from engine.cli.table import plain, print_csv, print_json, print_table

if TYPE_CHECKING:
    from engine.ledger import Ledger

__all__ = ["register", "run"]

_SHOWN = 20
_COLOURS = {"done": "32", "held": "33"}


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_limit(parser, _SHOWN)
    add_format(parser)
    parser.epilog = (
        "--limit bounds what is shown of the records that wait.\n\n"
        "examples:\n"
        "  crosswalk status\n"
        "  crosswalk status --format json | jq '.pairs[] | {type, links}'"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the state; exit code 0."""
    with looking(project, args.format) as ledger:
        if args.format != "text":
            _print_data(args.format, ledger, args.limit)
        elif ledger is not None:
            _print_text(ledger, args.limit)
    return 0


def _print_data(form: str, ledger: Ledger | None, limit: int) -> None:
    from engine.told import pairs_told, runs_told, waiting_told

    pairs = pairs_told(ledger) if ledger else []
    if form == "csv":
        print_csv(_columns(), map(_cells, pairs))
        return
    head = {
        "version": 1,
        "runs": runs_told(ledger) if ledger else [],
        "waits": [each._asdict() for each in ledger.calls.stalled()] if ledger else [],
        "pairs": pairs,
    }
    if ledger is None:
        print_json(head, "pending", ())
        return
    from engine.ledger.looking import waiting

    with reading(ledger, waiting(limit)) as rows:
        print_json(head, "pending", map(waiting_told, rows))


def _columns() -> tuple[str, ...]:
    from engine.whys import WHYS

    return ("type", "links", *(f"{side}_cursor" for side in Side), *WHYS)


def _cells(pair: dict[str, Any]) -> tuple[object, ...]:
    return pair["type"], pair["links"], *pair["cursors"].values(), *pair["pending"].values()


def _print_text(ledger: Ledger, limit: int) -> None:
    from engine.ledger.looking import waiting_alike
    from engine.told import pairs_told, runs_told

    pairs = pairs_told(ledger)
    print("\n".join(_run_lines(*runs_told(ledger))))
    for line in _stalled(ledger):
        print(line)
    if pairs:
        print()
        columns = ("type", "links#", "Salesforce read to", "Outreach read to", "waiting")
        print_table(columns, map(_shown, pairs))
    alike = [_shown_pending(row) for row in ledger.rows(waiting_alike(limit + 1))]
    if alike:
        print()
        print_table(("waiting", "record", "since", "message"), alike[:limit])
    if len(alike) > limit:
        print(f"… and more (--limit shows more than {limit})")


def _run_lines(last: dict[str, Any] | None = None) -> list[str]:
    from engine.cli.changes import summary_lines

    if last is None:
        return ["no run is noted yet"]
    if last["finished_at"] is None:
        return [f"run {last['run']} of {_moment(last['started_at'])}: still at work, or cut off"]
    done, calls = summary_lines(
        defaultdict(int, last["counts"]), defaultdict(int, last["calls"]), False
    )
    status = paint(plain(last["status"]), _COLOURS.get(last["status"], "31"), wants_colour())
    return [
        f"last run {last['run']}, {_moment(last['finished_at'])}: {status}",
        f"  {done}",
        f"  {calls}",
    ]


def _stalled(ledger: Ledger) -> Iterator[str]:
    """What the last run left for want of calls, by side."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in ledger.calls.stalled():
        found[each.side, each.until].append(each.step)
    for (side, until), steps in found.items():
        left = [step for step in steps if step]
        what = f": {', '.join(left)}" if left else ""
        yield f"  waits for the {side.title()} budget until {_moment(until)}{what}"


def _shown(pair: dict[str, Any]) -> tuple[object, ...]:
    from engine.whys import WHYS

    waits = [f"{count:,} {WHYS.get(why, why)}" for why, count in pair["pending"].items() if count]
    stamps = (_moment(stamp) if stamp else "not yet" for stamp in pair["cursors"].values())
    name = spoken_pair(pair["type"])
    return name, f"{pair['links']:,}", *stamps, ", ".join(waits) or "nothing"


def _shown_pending(row: dict[str, Any]) -> tuple[object, ...]:
    from engine.whys import WHYS

    kind = types_of_pair(row["pair"]).get(Side(row["side"]), "")
    records = (
        f"{row['records']:,} of {kind}" if row["records"] > 1 else f"{kind} {row['record_id']}"
    )
    return WHYS.get(row["why"], row["why"]), records, _moment(row["since"]), row["message"]


def _moment(stamp: str) -> str:
    """A stamp as it is for programs that read the text; to a person, how long ago that was."""
    from engine.moments import ago

    return ago(datetime.fromisoformat(stamp)) if sys.stdout.isatty() else stamp
