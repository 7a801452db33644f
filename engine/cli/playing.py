"""`crosswalk local play`: what salespeople do all day, from a script or one act at a time."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsl.schema import Side
from engine.cli.project import Failure, Project

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.play import Act
    from engine.stores.local.play import Done, Failed, Stage

__all__ = ["run"]

_REFUSED = 1


def run(args: argparse.Namespace, project: Project) -> int:
    """Do the acts; exit code 1 if an org refuses one, 2 if a line is none."""
    name, acts = _acts(args.script)
    with ExitStack() as stack:
        return _play(_stage(project, stack, args.acting), acts, name, args.format == "json")


def _acts(words: Sequence[str]) -> tuple[str, list[Act]]:
    """The name of the script, empty for an act that is typed, and its acts. Raises `Failure`."""
    from engine.play import read_act, read_script

    if len(words) > 1:
        try:
            return "", [read_act(words)]
        except ValueError as error:
            raise Failure(str(error)) from None
    name = words[0]
    text = name if " " in name and not Path(name).is_file() else _read(name)
    acts, wrong = read_script(text)
    if wrong:
        raise Failure("\n".join(f"{name}:{w.line}: {w.message}" for w in wrong))
    return name, acts


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise Failure(
            f"{name} is no script that can be read ({reason}); an act is typed as its words:"
            " crosswalk local play send Intro to rose@edge.com"
        ) from None


def _stage(project: Project, stack: ExitStack, acting: str | None) -> Stage:
    from engine.stores.local import open_org
    from engine.stores.local.play import Stage

    orgs = {}
    for side in Side:
        path = project.config.org_path(side)
        if path is not None:
            org = open_org(side, path)
            orgs[side] = org
            stack.callback(org.close)
    if not orgs:
        raise Failure("`crosswalk local play` acts on local orgs only, and the project has none")
    return Stage(orgs, acting)


def _play(stage: Stage, acts: list[Act], name: str, as_json: bool) -> int:
    from engine.stores.local.play import Failed

    done: list[Done] = []
    failed: Failed | None = None
    try:
        for one in stage.play(acts):
            done.append(one)
            if not as_json:
                print(_line(one, named=bool(name)))
    except Failed as failure:
        failed = failure
    if as_json:
        document: dict[str, Any] = {"version": 1, "acts": [_document(one) for one in done]}
        if failed is not None:
            document["failed"] = {"line": failed.act.line, "message": str(failed)}
        print(json.dumps(document, ensure_ascii=False))
    if failed is not None:
        where = f"{name}:{failed.act.line}: " if name else ""
        print(f"{where}not done: {failed}", file=sys.stderr)
        return _REFUSED
    return 0


def _line(done: Done, *, named: bool) -> str:
    told = ", ".join(f"{type_name} {record}" for _, type_name, record in done.records)
    return f"{done.act.text}: {told or 'done'}" if named else told or "done"


def _document(done: Done) -> dict[str, Any]:
    records = [{"side": side, "type": name, "id": record} for side, name, record in done.records]
    return {"line": done.act.line, "act": done.act.text, "records": records}
