"""`crosswalk explain`: why a record did or did not sync, and what each field would do."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from typing import Any

from dsl.pairs import spoken_pair
from dsl.schema import Side
from engine.cli.project import Failure, Project, able

_VALUES = (("base", "base"), ("Salesforce", "salesforce"), ("Outreach", "outreach"))

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("type", metavar="TYPE", help="a type of either side (Lead, prospect, …)")
    parser.add_argument("id", metavar="ID", help="a record's id; Salesforce's of 15 or 18 letters")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = (
        "Reads both sides and the ledger, and writes nothing. The decision is the one that a run\n"
        "would take now.\n\n"
        "examples:\n"
        "  crosswalk explain Lead 00Q3z00001AmqLYEAZ\n"
        "  crosswalk explain prospect 17 --format json | jq '.steps[] | {step, outcome}'"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the account of one record; exit code 0."""
    from engine.clock import SystemClock
    from engine.explain import Unknown, explain
    from engine.named import record_named

    program = project.program()
    side, record = record_named(program, args.type, args.id)
    with ExitStack() as stack:
        ledger = project.open_ledger_to_look(stack, program)
        stores = project.open_budgeted(stack, program, ledger)
        program = able(program, stores)
        zone = project.config.timezone
        try:
            name = (side, args.type, record)
            told = explain(program, stores, ledger, zone, SystemClock(), name)
        except Unknown as unknown:
            raise Failure(str(unknown), 1) from None
    if args.format == "json":
        print(json.dumps({"version": 1, **told}, ensure_ascii=False))
    else:
        print("\n".join(_lines(told)))
    return 0


# -- text ---------------------------------------------------------------------------------------


def _lines(told: dict[str, Any]) -> list[str]:
    record, link = told["record"], told["link"]
    lines = [f"{Side(record['side']).title()} {record['type']} {record['id']}"]
    if link is not None:
        other = link[Side(record["side"]).other.value]
        lines[0] += f"  <->  {other['type']} {other['id']}"
    sync = None
    for step in told["steps"]:
        if step.get("sync", sync) != sync:
            sync = step["sync"]
            lines += ["", f"sync {spoken_pair(sync)}"]
        lines += _step_lines(step)
    return lines


def _step_lines(step: dict[str, Any]) -> list[str]:
    place = f"  ({step['rule']})" if "rule" in step else ""
    lines = [f"  {step['step']}: {step['outcome']}{place}"]
    if condition := step.get("condition"):
        lines.append(f"      when {condition['text']}")
        lines += _term_lines(condition["terms"], "      ")
    lines += [
        f"      {match['text']}: {_met(match['met'])} {match['outcome']}"
        for match in step.get("matches", ())
    ]
    fields = step.get("fields", ())
    width = max((len(f"{f['source']} {f['target']}") for f in fields), default=0) + 4
    for field in fields:
        name = f"{field['source']} -> {field['target']}"
        values = ", ".join(
            f"{word} {_shown(field[key])}"
            for word, key in (
                ("base", "base"),
                ("Salesforce", "salesforce"),
                ("Outreach", "outreach"),
            )
        )
        lines.append(f"      {name:<{width}}  {field['decision']}  ({field['rule']})")
        lines.append(f"      {'':<{width}}  {values}")
    rows = step.get("rows", ())
    lines += [f"      {row['timestamp']}  {row['status']}: {row['message']}" for row in rows]
    return lines


def _term_lines(terms: list[dict[str, Any]], indent: str) -> list[str]:
    lines = []
    for term in terms:
        mark = "holds" if term["value"] else "fails"
        met = f"  [{_met(term['met'])}]" if "met" in term else ""
        lines.append(f"{indent}  {mark}  {term['text']}{met}")
        lines += _term_lines(term.get("terms", []), f"{indent}  ")
    return lines


def _met(values: dict[str, Any]) -> str:
    return ", ".join(f"{path} is {_shown(value)}" for path, value in values.items())


def _shown(value: Any) -> str:
    from engine.cli.changes import shown

    return shown(value)
