"""`crosswalk lint`: checks rule files and prints what is wrong with them."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dsl.codes import CODES
from dsl.diagnostics import Diagnostic, as_github, as_json, as_text, closest, in_order
from dsl.files import Loaded
from dsl.lint import Checked, check
from dsl.schema import Schema, shipped_schema
from engine.cli.colour import wants_colour
from engine.cli.project import Failure, Project
from engine.cli.remembered import Seen, remember
from engine.cli.rule_files import load, read_standard_input
from engine.config import FILE
from engine.shipped import own_titles, title_names

__all__ = ["register", "run"]

EXAMPLE = """\
examples:
  crosswalk lint
  crosswalk lint rules/leads.sync --strict
  crosswalk lint --fix
  crosswalk lint --explain CW303
  crosswalk lint --live
  crosswalk lint --format json | jq '.diagnostics[].message'

To let one finding be, write why on the line above it:  # lint: allow CW402 legal wants the clicks
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.description = "Check rule files: syntax, names, types, and what can go wrong."
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="rule files or folders; `-` is standard input (default: the project's rules)",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "sarif", "github"),
        default="text",
        help="how to print findings",
    )
    parser.add_argument("--strict", action="store_true", help="fail on warnings too")
    parser.add_argument(
        "--fix",
        action="store_true",
        help="mend what can only be meant in one way, and report the rest",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="check against what the connected orgs have, custom types and fields included",
    )
    parser.add_argument("--explain", metavar="CODE", help="tell what a code finds, and why")
    parser.add_argument(
        "--no-cache", action="store_true", help="check anew even what has not changed"
    )


def run(args: argparse.Namespace, project: Project | None) -> int:
    """Checks what the arguments name. 0: clean, 1: findings, 2: there is nothing to check."""
    gc.disable()  # the process ends right after; collecting costs a tenth of its time
    if args.explain:
        return _explain(args.explain, args.format)
    alone = args.paths == ["-"]
    if alone and args.fix:
        raise Failure("`--fix` writes files, and standard input is none: save it first")
    seen = None if alone or args.fix or args.live or args.no_cache else _seen(args, project)
    before = seen.rows() if seen else []
    loaded = read_standard_input() if alone else load(args.paths, project, "check", together=True)
    if loaded.error:
        print(f"error: {loaded.error}", file=sys.stderr)
        return 2
    output, code = _answer(args, project, loaded)
    sys.stdout.write(output)
    if seen:
        remember(args.arguments, seen, before, output, code)
    return code


def _answer(args: argparse.Namespace, project: Project | None, loaded: Loaded) -> tuple[str, int]:
    """What is printed, and the exit code."""
    templates = project.templates if project else title_names()
    titles = own_titles(project.root if project else None)
    schema = _schema(args, project)
    if args.fix:
        from engine.cli.fixing import mend

        loaded = mend(loaded, schema, templates)
    checked = check(loaded.sources, schema, templates, titles)
    found = in_order((*loaded.failed, *checked.diagnostics))
    if loaded.failed:
        # What is not defined may well be defined in the file that could not be read.
        found = tuple(d for d in found if d.code != "CW207")
    found = tuple(d for d in found if loaded.is_named(d.span.source.path))
    code = 1 if any(d.is_error or args.strict for d in found) else 0
    return _printed(args.format, found, loaded, checked), code


def _schema(args: argparse.Namespace, project: Project | None) -> Schema:
    if not args.live:
        return shipped_schema()
    if project is None:
        raise Failure("`--live` asks the connected orgs, and there is no project here")
    from engine.cli.live import live_schema

    return live_schema(project)


def _seen(args: argparse.Namespace, project: Project | None) -> Seen | None:
    """What the answer to a command will rest on; None if it was not given as one."""
    if not hasattr(args, "arguments"):
        return None
    root = project.root if project else Path(args.project or ".")
    folders = [(str(root / "templates" / "activity_titles"), ".j2")]
    folders += [(str(project.rules), ".sync")] if project else []
    folders += [(path, ".sync") for path in args.paths]
    return Seen([str(root / FILE), *args.paths], folders)


# -- printing -----------------------------------------------------------------------------------


def _printed(form: str, found: Sequence[Diagnostic], loaded: Loaded, checked: Checked) -> str:
    if form == "json":
        return _dumped(as_json(found))
    if form == "github":
        return as_github(found)
    if form == "sarif":
        from importlib.metadata import version

        from dsl.sarif import as_sarif

        return _dumped(as_sarif(found, version("crosswalk")))
    shown = as_text(found, colour=wants_colour()) + "\n" if found else ""
    return f"{shown}{_summary(found, loaded, checked)}\n"


def _dumped(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _summary(found: Sequence[Diagnostic], loaded: Loaded, checked: Checked) -> str:
    if not found:
        syncs = _count(len(checked.program.pairs), "sync")
        return f"checked {_count(loaded.count, 'file')}, {syncs}: no findings"
    errors = sum(d.is_error for d in found)
    warnings = len(found) - errors
    counts = [_count(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n]
    files = len({d.span.source.path for d in found})
    fixable = sum(d.fixable for d in found)
    hint = f"; `--fix` mends {fixable} of them" if fixable else ""
    return f"{' and '.join(counts)} in {_count(files, 'file')}{hint}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


# -- explaining ---------------------------------------------------------------------------------


def _explain(code: str, form: str) -> int:
    from dsl.page_of_code import load_page

    known = CODES.get(code.upper())
    if known is None:
        near = closest(code.upper(), CODES)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(CODES)}"
        raise Failure(f"there is no code `{code}`: {hint}")
    page = load_page(known.code)
    if form == "json":
        document = {
            "version": 1,
            "code": known.code,
            "name": known.name,
            "severity": str(known.severity),
            "summary": known.summary,
            "what": page.what,
            "why": page.why,
            "bad": page.bad,
            "good": page.good,
            "silenceable": known.silenceable,
        }
        sys.stdout.write(_dumped(document))
    else:
        print(page.text(known))
    return 0
