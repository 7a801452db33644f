"""`crosswalk status`: what is linked, up to where both sides were read, and what waits for what."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dsl.program import spoken_pair, types_of_pair
from dsl.schema import Side
from engine.cli.looking import add_format, add_limit, looking, reading
from engine.cli.project import Project
from engine.cli.table import plain, print_csv, print_json, print_table, record_id

if TYPE_CHECKING:
    from engine.ledger import Ledger

__all__ = ["register", "run"]

_SHOWN = 20
_WHYS = {
    "reference": "for another record",
    "transient": "to be tried again",
    "refused": "refused",
    "review": "for review",
    "paused": "swings to and fro",
    "budget": "for calls",
}


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
    pairs = _pairs(ledger) if ledger else []
    if form == "csv":
        print_csv(_columns(), map(_cells, pairs))
        return
    head = {
        "version": 1,
        "runs": _runs(ledger) if ledger else [],
        "waits": [each._asdict() for each in ledger.calls.stalled()] if ledger else [],
        "pairs": pairs,
    }
    if ledger is None:
        print_json(head, "pending", ())
        return
    from engine.ledger.looking import waiting

    with reading(ledger, waiting(limit)) as rows:
        print_json(head, "pending", map(_waiting, rows))


def _runs(ledger: Ledger) -> list[dict[str, Any]]:
    """The last run, or nothing."""
    from engine.ledger.looking import last_run

    return [
        {
            "run": row["id"],
            "status": row["status"],
            "started_at": row["started_at"],
            "finished_at": row["finished_at"],
            "counts": json.loads(row["counts"] or "{}"),
            "calls": json.loads(row["calls"] or "{}"),
        }
        for row in ledger.rows(last_run())
    ]


def _pairs(ledger: Ledger) -> list[dict[str, Any]]:
    """Each pair that the ledger knows, by name."""
    from engine.ledger.looking import cursors, link_counts, pending_counts

    pairs: dict[str, dict[str, Any]] = defaultdict(
        lambda: {
            "links": 0,
            "cursors": {side.value: None for side in Side},
            "pending": dict.fromkeys(_WHYS, 0),
        }
    )
    for row in ledger.rows(link_counts()):
        pairs[row["pair"]]["links"] = row["links"]
    for row in ledger.rows(cursors()):
        pairs[row["pair"]]["cursors"][row["side"]] = row["stamp"]
    for row in ledger.rows(pending_counts()):
        pairs[row["pair"]]["pending"][row["why"]] = row["records"]
    return [{"type": name, **pairs[name]} for name in sorted(pairs)]


def _waiting(row: dict[str, Any]) -> dict[str, Any]:
    """A record that waits: why, for what, and in whose words."""
    return {
        "type": row["pair"],
        "record": {
            "side": row["side"],
            "type": _type(row["pair"], row["side"]),
            "id": record_id(row["record_id"]),
        },
        "why": row["why"],
        "message": row["message"],
        "needs": {"type": row["needs_pair"], "id": record_id(row["needs_id"])}
        if row["needs_pair"] and row["why"] != "review"
        else None,
        "since": row["since"],
    }


def _type(pair: str, side: str) -> str:
    return types_of_pair(pair).get(Side(side), "")


def _columns() -> tuple[str, ...]:
    return ("type", "links", *(f"{side}_cursor" for side in Side), *_WHYS)


def _cells(pair: dict[str, Any]) -> tuple[object, ...]:
    return pair["type"], pair["links"], *pair["cursors"].values(), *pair["pending"].values()


def _print_text(ledger: Ledger, limit: int) -> None:
    from engine.ledger.looking import waiting_alike

    pairs = _pairs(ledger)
    print("\n".join(_run_lines(*_runs(ledger))))
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
        return [f"run {last['run']} of {last['started_at']}: still at work, or cut off"]
    done, calls = summary_lines(
        defaultdict(int, last["counts"]), defaultdict(int, last["calls"]), False
    )
    return [
        f"last run {last['run']}, {last['finished_at']}: {plain(last['status'])}",
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
        yield f"  waits for the {side.title()} budget until {until}{what}"


def _shown(pair: dict[str, Any]) -> tuple[object, ...]:
    waits = [f"{count:,} {_WHYS.get(why, why)}" for why, count in pair["pending"].items() if count]
    stamps = (stamp or "not yet" for stamp in pair["cursors"].values())
    name = spoken_pair(pair["type"])
    return name, f"{pair['links']:,}", *stamps, ", ".join(waits) or "nothing"


def _shown_pending(row: dict[str, Any]) -> tuple[object, ...]:
    kind = _type(row["pair"], row["side"])
    records = (
        f"{row['records']:,} of {kind}" if row["records"] > 1 else f"{kind} {row['record_id']}"
    )
    return _WHYS.get(row["why"], row["why"]), records, row["since"], row["message"]
